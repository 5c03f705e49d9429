import { toVariableName } from '../../contract/prompt-variables.js';
import type { ErrorList } from './template-errors.js';

/** A literal or a tag; `at` is its offset in the text. */
export type Token =
  | { kind: 'text'; at: number; text: string }
  | { kind: 'item'; at: number }
  | NamedToken<'value'>
  | NamedToken<'section'>
  | NamedToken<'inverted_section'>
  | NamedToken<'end'>;

interface NamedToken<Kind> {
  kind: Kind;
  at: number;
  name: string;
}

const KINDS = new Map<string | undefined, 'section' | 'inverted_section' | 'end'>([
  ['#', 'section'],
  ['^', 'inverted_section'],
  ['/', 'end'],
]);

const BACKSLASH = 0x5c;

/** A character that no attempt at a name has: what stands there means something in another language. */
const FOREIGN = /[^\p{L}\p{M}\p{N}_\-\s]/u;

/**
 * Splits a text into literals and tags. Every `{{` and every `}}` is searched for once, from where the one before it
 * was found, so the work grows with the text and with nothing else.
 *
 * Backslashes count directly before `{{` alone: two of them write one, and one left over makes the braces literal.
 */
export const scan = (text: string, errors: ErrorList): Token[] => {
  const tokens: Token[] = [];
  let literalStart = 0;
  const takeLiteral = (end: number): void => {
    if (end > literalStart) tokens.push({ kind: 'text', at: literalStart, text: text.slice(literalStart, end) });
  };
  let close = 0;
  for (let open = text.indexOf('{{'), next = open; open !== -1; open = next) {
    next = text.indexOf('{{', open + 2);
    const backslashes = backslashesBefore(text, open);
    takeLiteral(open - Math.ceil(backslashes / 2));
    literalStart = open;
    if (backslashes % 2 === 1) continue;
    if (close !== -1 && close < open + 2) close = text.indexOf('}}', open + 2);
    if (close === -1 || (next !== -1 && next < close)) {
      errors.add(next === open + 2 ? 'unknown_syntax' : 'unclosed_tag', open);
      continue;
    }
    const tag = readTag(text.slice(open + 2, close).trim(), open, errors);
    if (tag) tokens.push(tag);
    literalStart = close + 2;
  }
  takeLiteral(text.length);
  return tokens;
};

/** Null for a note, and for what was reported as an error. */
const readTag = (content: string, at: number, errors: ErrorList): Token | null => {
  if (content.startsWith('!')) return null;
  if (content === '.') return { kind: 'item', at };
  const kind = KINDS.get(content[0]);
  const written = kind ? content.slice(1).trim() : content;
  const name = toVariableName(written);
  if (name !== null) return { kind: kind ?? 'value', at, name };
  errors.add(FOREIGN.test(written) ? 'unknown_syntax' : 'bad_name', at);
  return null;
};

const backslashesBefore = (text: string, at: number): number => {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return at - first;
};

/**
 * Writes `text` as a template that renders to it, whatever is in it. It is meant to be a whole template: text that ends
 * in a brace or a backslash would run into a tag put behind it.
 */
export const escapeTemplate = (text: string): string => {
  let escaped = '';
  let from = 0;
  for (let at = text.indexOf('{{'); at !== -1; at = text.indexOf('{{', from)) {
    const backslashes = backslashesBefore(text, at);
    escaped += `${text.slice(from, at)}${'\\'.repeat(backslashes + 1)}{{`;
    from = at + 2;
  }
  return escaped + text.slice(from);
};
