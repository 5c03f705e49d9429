import { isPlainObject } from './fields.js';
import { PROMPT_LIMITS } from './prompt-limits.js';
import {
  PROMPT_VARIABLE_TYPES,
  valueProblem,
  type PromptValue,
  type PromptVariableType,
  type ValueRules,
} from './prompt-values.js';

/** How a prompt's text is read. Stored with every version, so that a later language never reinterprets an old text. */
export const PROMPT_SYNTAXES = ['plain', 'mustache-strict-1'] as const;
export type PromptSyntax = (typeof PROMPT_SYNTAXES)[number];

/** A variable as a prompt declares it. Everything but `name` and `type` may be absent or null: not set. */
export interface PromptVariable extends ValueRules {
  /** A letter of any language, then up to 63 letters, digits or underscores; compared after NFC. */
  name: string;
  /** A call without it is refused, unless there is a `default`. */
  required?: boolean | null;
  /** Stands in when no value, or null, is given. */
  default?: PromptValue | null;
  description?: string | null;
  /** Fills forms and previews; never a call. */
  example?: PromptValue | null;
  /** The value comes from strangers: it is written inside a delimiter tag that it cannot close. */
  untrusted?: boolean | null;
}

/** One field that is wrong, such as `variables[2].default`. */
export interface VariablesProblem {
  field: string;
  message: string;
}

const NAME = /^\p{L}[\p{L}\p{N}_]{0,63}$/u;

/** What a name must be, in words. */
export const VARIABLE_NAME_FORM = 'a letter followed by up to 63 letters, digits or underscores';

/** 64 letters, each written as four code points of two units at most; normalizing a longer text can take quadratic time. */
const MAX_UNITS = 512;

/** The name after NFC, or null when it is none. */
export const toVariableName = (text: string): string | null => {
  if (text.length > MAX_UNITS) return null;
  const name = text.normalize('NFC');
  return NAME.test(name) ? name : null;
};

/** True for a value that is there: null means "not set", as everywhere on the wire. */
export const isSet = <Value>(value: Value | null | undefined): value is Value => value !== null && value !== undefined;

interface FieldRule {
  /** Follows the field's name. */
  says: string;
  fits: (value: unknown, type: PromptVariableType) => boolean;
  /** Types the field means something for; absent: all. */
  types?: readonly PromptVariableType[];
}

const {
  variables: maxVariables,
  options: maxOptions,
  optionCharacters,
  descriptionCharacters,
  valueBytes,
} = PROMPT_LIMITS;

const isText = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'string' && value.length >= least && [...value].length <= most;

const isOptionList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= maxOptions &&
  [...value].every((option) => isText(option, 1, optionCharacters)) &&
  new Set(value).size === value.length;

const isLength = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= valueBytes;

const FLAG: FieldRule = { says: 'must be true or false', fits: (value) => typeof value === 'boolean' };
/** A bound is itself a value of the type it bounds. */
const BOUND: FieldRule = {
  says: 'must be a number, for type integer a whole one',
  fits: (value, type) => valueProblem({ type }, value) === null,
  types: ['integer', 'number'],
};
const TEXTUAL: readonly PromptVariableType[] = ['string', 'text', 'string[]'];
/** Looked at once the rules they have to fit are known to be right. */
const CHECKED_LAST: FieldRule = { says: '', fits: () => true };

const FIELDS: Record<keyof PromptVariable, FieldRule> = {
  name: {
    says: `must be ${VARIABLE_NAME_FORM}`,
    fits: (value) => typeof value === 'string' && toVariableName(value) !== null,
  },
  type: {
    says: `must be one of ${PROMPT_VARIABLE_TYPES.join(', ')}`,
    fits: (value) => PROMPT_VARIABLE_TYPES.some((type) => type === value),
  },
  required: FLAG,
  default: CHECKED_LAST,
  min: BOUND,
  max: BOUND,
  max_length: { says: `must be a whole number from 1 to ${valueBytes}`, fits: isLength, types: TEXTUAL },
  options: {
    says: `must be a list of 1 to ${maxOptions} different texts of 1 to ${optionCharacters} characters`,
    fits: isOptionList,
    types: ['enum'],
  },
  description: {
    says: `must be a text of at most ${descriptionCharacters} characters`,
    fits: (value) => isText(value, 0, descriptionCharacters),
  },
  example: CHECKED_LAST,
  sensitive: FLAG,
  untrusted: { ...FLAG, types: TEXTUAL },
};

