import { DEFAULT_SCAN_LIMITS, skipBlank, skipValue } from './json-scanner.js';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Gives every item of a JSON list, as JSON text, to `edit` and puts what that answers in its place; every other byte stays
 * as it was. Returns `text` itself when no item changes, or when it is no list. The text has passed JSON.parse.
 */
export const editItems = (text: Buffer, edit: (item: Buffer) => Buffer): Buffer => {
  let at = skipBlank(text, 0);
  if (text[at] !== OPEN_BRACKET) return text;
  const pieces: Buffer[] = [];
  let copied = 0;
  at = skipBlank(text, at + 1);
  while (at < text.length && text[at] !== CLOSE_BRACKET) {
    const end = skipValue(text, at, DEFAULT_SCAN_LIMITS.depth);
    const item = text.subarray(at, end);
    const edited = edit(item);
    if (edited !== item) {
      pieces.push(text.subarray(copied, at), edited);
      copied = end;
    }
    const next = skipBlank(text, end);
    at = text[next] === CLOSE_BRACKET ? next : skipBlank(text, next + 1);
  }
  return pieces.length === 0 ? text : Buffer.concat([...pieces, text.subarray(copied)]);
};
