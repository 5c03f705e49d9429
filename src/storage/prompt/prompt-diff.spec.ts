import { describe, expect, it } from '@jest/globals';
import { applyPatch } from 'diff';
import * as fc from 'fast-check';
import { replaceAll } from './prompt-diff.js';

describe('a diff that replaces every line', () => {
  it.each([
    ['a', 'b', '--- v1\n+++ v2\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n'],
    ['a\nb\n', 'c\n', '--- v1\n+++ v2\n@@ -1,2 +1,1 @@\n-a\n-b\n+c\n'],
  ])('%j to %j', (from, to, expected) => {
    expect(replaceAll('v1', 'v2', from, to)).toBe(expected);
  });

  it('applies to what it was made from', () => {
    const text = fc
      .array(fc.constantFrom('a', '', '-x', '+y', '\\ z', '@@ -1 +1 @@', 'ü中'), { minLength: 1, maxLength: 6 })
      .map((lines) => lines.join('\n'))
      .filter((joined) => joined !== '');
    fc.assert(
      fc.property(text, text, (from, to) => {
        expect(applyPatch(from, replaceAll('v1', 'v2', from, to))).toBe(to);
      }),
    );
  });
});
