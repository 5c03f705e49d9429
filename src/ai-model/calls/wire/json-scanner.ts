/** Why a text cannot be edited; `too_many_members` keeps a body of millions of tiny members from filling the memory. */
export type JsonShapeReason = 'not_an_object' | 'too_deep' | 'too_many_members' | 'malformed';

/** The text is not a JSON object we are willing to work on. */
export class JsonShapeError extends Error {
  override readonly name = 'JsonShapeError';

  constructor(readonly reason: JsonShapeReason) {
    super(`JSON object refused: ${reason}`);
  }
}

/** One member of the top level. Positions are byte offsets, ends are exclusive, the key's quotes are inside its range. */
export interface Member {
  /** Decoded: `"\u006dodel"` and `"model"` are the same key for every reader, so they must be for us. */
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** Where the top level of a JSON object has its braces and members; a key that occurs twice is listed twice. */
export interface TopLevel {
  readonly open: number;
  readonly close: number;
  readonly members: readonly Member[];
}

export interface ScanLimits {
  /** Containers inside each other, the object itself counted as 1. */
  readonly depth: number;
  /** Members of the top level; 10 000 when not given, a chat call has some thirty. */
  readonly members?: number;
}

export const DEFAULT_SCAN_LIMITS: ScanLimits = { depth: 64 };
const DEFAULT_MAX_MEMBERS = 10_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Bytes looked at one by one before a search is worth its call: most strings of a body are short. */
const SHORT_STRING = 64;

/**
 * Finds the members of a JSON object without building them: one pass, long strings skipped by search.
 * The text is expected to have passed JSON.parse; on any other text the result may be nonsense, but it ends and stays
 * inside the buffer.
 */
export const scanTopLevel = (text: Buffer, limits: ScanLimits): TopLevel => {
  const open = skipBlank(text, text.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0);
  if (text[open] !== OPEN_BRACE) throw new JsonShapeError('not_an_object');
  if (limits.depth < 1) throw new JsonShapeError('too_deep');
  const { members, close } = readMembers(text, open + 1, limits);
  if (skipBlank(text, close + 1) !== text.length) throw new JsonShapeError('malformed');
  return { open, close, members };
};

const readMembers = (text: Buffer, from: number, limits: ScanLimits): { members: Member[]; close: number } => {
  const maxMembers = limits.members ?? DEFAULT_MAX_MEMBERS;
  const members: Member[] = [];
  let at = skipBlank(text, from);
  if (text[at] === CLOSE_BRACE) return { members, close: at };
  for (;;) {
    if (members.length >= maxMembers) throw new JsonShapeError('too_many_members');
    const member = readMember(text, at, limits.depth);
    members.push(member);
    at = skipBlank(text, member.valueEnd);
    if (text[at] === CLOSE_BRACE) return { members, close: at };
    at = skipBlank(text, expect(text, at, COMMA));
  }
};

const readMember = (text: Buffer, keyStart: number, depth: number): Member => {
  const keyEnd = skipString(text, expect(text, keyStart, QUOTE));
  const valueStart = skipBlank(text, expect(text, skipBlank(text, keyEnd), COLON));
  const valueEnd = skipValue(text, valueStart, depth);
  return { key: decodeKey(text, keyStart, keyEnd), keyStart, keyEnd, valueStart, valueEnd };
};

const decodeKey = (text: Buffer, start: number, end: number): string => {
  const literal = text.toString('utf8', start, end);
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw new JsonShapeError('malformed');
  }
};

/** The position behind the value that begins at `at`. */
export const skipValue = (text: Buffer, at: number, depth: number): number => {
  const first = text[at];
  if (first === QUOTE) return skipString(text, at + 1);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(text, at, depth);
  return skipScalar(text, at);
};

/** Only counts brackets: whether they match in kind was JSON.parse's question. */
const skipContainer = (text: Buffer, from: number, maxDepth: number): number => {
  let depth = 1;
  let at = from;
  while (at < text.length) {
    const byte = text[at];
    at += 1;
    if (byte === QUOTE) {
      at = skipString(text, at);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > maxDepth) throw new JsonShapeError('too_deep');
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 1) return at;
    }
  }
  throw new JsonShapeError('malformed');
};

/**
 * From the first byte inside a string to the byte after its closing quote. Looks byte by byte for a while, then
 * searches for quotes, and starts over after an escaped one: so neither a 30 MB image nor a text full of escaped quotes
 * is slow.
 */
const skipString = (text: Buffer, from: number): number => {
  let at = from;
  for (;;) {
    const near = Math.min(at + SHORT_STRING, text.length);
    while (at < near) {
      const byte = text[at];
      if (byte === QUOTE) return at + 1;
      at += byte === BACKSLASH ? 2 : 1;
    }
    const quote = text.indexOf(QUOTE, at);
    // indexOf would count a position behind the end as the end, and find nothing there either way.
    if (quote === -1) throw new JsonShapeError('malformed');
    if (!isEscaped(text, quote, at)) return quote + 1;
    at = quote + 1;
  }
};

/** An odd number of backslashes before the quote; `from` is known not to be in the middle of an escape. */
const isEscaped = (text: Buffer, quote: number, from: number): boolean => {
  let backslash = quote;
  while (backslash > from && text[backslash - 1] === BACKSLASH) backslash -= 1;
  return (quote - backslash) % 2 === 1;
};

/** A number, `true`, `false` or `null`: whatever stands before the next structural byte or blank. */
const skipScalar = (text: Buffer, from: number): number => {
  let at = from;
  while (at < text.length && isScalarByte(text[at])) at += 1;
  if (at === from) throw new JsonShapeError('malformed');
  return at;
};

/** Letters, digits, `+`, `-`, `.`. */
const isScalarByte = (byte: number | undefined): boolean =>
  byte !== undefined &&
  ((byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x45 ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e);

/** The position of what comes next. */
export const skipBlank = (text: Buffer, from: number): number => {
  let at = from;
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at += 1;
  return at;
};

const expect = (text: Buffer, at: number, byte: number): number => {
  if (text[at] !== byte) throw new JsonShapeError('malformed');
  return at + 1;
};
