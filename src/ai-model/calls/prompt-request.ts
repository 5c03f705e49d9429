import { isPlainObject } from '../../contract/fields.js';
import { LABEL_FORM, LABEL_PATTERN, toSelector, type PromptSelector } from '../../contract/prompt-names.js';
import { AppError } from '../../platform/errors/app-error.js';

/** What a call says of its system prompt: `prompt_template: {name, label | version, variables}`. */
export interface PromptRequest {
  name: string;
  selector: PromptSelector;
  values: Readonly<Record<string, unknown>>;
}

const MEMBERS = new Set(['name', 'label', 'version', 'variables']);
const MOST_VERSIONS = 2_147_483_647;

const refuse = (member: string | null, problem: string): AppError => {
  const param = member === null ? 'prompt_template' : `prompt_template.${member}`;
  return new AppError('validation_failed', { detail: `${param} ${problem}.`, param });
};

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const isVersion = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_VERSIONS;

/** Null and absent mean that the model's own default is used. Throws `validation_failed`. */
export const readPromptRequest = (sent: unknown): PromptRequest | null => {
  if (!isGiven(sent)) return null;
  if (!isPlainObject(sent)) throw refuse(null, 'must be an object with name, label or version, and variables');
  const unknown = Object.keys(sent).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) throw refuse(unknown.slice(0, 64), 'is not known here');
  const { name, label, version, variables } = sent;
  if (typeof name !== 'string' || name === '' || name.length > 100)
    throw refuse('name', 'must be the name of a prompt');
  if (isGiven(label) && !(typeof label === 'string' && LABEL_PATTERN.test(label)))
    throw refuse('label', `must be ${LABEL_FORM}`);
  if (isGiven(version) && !isVersion(version)) throw refuse('version', 'must be the number of a version');
  if (isGiven(variables) && !isPlainObject(variables)) throw refuse('variables', 'must be an object of values by name');
  const selector = toSelector(label as string | null | undefined, version as number | null | undefined);
  if (selector === 'both') throw refuse('version', 'must not be given together with a label');
  return { name, selector, values: isPlainObject(variables) ? variables : {} };
};
