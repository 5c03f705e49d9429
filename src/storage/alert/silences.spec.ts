import { describe, expect, it } from '@jest/globals';
import { isSilenced, type Silence } from './silences.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const aSilence = (fields: Partial<Silence> = {}): Silence => ({
  ruleName: null,
  subject: null,
  startsAt: at(10),
  endsAt: at(20),
  ...fields,
});

describe('isSilenced', () => {
  it.each([
    [9, false],
    [10, true],
    [19, true],
    [20, false],
  ])('from its beginning until its end: minute %i is %s', (minute, expected) => {
    expect(isSilenced([aSilence()], 'error-rate', 'fast', at(minute))).toBe(expected);
  });

  it.each([
    [{}, true],
    [{ ruleName: 'error-rate' }, true],
    [{ ruleName: 'error-rat' }, false],
    [{ subject: 'fast' }, true],
    [{ subject: 'fas' }, false],
    [{ subject: 'fa*' }, true],
    [{ subject: 'fast*' }, true],
    [{ subject: '*' }, true],
    [{ subject: 'slow*' }, false],
    [{ ruleName: 'error-rate', subject: 'fast' }, true],
    [{ ruleName: 'error-rate', subject: 'slow' }, false],
    [{ ruleName: 'spend', subject: 'fast' }, false],
  ])('covers the rule and the subject it names: %j is %s', (fields, expected) => {
    expect(isSilenced([aSilence(fields)], 'error-rate', 'fast', at(15))).toBe(expected);
  });

  it('is so as soon as one of them covers it', () => {
    expect(isSilenced([], 'error-rate', 'fast', at(15))).toBe(false);
    const both = [aSilence({ subject: 'slow' }), aSilence({ ruleName: 'error-rate' })];
    expect(isSilenced(both, 'error-rate', 'fast', at(15))).toBe(true);
  });
});