const FIELD_NAMES = Object.keys(FIELDS) as (keyof PromptVariable)[];
/** Problems listed of one declaration: enough to work on, however broken it is. */
const MAX_PROBLEMS = 50;

/**
 * What is wrong with a list of variables as it arrived: unknown fields, wrong shapes, rules that contradict each other,
 * a default or example that its own rules refuse. Empty: it is a `PromptVariable[]`. Values are never repeated.
 */
export const variablesProblem = (value: unknown): VariablesProblem[] => {
  if (!Array.isArray(value)) return [problem('variables', 'must be a list')];
  if (value.length > maxVariables) return [problem('variables', `must have at most ${maxVariables} entries`)];
  const entries: unknown[] = [...value];
  return [
    ...entries.flatMap((entry, index) => entryProblems(entry, `variables[${index}]`)),
    ...repeatedNames(entries),
  ].slice(0, MAX_PROBLEMS);
};

const problem = (field: string, says: string): VariablesProblem => ({ field, message: `${field} ${says}` });

const entryProblems = (entry: unknown, path: string): VariablesProblem[] => {
  if (!isPlainObject(entry)) return [problem(path, 'must be an object')];
  const wrong = [...unknownFields(entry, path), ...FIELD_NAMES.flatMap((name) => fieldProblems(entry, name, path))];
  return wrong.length > 0 ? wrong : ruleProblems(entry as unknown as PromptVariable, path);
};

const unknownFields = (entry: Record<string, unknown>, path: string): VariablesProblem[] =>
  Object.keys(entry)
    .filter((key) => !Object.hasOwn(FIELDS, key))
    .map((key) => problem(`${path}.${key.slice(0, 64).toWellFormed()}`, 'is not known here'));

const fieldProblems = (
  entry: Record<string, unknown>,
  name: keyof PromptVariable,
  path: string,
): VariablesProblem[] => {
  const { says, fits, types } = FIELDS[name];
  const value = entry[name];
  const type = entry['type'] as PromptVariableType;
  if (!isSet(value) && name !== 'name' && name !== 'type') return [];
  if (types && !types.includes(type)) {
    const isMeant = value !== false && FIELDS.type.fits(type, type);
    return isMeant ? [problem(`${path}.${name}`, `is for type ${types.join(', ')} alone`)] : [];
  }
  return fits(value, type) ? [] : [problem(`${path}.${name}`, says)];
};

/** What must hold between the fields of a variable, each of which is right by itself. */
const ruleProblems = (variable: PromptVariable, path: string): VariablesProblem[] => {
  const { type, min, max, options } = variable;
  if (isSet(min) && isSet(max) && min > max) return [problem(`${path}.min`, 'must not be greater than max')];
  if (type === 'enum' && !isSet(options)) return [problem(`${path}.options`, 'must be given for type enum')];
  return (['default', 'example'] as const).flatMap((name) => {
    const value = variable[name];
    const misfit = isSet(value) ? valueProblem(variable, value) : null;
    return misfit ? problem(`${path}.${name}`, misfit.message) : [];
  });
};

const repeatedNames = (entries: readonly unknown[]): VariablesProblem[] => {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const name = isPlainObject(entry) && typeof entry['name'] === 'string' ? toVariableName(entry['name']) : null;
    if (name === null) return [];
    if (seen.has(name)) return problem(`variables[${index}].name`, 'must not repeat the name of a variable before it');
    seen.add(name);
    return [];
  });
};

/**
 * The one form variables are stored and shown in: every field there, in one order, null when not set, names in NFC. So
 * equal declarations are equal texts.
 */
export const normalizedVariables = (variables: readonly PromptVariable[]): PromptVariable[] =>
  variables.map((variable) => ({
    name: variable.name.normalize('NFC'),
    type: variable.type,
    required: variable.required ?? false,
    default: variable.default ?? null,
    min: variable.min ?? null,
    max: variable.max ?? null,
    max_length: variable.max_length ?? null,
    options: variable.options ?? null,
    description: variable.description ?? null,
    example: variable.example ?? null,
    sensitive: variable.sensitive ?? false,
    untrusted: variable.untrusted ?? false,
  }));

/** Names of the variables that keep a prompt from being a model's default: a call gives a default prompt no values. */
export const requiredWithoutDefault = (variables: readonly PromptVariable[]): string[] =>
  variables
    .filter((variable) => variable.required && !isSet(variable.default))
    .map(({ name }) => name.normalize('NFC'));
