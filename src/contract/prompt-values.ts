import { PROMPT_LIMITS } from './prompt-limits.js';

/**
 * `string`: one line; `text`: any number of them. `integer`: whole, up to 2^53 - 1 either way; `number`: finite.
 * `enum`: one of `options`. `date`: RFC 3339, a date or a date with time and offset. `string[]`: a list of texts.
 */
export const PROMPT_VARIABLE_TYPES = [
  'string',
  'text',
  'integer',
  'number',
  'boolean',
  'enum',
  'date',
  'string[]',
] as const;

export type PromptVariableType = (typeof PROMPT_VARIABLE_TYPES)[number];

export type PromptValue = string | number | boolean | readonly string[];

/** What a value must be like. A rule that is null or absent does not hold anything back. */
export interface ValueRules {
  type: PromptVariableType;
  /** Bounds of an `integer` or `number`, both inclusive. */
  min?: number | null;
  max?: number | null;
  /** Characters (code points) of a `string` or `text`, or of each entry of a `string[]`. */
  max_length?: number | null;
  /** What an `enum` may be. */
  options?: readonly string[] | null;
  /** The value is a secret: no message, warning or log may repeat it. */
  sensitive?: boolean | null;
}

export type ValueProblemCode = 'wrong_type' | 'too_long' | 'out_of_range' | 'not_an_option';

/** Why a value does not fit. `message` follows the name of a field and never repeats a value. */
export interface ValueProblem {
  code: ValueProblemCode;
  message: string;
}

/** Options that a message lists. */
const SHOWN_OPTIONS = 10;

interface Form {
  /** Completes "must be". */
  says: string;
  fits: (value: unknown) => boolean;
}

const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/;
const DATE =
  /^(\d{4}-\d\d-\d\d)(?:[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;

const isText = (value: unknown): value is string => typeof value === 'string';

/** `2026-02-30` has the form of a date, but JavaScript moves it on to March: it does not come back as it was. */
const isDate = (value: unknown): boolean => {
  const day = isText(value) ? DATE.exec(value)?.[1] : undefined;
  if (day === undefined) return false;
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
};

const FORMS: Record<PromptVariableType, Form> = {
  string: {
    says: 'one line of text (type text may have more)',
    fits: (value) => isText(value) && !LINE_BREAK.test(value),
  },
  text: { says: 'a text', fits: isText },
  integer: { says: 'a whole number', fits: Number.isSafeInteger },
  number: { says: 'a number', fits: Number.isFinite },
  boolean: { says: 'true or false', fits: (value) => typeof value === 'boolean' },
  enum: { says: 'a text, one of its options', fits: isText },
  date: { says: 'a date such as 2026-11-30, or a time such as 2026-11-30T08:00:00+08:00', fits: isDate },
  // Spread, since `every` passes over the holes of a sparse array.
  'string[]': { says: 'a list of texts', fits: (value) => Array.isArray(value) && [...value].every(isText) },
};

const rangeOf = (min: number | null | undefined, max: number | null | undefined): string => {
  if (typeof min !== 'number') return `of at most ${max}`;
  return typeof max === 'number' ? `from ${min} to ${max}` : `of at least ${min}`;
};

const rangeProblem = ({ type, min, max }: ValueRules, value: number): ValueProblem | null =>
  value >= (min ?? -Infinity) && value <= (max ?? Infinity)
    ? null
    : { code: 'out_of_range', message: `must be ${FORMS[type].says} ${rangeOf(min, max)}` };

const sizeProblem = (texts: readonly string[]): ValueProblem | null => {
  const { listEntries, valueBytes } = PROMPT_LIMITS;
  if (texts.length > listEntries) return { code: 'too_long', message: `must have at most ${listEntries} entries` };
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes > valueBytes ? { code: 'too_long', message: `must have at most ${valueBytes} bytes` } : null;
};

const lengthProblem = ({ type, max_length }: ValueRules, texts: readonly string[]): ValueProblem | null => {
  const most = max_length ?? Infinity;
  // A text has at most as many characters as code units, so most need no counting.
  if (texts.every((text) => text.length <= most || [...text].length <= most)) return null;
  const subject = type === 'string[]' ? 'must have entries of' : 'must have';
  return { code: 'too_long', message: `${subject} at most ${most} characters` };
};

const optionProblem = ({ type, options, sensitive }: ValueRules, texts: readonly string[]): ValueProblem | null => {
  if (type !== 'enum' || texts.every((text) => options?.includes(text))) return null;
  const shown = sensitive ? 'its options' : listed(options ?? []);
  return { code: 'not_an_option', message: `must be one of ${shown}` };
};

const listed = (options: readonly string[]): string =>
  options.slice(0, SHOWN_OPTIONS).join(', ') + (options.length > SHOWN_OPTIONS ? ', …' : '');

/** Says why `value` is not what `rules` ask for, or null. Whether there has to be one is not its question. */
export const valueProblem = (rules: ValueRules, value: unknown): ValueProblem | null => {
  const form = FORMS[rules.type];
  if (!form.fits(value)) return { code: 'wrong_type', message: `must be ${form.says}` };
  if (typeof value === 'number') return rangeProblem(rules, value);
  if (typeof value === 'boolean') return null;
  const texts = isText(value) ? [value] : (value as readonly string[]);
  return sizeProblem(texts) ?? lengthProblem(rules, texts) ?? optionProblem(rules, texts);
};
