/** Levels of any JSON body. */
export const MAX_DEPTH = 64;
/** A chat call has some hundred, a batch of usage eighty thousand; parsed, each costs a hundred times its bytes. */
const MAX_VALUES = 100_000;

/** Where a route takes more than others. */
export interface JsonLimits {
  maxValues?: number;
  maxDepth?: number;
}

/** Too short to cost much, whatever is in it. */
const CHEAP_BYTES = 16_384;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const BRACE_BIT = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;

const isEscaped = (bytes: Buffer, quote: number): boolean => {
  let backslash = quote - 1;
  while (bytes[backslash] === BACKSLASH) backslash -= 1;
  return (quote - backslash) % 2 === 0;
};

/** The position after the closing quote; searched for, so that a large image costs next to nothing. */
const skipString = (bytes: Buffer, from: number): number => {
  let quote = bytes.indexOf(QUOTE, from);
  while (quote !== -1 && isEscaped(bytes, quote)) quote = bytes.indexOf(QUOTE, quote + 1);
  return quote === -1 ? bytes.length : quote + 1;
};

/**
 * Says why a JSON text must not be parsed, or null: a few megabytes of brackets would hold up the whole process for
 * seconds. One pass over the bytes; whether they are valid JSON is the parser's question.
 */
export const costProblem = (
  bytes: Buffer,
  { maxValues = MAX_VALUES, maxDepth = MAX_DEPTH }: JsonLimits = {},
): string | null => {
  if (bytes.length <= CHEAP_BYTES) return null;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = skipString(bytes, at + 1) - 1;
    else if (byte === COMMA) values += 1;
    else if ((byte & ~BRACE_BIT) === OPEN) {
      depth += 1;
      values += 1;
      if (depth > maxDepth) return `The body must not be nested more than ${maxDepth} levels deep.`;
    } else if ((byte & ~BRACE_BIT) === CLOSE) depth -= 1;
    if (values > maxValues) return `The body must not have more than ${maxValues} values.`;
  }
  return null;
};
