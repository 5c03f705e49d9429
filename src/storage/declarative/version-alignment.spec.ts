import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { alignVersions, type DocumentVersion } from './version-alignment.js';

const documentOf = (texts: string): DocumentVersion[] =>
  [...texts].map((text, index) => ({ number: index + 1, content: { prompt_content: text }, contentSha256: text }));
const storedOf = (texts: string): { version: number; contentSha256: string }[] =>
  [...texts].map((text, index) => ({ version: index + 1, contentSha256: text }));

/** Each letter is a text. */
const align = (document: string, stored: string): { after: string; numbers: number[] } => {
  const { toAdd, numberOf } = alignVersions(documentOf(document), storedOf(stored));
  return { after: stored + toAdd.map(({ contentSha256 }) => contentSha256).join(''), numbers: [...numberOf.values()] };
};

describe('alignVersions', () => {
  it.each([
    ['the same', 'ABA', 'ABA', 'ABA', [1, 2, 3]],
    ['nothing is there yet', 'ABA', '', 'ABA', [1, 2, 3]],
    ['the document is newer', 'ABC', 'A', 'ABC', [1, 2, 3]],
    ['the document is older: its last text becomes the newest', 'AB', 'ABC', 'ABCB', [1, 2]],
    ['they differ in between', 'AXC', 'ABC', 'ABCXC', [1, 4, 5]],
    ['something was saved here that the document has not', 'ABD', 'ABCD', 'ABCD', [1, 2, 4]],
    ['only the newest text is in the document', 'C', 'ABC', 'ABC', [3]],
    ['nothing in common', 'XY', 'AB', 'ABXY', [3, 4]],
    ['a text twice in a row', 'AABB', '', 'AB', [1, 1, 2, 2]],
    ['no texts', '', 'AB', 'AB', []],
  ])('%s', (_what, document, stored, after, numbers) => {
    expect(align(document, stored)).toEqual({ after, numbers });
  });

  it('leaves nothing to add the second time, and ends in the last text of the document', () => {
    const letters = fc.string({ unit: fc.constantFrom('A', 'B', 'C'), maxLength: 8 });
    // Two equal texts never follow each other in what is stored.
    const stored = letters.map((texts) => texts.replaceAll(/(.)\1+/g, '$1'));
    fc.assert(
      fc.property(letters, stored, (document, before) => {
        const { after, numbers } = align(document, before);
        expect(after.startsWith(before)).toBe(true);
        expect(after).not.toMatch(/(.)\1/);
        expect(numbers.map((number) => after[number - 1]).join('')).toBe(document);
        if (document !== '') expect(after.at(-1)).toBe(document.at(-1));
        expect(align(document, after)).toEqual({ after, numbers });
      }),
      { numRuns: 2000 },
    );
  });
});
