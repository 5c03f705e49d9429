import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { JsonObjectEnd } from './json-object-end.js';

const isReachedAfter = (...pieces: string[]): boolean => {
  const end = new JsonObjectEnd();
  for (const piece of pieces) end.push(piece);
  return end.isReached;
};

describe('the end of a JSON object', () => {
  it.each([
    [[''], false],
    [['  '], false],
    [['"{}"'], false],
    [['{}'], true],
    [['{', '}', '\n'], true],
    [['{"a":"}', '"'], false],
    [['{"a":"}', '"}'], true],
    [['{"a":"\\', '"}"'], false],
    [['{"a":"\\', '"}"', '}'], true],
    [['{"a":[{}', ']'], false],
    [['{"a":[{}', ']}'], true],
  ])('in %j: %s', (pieces, expected) => {
    expect(isReachedAfter(...pieces)).toBe(expected);
  });

  it('is reached with the last character of any object, and not before', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(object, fc.boolean(), (value, isSpaced) => {
        const json = JSON.stringify(value, null, isSpaced ? 2 : 0);
        const end = new JsonObjectEnd();
        for (const [index, character] of [...json].entries()) {
          end.push(character);
          expect(end.isReached).toBe(index === [...json].length - 1);
        }
      }),
    );
  });
});
