import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PROMPT_VARIABLE_TYPES, valueProblem, type ValueRules } from './prompt-values.js';

const KIBIBYTE = 1024;

describe('valueProblem', () => {
  it.each<[ValueRules, unknown]>([
    [{ type: 'string' }, ''],
    [{ type: 'string' }, '客户\t"{{name}}"'],
    [{ type: 'text' }, 'a\nb\r\nc\u2028d'],
    [{ type: 'integer' }, Number.MAX_SAFE_INTEGER],
    [{ type: 'integer', min: -3, max: 3 }, -3],
    [{ type: 'integer', min: -3, max: 3 }, 3],
    [{ type: 'number', min: 0.5 }, 0.5],
    [{ type: 'number' }, 1e300],
    [{ type: 'boolean' }, false],
    [{ type: 'enum', options: ['基础', '专业'] }, '专业'],
    [{ type: 'date' }, '2024-02-29'],
    [{ type: 'date' }, '0000-01-01'],
    [{ type: 'date' }, '2026-11-30T23:59:60.123456789Z'],
    [{ type: 'date' }, '2026-11-30t08:00:00+23:59'],
    [{ type: 'string[]' }, []],
    [{ type: 'string[]', max_length: 2 }, ['ab', '', '😀😀']],
    [{ type: 'text', max_length: 3 }, '😀客é'],
    [{ type: 'text', max_length: null, min: null, options: null, sensitive: null }, 'x'],
  ])('%j takes %j', (rules, value) => {
    expect(valueProblem(rules, value)).toBeNull();
  });

  it.each<[ValueRules, unknown[], string]>([
    [{ type: 'string' }, [1, null, ['a'], {}, 'a\nb', 'a\r', 'a\u2028', 'a\u0085'], 'must be one line of text'],
    [{ type: 'text' }, [1, true, ['a'], new Date(), undefined], 'must be a text'],
    [{ type: 'integer' }, [1.5, '1', NaN, Infinity, 2 ** 53, 1n, true], 'must be a whole number'],
    [{ type: 'number' }, ['1', NaN, -Infinity, null], 'must be a number'],
    [{ type: 'boolean' }, ['true', 0, 1, 'false', null], 'must be true or false'],
    [{ type: 'enum', options: ['1'] }, [1, ['1'], null], 'must be a text, one of its options'],
    [{ type: 'string[]' }, ['a', [1], ['a', null], Array(2), { length: 0 }], 'must be a list of texts'],
  ])('%j refuses %j: it %s', (rules, values, message) => {
    for (const value of values) {
      expect(valueProblem(rules, value)).toEqual({
        code: 'wrong_type',
        message: expect.stringMatching(new RegExp(`^${message}`)),
      });
    }
  });

  it.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2026-4-1',
    '26-04-01',
    '2026-11-30T24:00:00Z',
    '2026-11-30T08:60:00Z',
    '2026-11-30T08:00:61Z',
    '2026-11-30T08:00:00',
    '2026-11-30T08:00Z',
    '2026-11-30 08:00:00Z',
    '2026-11-30T08:00:00.Z',
    '2026-11-30T08:00:00+24:00',
    '2026-11-30T08:00:00+0800',
    '2026-11-30\n',
    ' 2026-11-30',
    '２０２６-11-30',
    'today',
    '',
    20261130,
  ])('no date: %j', (value) => {
    expect(valueProblem({ type: 'date' }, value)).toEqual({
      code: 'wrong_type',
      message: 'must be a date such as 2026-11-30, or a time such as 2026-11-30T08:00:00+08:00',
    });
  });

  it.each<[ValueRules, unknown, string, string]>([
    [{ type: 'integer', min: 0, max: 120 }, 121, 'out_of_range', 'must be a whole number from 0 to 120'],
    [{ type: 'integer', min: 0 }, -1, 'out_of_range', 'must be a whole number of at least 0'],
    [{ type: 'number', max: 0.5 }, 0.51, 'out_of_range', 'must be a number of at most 0.5'],
    [{ type: 'string', max_length: 2 }, '😀客é', 'too_long', 'must have at most 2 characters'],
    [{ type: 'string[]', max_length: 1 }, ['a', 'bc'], 'too_long', 'must have entries of at most 1 characters'],
    [{ type: 'enum', options: ['a', 'b'] }, 'c', 'not_an_option', 'must be one of a, b'],
    [{ type: 'enum', options: ['a', 'b'], sensitive: true }, 'c', 'not_an_option', 'must be one of its options'],
    [{ type: 'enum' }, 'c', 'not_an_option', 'must be one of '],
  ])('%j refuses %j', (rules, value, code, message) => {
    expect(valueProblem(rules, value)).toEqual({ code, message });
  });

  it('names ten options and no more', () => {
    const options = Array.from({ length: 11 }, (_, index) => `o${index}`);
    expect(valueProblem({ type: 'enum', options }, 'x')?.message).toBe(
      'must be one of o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, …',
    );
  });

  it('takes 64 KiB in UTF-8 and a thousand entries, and not one more', () => {
    expect(valueProblem({ type: 'text' }, 'x'.repeat(64 * KIBIBYTE))).toBeNull();
    expect(valueProblem({ type: 'text' }, '客'.repeat(21_845))).toBeNull();
    expect(valueProblem({ type: 'text' }, '客'.repeat(21_846))?.message).toBe('must have at most 65536 bytes');
    expect(valueProblem({ type: 'string[]' }, ['x'.repeat(64 * KIBIBYTE), 'y'])?.code).toBe('too_long');
    expect(valueProblem({ type: 'string[]' }, Array(1000).fill(''))).toBeNull();
    expect(valueProblem({ type: 'string[]' }, Array(1001).fill(''))?.message).toBe('must have at most 1000 entries');
  });

  it('never repeats a value', () => {
    const rules = fc.record<ValueRules>({
      type: fc.constantFrom(...PROMPT_VARIABLE_TYPES),
      min: fc.constant(7),
      max: fc.constant(7),
      max_length: fc.constant(3),
      options: fc.constantFrom(['one', 'other'], null),
    });
    const secret = 'hunter2-hunter2';
    const value = fc.constantFrom(secret, [secret], [secret, secret], { secret }, [[secret]], `${secret}\n`);
    fc.assert(
      fc.property(rules, value, (rule, given) => {
        const problem = valueProblem(rule, given);
        expect(problem).not.toBeNull();
        expect(problem?.message).not.toContain('hunter2');
      }),
    );
  });

  it('dates are those that the calendar has', () => {
    const part = (min: number, max: number, digits: number): fc.Arbitrary<string> =>
      fc.integer({ min, max }).map((value) => String(value).padStart(digits, '0'));
    const daysIn = (year: number, month: number): number => {
      const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
      return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
    };
    fc.assert(
      fc.property(part(0, 9999, 4), part(0, 13, 2), part(0, 32, 2), (year, month, day) => {
        const exists = Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month));
        expect(valueProblem({ type: 'date' }, `${year}-${month}-${day}`) === null).toBe(exists);
      }),
      { numRuns: 2000 },
    );
  });
});
