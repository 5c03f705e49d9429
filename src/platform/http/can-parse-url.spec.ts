import { describe, expect, it } from '@jest/globals';
import { canParseUrl } from './can-parse-url.js';

describe('canParseUrl', () => {
  it('gives the same answer however often it is asked', () => {
    const answers = new Set<boolean>();
    for (let index = 0; index < 50_000; index += 1) answers.add(canParseUrl('https://exämple.com/v1'));
    expect([...answers]).toEqual([true]);
  });

  it.each(['', 'example.com', 'https://', 'https://[::1', '//example.com'])('refuses %s', (text) => {
    expect(canParseUrl(text)).toBe(false);
  });
});
