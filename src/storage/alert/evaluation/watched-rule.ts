import { ALERT_KIND_TRAITS, ALERT_SCOPES, SEVERITIES } from '../../../contract/alert-kinds.js';
import type { AlertKindTraits, AlertScope } from '../../../contract/alert-kinds.js';
import type { AlertRuleEntity } from '../alert-rule.entity.js';

/** A rule with the defaults of its kind filled in. Times are minutes. */
export interface WatchedRule extends Pick<
  AlertRuleEntity,
  'id' | 'name' | 'description' | 'kind' | 'severity' | 'scope' | 'scopeValue' | 'reminderMinutes' | 'language'
> {
  channels: readonly string[];
  traits: AlertKindTraits;
  /** In the unit of the kind; null: the kind has none. */
  threshold: number | null;
  windowMinutes: number | null;
  minCalls: number | null;
  forMinutes: number;
  keepFiringMinutes: number;
}

/** What no rule can be made of: somebody wrote it past the hub. */
const problemOf = (row: AlertRuleEntity): string | null => {
  const traits: AlertKindTraits | undefined = ALERT_KIND_TRAITS[row.kind];
  if (!traits) return `there is no kind ${row.kind}`;
  if (!ALERT_SCOPES.includes(row.scope)) return `there is no scope ${row.scope}`;
  if (!SEVERITIES.includes(row.severity)) return `there is no severity ${row.severity}`;
  if (row.scope !== 'all' && !row.scopeValue) return `the scope ${row.scope} has no value`;
  const { windowMinutes: window } = row;
  if (traits.window && window !== null && !(window >= 1 && window <= traits.window.max)) {
    return `the window is ${window} minutes, not 1 to ${traits.window.max}`;
  }
  return null;
};

/** Throws when the row makes no sense. */
export const watchedRule = (row: AlertRuleEntity): WatchedRule => {
  const problem = problemOf(row);
  if (problem) throw new Error(problem);
  const traits = ALERT_KIND_TRAITS[row.kind];
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    kind: row.kind,
    severity: row.severity,
    scope: row.scope,
    scopeValue: row.scopeValue,
    reminderMinutes: row.reminderMinutes,
    language: row.language,
    channels: row.channels,
    traits,
    threshold: traits.threshold && (row.threshold ?? traits.threshold.default),
    windowMinutes: traits.window && (row.windowMinutes ?? traits.window.default),
    minCalls: traits.minCalls && (row.minCalls ?? traits.minCalls),
    forMinutes: row.forMinutes ?? traits.forMinutes,
    keepFiringMinutes: row.keepFiringMinutes ?? traits.keepFiringMinutes,
  };
};

/** Whether a figure is on the bad side of a rule's threshold. */
export const isBadFigure = (
  { traits, threshold }: Pick<WatchedRule, 'traits' | 'threshold'>,
  value: number,
): boolean => {
  if (threshold === null) return false;
  if (traits.bad === 'below') return value < threshold;
  return traits.bad === 'above' ? value > threshold : value >= threshold;
};

/** `all`, or what a rule looks at, such as `tag:cheap`. */
export const scopeText = ({ scope, scopeValue }: { scope: AlertScope; scopeValue: string | null }): string =>
  scope === 'all' ? 'all' : `${scope}:${scopeValue}`;
