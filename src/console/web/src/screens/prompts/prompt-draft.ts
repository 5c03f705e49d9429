import type { Schemas } from '../../api/client';
import type { PromptContent, PromptValue, Variable } from './prompt-content';
import { isPlain, proposedVariables } from './template-text';

interface Stored {
  prompt_content: string | null;
  syntax: Schemas['PromptSyntax'] | null;
  variables: unknown;
  example_variables: unknown;
}

/** What is not set is left out, so that two declarations that mean the same are the same. */
const declared = (variable: Variable): Variable =>
  Object.fromEntries(Object.entries(variable).filter(([, value]) => value !== null && value !== false)) as Variable;

export const contentOf = ({ prompt_content, syntax, variables, example_variables }: Stored): PromptContent => ({
  prompt_content: prompt_content ?? '',
  syntax: syntax ?? 'mustache-strict-1',
  variables: (variables as Variable[]).map(declared),
  example_variables: example_variables as Record<string, PromptValue>,
});

/** As two people would write the same: what is not set is not there. */
export const normalized = (content: PromptContent): PromptContent => ({
  ...content,
  variables: content.variables.map(declared),
});

/** What a form begins with: what the version was saved with, else what its variables say themselves. */
export const examplesOf = ({ variables, example_variables }: PromptContent): Record<string, PromptValue> => ({
  ...Object.fromEntries(
    variables.flatMap(({ name, example }) => (example === null || example === undefined ? [] : [[name, example]])),
  ),
  ...example_variables,
});

/** What would be saved: variables the text uses and nobody declared yet come with it; a plain text has none. */
export const completed = (content: PromptContent): PromptContent => ({
  ...content,
  variables: isPlain(content.syntax) ? [] : [...content.variables.map(declared), ...proposedVariables(content)],
});

/** A choice that has nothing to choose from yet. */
export const withoutOptions = ({ variables }: PromptContent): string[] =>
  variables.flatMap(({ name, type, options }) => (type === 'enum' && !options?.length ? [name] : []));

const sorted = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one, sorted) === JSON.stringify(other, sorted);

export interface VariableDifference {
  name: string;
  kind: 'added' | 'removed' | 'changed';
}

export const variableDifferences = (from: PromptContent, to: PromptContent): VariableDifference[] => {
  const before = new Map(from.variables.map((variable) => [variable.name, variable]));
  const after = new Map(to.variables.map((variable) => [variable.name, variable]));
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const added = [...after.keys()].filter((name) => !before.has(name));
  const changed = [...after].filter(([name, one]) => before.has(name) && !isSame(before.get(name), one));
  return [
    ...added.map((name) => ({ name, kind: 'added' as const })),
    ...removed.map((name) => ({ name, kind: 'removed' as const })),
    ...changed.map(([name]) => ({ name, kind: 'changed' as const })),
  ];
};

/** What only they changed is theirs; what I changed stays mine. */
const mergedBy = <Value>(
  base: Record<string, Value>,
  theirs: Record<string, Value>,
  mine: Record<string, Value>,
): Record<string, Value> => {
  const isMine = (name: string): boolean => !isSame(base[name], mine[name]);
  const names = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = isMine(name) ? mine[name] : theirs[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
};

const byName = ({ variables }: PromptContent): Record<string, Variable> =>
  Object.fromEntries(variables.map((variable) => [variable.name, variable]));

/** My text on their version; declarations and examples of both. */
export const goneOnFrom = (base: PromptContent, theirs: PromptContent, mine: PromptContent): PromptContent => ({
  prompt_content: mine.prompt_content,
  syntax: base.syntax === mine.syntax ? theirs.syntax : mine.syntax,
  variables: Object.values(mergedBy(byName(base), byName(theirs), byName(mine))),
  example_variables: mergedBy(base.example_variables, theirs.example_variables, mine.example_variables),
});
