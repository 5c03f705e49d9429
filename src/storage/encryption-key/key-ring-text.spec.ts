import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyRing } from '../crypto/key-ring.js';
import { withKeyFirst, withKeyLast, withoutKey } from './key-ring-text.js';

const entry = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const keysOf = (text: string): Record<string, Buffer> => {
  const ring = KeyRing.parse(text);
  return Object.fromEntries(ring.keyIds.map((id) => [id, ring.wrappingKey(id).export()]));
};

const ids = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), { minLength: 2, maxLength: 6 });
/** As people write it: with spaces and line ends around the parts. */
const written = fc
  .tuple(ids, fc.constantFrom(',', ', ', ',\n', ' , '), fc.constantFrom('', ' ', '\n'))
  .map(([names, comma, edge]) => ({
    names,
    text: `${edge}${names.map((id) => entry(id).replace(':', edge === ' ' ? ' : ' : ':')).join(comma)}${edge}`,
  }));

describe("edits of a ring's text", () => {
  it('add a key behind the others and leave those as they are', () => {
    fc.assert(
      fc.property(written, ({ names, text }) => {
        const next = withKeyLast(text, entry('the-one-that-is-added-here-at-32'));
        expect(KeyRing.parse(next).keyIds).toEqual([...names, 'the-one-that-is-added-here-at-32']);
        expect(keysOf(next)).toMatchObject(keysOf(text));
      }),
    );
  });

  it('put a key in front and keep every other in its order', () => {
    fc.assert(
      fc.property(written, fc.nat(), ({ names, text }, at) => {
        const first = names[at % names.length] as string;
        const next = withKeyFirst(text, first);
        expect(KeyRing.parse(next).keyIds).toEqual([first, ...names.filter((id) => id !== first)]);
        expect(keysOf(next)).toEqual(keysOf(text));
      }),
    );
  });

  it('take one key out and no other', () => {
    fc.assert(
      fc.property(written, fc.nat(), ({ names, text }, at) => {
        const gone = names[at % names.length] as string;
        const { [gone]: _gone, ...rest } = keysOf(text);
        const next = withoutKey(text, gone);
        expect(KeyRing.parse(next).keyIds).toEqual(names.filter((id) => id !== gone));
        expect(keysOf(next)).toEqual(rest);
      }),
    );
  });
});
