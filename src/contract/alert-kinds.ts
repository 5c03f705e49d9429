/** What an alert rule watches. */
export const ALERT_KINDS = [
  'error_rate',
  'latency_p95',
  'first_token_p95',
  'no_calls',
  'rate_limited',
  'spend',
  'bad_credential',
  'failing_test',
  'undecryptable_secret',
  'stale_instance',
  'storage_degraded',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Least urgent first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a rule looks at: every model, one of them, those of a provider or with a tag. */
export const ALERT_SCOPES = ['all', 'alias', 'provider', 'tag'] as const;
export type AlertScope = (typeof ALERT_SCOPES)[number];

/** Bad, but not for long enough; told; over. */
export const ALERT_STATES = ['pending', 'firing', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Languages of messages. */
export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** In what a figure and its threshold are measured; `count` has none. */
export const ALERT_UNITS = ['percent', 'milliseconds', 'calls', 'usd', 'seconds', 'minutes'] as const;
export type AlertUnit = (typeof ALERT_UNITS)[number];

/**
 * Of what there is one alert each: of every model in scope, of all of them together, of every process of the AI model service, or of
 * the hub as a whole. The subject of an alert is accordingly an alias, the scope such as `tag:cheap` (`all` for everything), a host with
 * the beginning of its id, or `hub`.
 */
export type AlertSubject = 'model' | 'scope' | 'instance' | 'hub';

/** What a rule of a kind is made of; null where the kind has no such thing. Times are minutes. */
export interface AlertKindTraits {
  subject: AlertSubject;
  unit: AlertUnit | null;
  /** Which side of the threshold is bad; null: the kind has no figure, something is so or not. */
  bad: 'at_least' | 'above' | 'below' | null;
  threshold: { min: number; max: number; default: number } | null;
  window: { max: number; default: number } | null;
  minCalls: number | null;
  /** How long it has to be so until the alert fires, and how long it has to be over until the alert is resolved. */
  forMinutes: number;
  keepFiringMinutes: number;
}

const SHARE = {
  subject: 'model',
  unit: 'percent',
  bad: 'at_least',
  threshold: { min: 0.1, max: 100, default: 20 },
} as const;
const DURATION = { subject: 'model', unit: 'milliseconds', bad: 'above' } as const;
const STATE = { unit: null, bad: null, threshold: null, window: null, minCalls: null } as const;
const AT_ONCE = { forMinutes: 0, keepFiringMinutes: 0 } as const;
const STEADY = { forMinutes: 2, keepFiringMinutes: 5 } as const;

export const ALERT_KIND_TRAITS: Readonly<Record<AlertKind, AlertKindTraits>> = {
  /** Share of calls that failed at the model, see MODEL_FAULTS. */
  error_rate: { ...SHARE, window: { max: 60, default: 5 }, minCalls: 10, ...STEADY },
  latency_p95: {
    ...DURATION,
    threshold: { min: 1, max: 3_600_000, default: 60_000 },
    window: { max: 60, default: 10 },
    minCalls: 20,
    ...STEADY,
  },
  first_token_p95: {
    ...DURATION,
    threshold: { min: 1, max: 3_600_000, default: 15_000 },
    window: { max: 60, default: 10 },
    minCalls: 20,
    ...STEADY,
  },
  no_calls: {
    subject: 'scope',
    unit: 'calls',
    bad: 'below',
    threshold: { min: 1, max: 1_000_000_000, default: 1 },
    window: { max: 1440, default: 60 },
    minCalls: null,
    ...AT_ONCE,
  },
  /** Share of calls that the provider refused because there were too many, see RATE_REFUSALS. */
  rate_limited: { ...SHARE, window: { max: 60, default: 5 }, minCalls: 10, ...STEADY },
  spend: {
    subject: 'scope',
    unit: 'usd',
    bad: 'at_least',
    threshold: { min: 0.000_001, max: 1_000_000_000, default: 100 },
    window: { max: 1440, default: 1440 },
    minCalls: null,
    ...AT_ONCE,
  },
  bad_credential: { subject: 'model', ...STATE, ...AT_ONCE },
  /** The newest connection tests of a model found none that went well. */
  failing_test: { subject: 'model', ...STATE, window: { max: 1440, default: 1440 }, ...AT_ONCE },
  undecryptable_secret: { subject: 'model', ...STATE, ...AT_ONCE },
  /** Answers calls from a revision that is older than the newest for so many seconds. */
  stale_instance: {
    subject: 'instance',
    unit: 'seconds',
    bad: 'at_least',
    threshold: { min: 10, max: 86_400, default: 60 },
    window: null,
    minCalls: null,
    ...AT_ONCE,
  },
  /** So many minutes nothing could be evaluated: the database was away, or no storage process was there. */
  storage_degraded: {
    subject: 'hub',
    unit: 'minutes',
    bad: 'at_least',
    threshold: { min: 1, max: 1440, default: 3 },
    window: null,
    minCalls: null,
    ...AT_ONCE,
  },
};

/** Outcomes that are the model's fault: a caller's bad request is not, a refused key and a limit have kinds of their own. */
export const MODEL_FAULTS = ['not_found', 'overloaded', 'timeout', 'network', 'server', 'bad_answer'] as const;
export const RATE_REFUSALS = ['rate_limit', 'quota'] as const;
/** Connection tests that ended so tell nothing of the model: nobody waited for them, or the key has a kind of its own. */
export const NO_TEST_RESULTS = ['auth', 'credential_unavailable', 'client_gone'] as const;
