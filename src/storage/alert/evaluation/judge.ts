import type { AlertNotice } from '../../../contract/alert-notice.js';
import { isSilenced, type Silence } from '../silences.js';
import { advance, close, type Figure, type LiveAlert, tellingOf } from './advance.js';
import type { Figures } from './figures.js';
import type { RuleScope } from './rule-scope.js';
import type { WatchedRule } from './watched-rule.js';

/** What a minute made of one subject of a rule. Null before: there was no alert; null after: there is none, or none any more. */
export interface Change {
  before: LiveAlert | null;
  after: LiveAlert | null;
  figure: Figure | null;
}

const heldOf = (alert: LiveAlert): Change => ({ before: alert, after: alert, figure: null });

/** What becomes of the open alerts of a rule, and which ones are new. */
export const judge = (
  rule: WatchedRule,
  open: readonly LiveAlert[],
  { figures, scope, minute }: { figures: Figures; scope: Pick<RuleScope, 'hasSubject'>; minute: Date },
): Change[] => {
  if (figures === null) return open.map(heldOf);
  const known = open.map((alert): Change => {
    const figure = figures.get(alert.subject) ?? null;
    if (!scope.hasSubject(alert.subject)) return { before: alert, after: close(alert, minute), figure: null };
    return { before: alert, after: advance(rule, alert.subject, alert, figure, minute), figure };
  });
  const subjects = new Set(open.map(({ subject }) => subject));
  const opened = [...figures]
    .filter(([subject, { isBad }]) => isBad && !subjects.has(subject))
    .map(([subject, figure]): Change => ({
      before: null,
      after: advance(rule, subject, null, figure, minute),
      figure,
    }));
  return [...known, ...opened];
};

/** What becomes of the open alerts of a rule that is switched off or deleted. */
export const judgeOff = (open: readonly LiveAlert[], minute: Date): Change[] =>
  open.map((alert) => ({ before: alert, after: close(alert, minute), figure: null }));

/** In the order in which people hear of them. */
const EVENTS: readonly AlertNotice['event'][] = ['resolved', 'firing', 'reminder'];

/** What people are to be told, by what happened. */
export const tellings = (
  rule: Pick<WatchedRule, 'name' | 'reminderMinutes'>,
  changes: readonly Change[],
  silences: readonly Silence[],
  minute: Date,
): [AlertNotice['event'], Change[]][] => {
  const eventOf = ({ after }: Change): AlertNotice['event'] | null =>
    after && tellingOf(rule, after, isSilenced(silences, rule.name, after.subject, minute), minute);
  const told = changes.map((change) => ({ change, event: eventOf(change) }));
  return EVENTS.map((event): [AlertNotice['event'], Change[]] => [
    event,
    told.filter((one) => one.event === event).map(({ change }) => change),
  ]).filter(([, list]) => list.length > 0);
};
