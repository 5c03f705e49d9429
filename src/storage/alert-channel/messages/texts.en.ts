import type { AlertSubject } from '../../../contract/alert-kinds.js';
import { plural } from './figures.js';
import type { Texts } from './texts.js';

const scopeText = (scope: string): string => {
  const at = scope.indexOf(':');
  const [kind, value] = at === -1 ? [scope, ''] : [scope.slice(0, at), scope.slice(at + 1)];
  if (kind === 'all') return 'all models';
  if (kind === 'alias') return `model ${value}`;
  if (kind === 'provider') return `models of provider ${value}`;
  if (kind === 'tag') return `models tagged ${value}`;
  return kind === 'token' ? `token ${value}` : scope;
};

const SUBJECTS: Record<AlertSubject, (subject: string) => string> = {
  model: (alias) => `model ${alias}`,
  scope: scopeText,
  instance: (instance) => `instance ${instance}`,
  hub: () => '',
};

const NOUNS: Record<AlertSubject, string> = { model: 'model', scope: 'scope', instance: 'instance', hub: 'hub' };

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

export const ENGLISH: Texts = {
  tag: { critical: '[Critical] ', warning: '[Warning] ', info: '[Info] ', resolved: '[Resolved] ' },
  kinds: {
    error_rate: {
      wrong: 'too many calls fail',
      figure: 'Failed calls',
      advice:
        "Look at the model's newest error and the provider's status page; add a fallback, or switch the model off.",
    },
    latency_p95: {
      wrong: 'answers are slow',
      figure: 'P95 duration',
      advice: "See whether the provider's other models are slow too; add a fallback, or lower request_timeout.",
    },
    first_token_p95: {
      wrong: 'the first token comes late',
      figure: 'P95 time to first token',
      advice: 'See whether the provider is busy or the inputs are very long; add a fallback.',
    },
    no_calls: {
      wrong: 'too few calls',
      figure: 'Calls',
      advice: 'See whether the callers run, whether their tokens are still valid, and whether they reach the hub.',
    },
    rate_limited: {
      wrong: 'the provider limits calls',
      figure: 'Limited calls',
      advice: "Set rate_limit_per_minute below the provider's limit, add a fallback, or ask the provider for more.",
    },
    spend: {
      wrong: 'spending is over the threshold',
      figure: 'Spent',
      advice: 'See in the statistics which models and tokens it comes from; a budget can set a hard limit.',
    },
    bad_credential: {
      wrong: 'the provider refuses the key',
      figure: null,
      advice: 'Enter a valid key for the model, then test its connection.',
    },
    failing_test: {
      wrong: 'the connection test fails',
      figure: null,
      advice: 'Read the error of the newest test; check the key, the address and the model name.',
    },
    undecryptable_secret: {
      wrong: 'the stored key cannot be decrypted',
      figure: null,
      advice: "Put the former key back into ENCRYPTION_KEYS, or enter the model's key again.",
    },
    stale_instance: {
      wrong: 'answers calls from an old configuration',
      figure: 'Behind by',
      advice:
        'Check the network between this instance and the storage service; until then it answers from what it knows.',
    },
    storage_degraded: {
      wrong: 'alerts were not evaluated for a while',
      figure: 'Interrupted for',
      advice: 'Read the logs of PostgreSQL and the storage service; the missed time was caught up, six hours at most.',
    },
  },
  reasons: {
    recovered: 'good again',
    no_data: 'too few calls to tell',
    rule_off: 'the rule was switched off, changed or deleted',
  },
  labels: {
    subject: 'Subject',
    threshold: 'Threshold',
    since: 'Since',
    resolved: 'Ended',
    reason: 'Reason',
    advice: 'What to do',
    rule: 'Rule',
    description: 'Description',
    scope: 'Scope',
    period: 'Period',
    spent: 'Spent',
    effect: 'Effect',
    time: 'Time',
  },
  link: 'Open in the console',
  subject: (kind, subject) => capital(SUBJECTS[kind](subject)),
  several: (kind, count) => plural(count, NOUNS[kind]),
  wrong: (subject, wrong, figures) =>
    `${subject === '' ? capital(wrong) : `${subject}: ${wrong}`}${figures === null ? '' : ` (${figures})`}`,
  still: (wrong) => `Still firing: ${wrong}`,
  over: (wrong, reason) => `${wrong} (${reason})`,
  figures: (value, threshold) =>
    [value, ...(threshold === null ? [] : [`threshold ${threshold}`])].filter((text) => text !== null).join(', ') ||
    null,
  measured: (figures, window, calls) =>
    figures +
    (calls === null ? '' : `; ${calls}`) +
    (window === null ? '' : `${calls === null ? ',' : ''} in ${window}`),
  lastMinutes: (duration) => `the last ${duration.replace(/^1 (?=[a-z]+$)/, '')}`,
  calls: (count) => plural(count, 'call'),
  since: (time, duration) => `${time}, for ${duration}`,
  ended: (time, duration) => `${time}, after ${duration}`,
  one: (subject, measured, time, duration) =>
    `${subject}: ${measured === null ? '' : `${measured}, `}since ${time}, for ${duration}`,
  oneOver: (subject, duration, reason) => `${subject}: lasted ${duration}, ${reason}`,
  more: (count) => `and ${plural(count, 'other')} not named here`,
  budget: {
    title: (name, percent, refuses) =>
      refuses ? `Budget ${name} is used up (${percent}): calls are refused` : `Budget ${name} is used to ${percent}`,
    period: (period, from, to) => `${period === 'day' ? 'daily' : 'monthly'}, ${from} to ${to}`,
    spent: (spent, limit, percent, threshold) => `${spent} of ${limit}, ${percent} (told at ${threshold})`,
    refuses: (until) =>
      `Calls in this scope are answered with 429 budget_exceeded until ${until}; a higher limit opens it at once`,
    notifies: 'Nothing is refused',
  },
  test: { title: 'Test message', label: 'Result', result: 'the channel works' },
};
