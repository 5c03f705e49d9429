import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { VARIABLE_NAME } from '../../contract/declarative.contract.js';
import { variablePrefixes } from './variable-names.js';

const namesOf = (...aliases: string[]): (string | undefined)[] => {
  const prefixes = variablePrefixes(aliases);
  return aliases.map((alias) => prefixes.get(alias));
};

describe('variablePrefixes', () => {
  it.each([
    ['fast', 'FAST'],
    ['gpt-4o', 'GPT_4O'],
    ['claude-3.5', 'CLAUDE_3_5'],
    ['team/search:v2', 'TEAM_SEARCH_V2'],
    ['4o', 'MODEL_4O'],
    ['a--b..', 'A_B'],
  ])('%s is %s', (alias, prefix) => {
    expect(namesOf(alias)).toEqual([prefix]);
  });

  it('gives aliases that come to one name different ones; the plain alias keeps it', () => {
    const [plain, dot, upper] = namesOf('a-b', 'a.b', 'A-B');
    expect(plain).toBe('A_B');
    expect(dot).toMatch(/^A_B__[0-9A-F]{16}$/);
    expect(upper).toMatch(/^A_B__[0-9A-F]{16}$/);
    expect(dot).not.toBe(upper);
    // Nor can an alias be made to look like one of them.
    expect(namesOf('a-b', 'a.b', `a-b--${String(dot).slice(5).toLowerCase()}`)[2]).not.toBe(dot);
    expect(namesOf('4o', 'model-4o')).toEqual([expect.stringMatching(/^MODEL_4O__/), 'MODEL_4O']);
  });

  it('never depends on the order, and never gives one name twice', () => {
    const alias = fc.string({ unit: fc.constantFrom(...'aAbB1-._:/'), minLength: 1, maxLength: 5 });
    const valid = alias.filter((text) => /^[A-Za-z0-9]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(valid, { maxLength: 30 }), (aliases) => {
        const prefixes = variablePrefixes(aliases);
        expect(new Set(prefixes.values()).size).toBe(aliases.length);
        for (const prefix of prefixes.values()) expect(`${prefix}_AUTH_HEADERS`).toMatch(VARIABLE_NAME);
        // Maps are compared without their order.
        expect(variablePrefixes(aliases.toReversed())).toEqual(prefixes);
      }),
    );
  });
});
