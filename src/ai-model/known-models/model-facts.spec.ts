import { describe, expect, it } from '@jest/globals';
import { asContextWindow, asMaxTokens, asName, asPrice } from './model-facts.js';

describe('values that are no facts', () => {
  it.each([0, -1, 1.5, Number.NaN, Infinity, '4096', null, undefined, true, [], 2 ** 53])(
    '%p is no count of tokens',
    (value) => {
      expect([asContextWindow(value), asMaxTokens(value)]).toEqual([null, null]);
    },
  );

  it('counts stay within what a config can hold', () => {
    expect([asContextWindow(100_000_000), asContextWindow(100_000_001)]).toEqual([100_000_000, null]);
    expect([asMaxTokens(10_000_000), asMaxTokens(10_000_001)]).toEqual([10_000_000, null]);
  });

  it.each([-1, '-1', 'free', '', '1e5', ' 1', Number.NaN, Infinity, null, undefined, {}, 1_000_001])(
    '%p is no price',
    (value) => {
      expect(asPrice(value)).toBeNull();
    },
  );

  it('prices are as precise as the database, without the noise of doubles', () => {
    expect(asPrice('0.00000015', 1)).toBe(0.15);
    expect(asPrice('0.0000036', 1)).toBe(3.6);
    expect(asPrice(0.1 + 0.2)).toBe(0.3);
    expect(asPrice('0')).toBe(0);
    expect(asPrice(1_000_000)).toBe(1_000_000);
  });

  it.each(['', 'a\nb', 'a\0b', '\ud800', 'x'.repeat(201), 7, null, undefined, {}])('%j is no name', (value) => {
    expect(asName(value)).toBeNull();
  });

  it('names may be in any language', () => {
    expect(asName('GLM-4.7 智谱 🚀')).toBe('GLM-4.7 智谱 🚀');
    expect(asName('🚀'.repeat(200))).toBe('🚀'.repeat(200));
  });
});
