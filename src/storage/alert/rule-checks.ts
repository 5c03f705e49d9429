import { ALERT_KIND_TRAITS, type AlertKind, type AlertScope } from '../../contract/alert-kinds.js';
import { ALIAS_PATTERN } from '../../contract/model-config.contract.js';
import { PROVIDERS } from '../../contract/providers.js';
import { invalidFields, type FieldProblem } from '../../platform/errors/app-error.js';

interface Checked {
  kind: AlertKind;
  scope: AlertScope;
  scopeValue: string | null;
  threshold: number | null;
  windowMinutes: number | null;
  minCalls: number | null;
}

/** A name, or a name and a value; as configs have them. */
const TAG = /^[^:\s][^:]{0,62}(?::.*)?$/s;

/** What must hold between the fields of a rule; each field by itself is checked by the contract. */
export const checkRule = (rule: Checked): void => {
  const problems = [...figureProblems(rule), ...scopeProblems(rule)];
  if (problems.length > 0) throw invalidFields(...problems);
};

const problem = (field: string, what: string): FieldProblem => ({ field, message: `${field} ${what}` });

const figureProblems = ({ kind, threshold, windowMinutes, minCalls }: Checked): FieldProblem[] => {
  const traits = ALERT_KIND_TRAITS[kind];
  const problems: FieldProblem[] = [];
  const has = { threshold: traits.threshold, window_minutes: traits.window, min_calls: traits.minCalls };
  const sent = { threshold, window_minutes: windowMinutes, min_calls: minCalls };
  for (const field of ['threshold', 'window_minutes', 'min_calls'] as const) {
    if (has[field] === null && sent[field] !== null)
      problems.push(problem(field, `must be null or absent: ${kind} has none`));
  }
  const { threshold: bounds, window, unit } = traits;
  if (bounds && threshold !== null && (threshold < bounds.min || threshold > bounds.max))
    problems.push(problem('threshold', `must be from ${bounds.min} to ${bounds.max} (${unit}) for ${kind}`));
  if (window && windowMinutes !== null && windowMinutes > window.max)
    problems.push(problem('window_minutes', `must be at most ${window.max} for ${kind}`));
  return problems;
};

const scopeProblems = ({ kind, scope, scopeValue }: Checked): FieldProblem[] => {
  if (scope === 'all')
    return scopeValue === null ? [] : [problem('scope_value', 'must be null or absent with scope all')];
  const { subject } = ALERT_KIND_TRAITS[kind];
  if (subject === 'instance' || subject === 'hub')
    return [problem('scope', `must be all for ${kind}: it looks at no model`)];
  const wanted = scopeValueProblem(scope, scopeValue ?? '');
  return wanted === null ? [] : [problem('scope_value', wanted)];
};

const scopeValueProblem = (scope: Exclude<AlertScope, 'all'>, value: string): string | null => {
  if (scope === 'provider')
    return (PROVIDERS as readonly string[]).includes(value) ? null : `must be one of ${PROVIDERS.join(', ')}`;
  if (scope === 'alias') return ALIAS_PATTERN.test(value) ? null : 'must be the alias of a model';
  return TAG.test(value) ? null : 'must be the name of a tag, or name:value';
};
