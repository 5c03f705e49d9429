import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { costProblem } from './json-cost.js';

const CHEAP_BYTES = 16_384;
const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;
const MEGABYTE = 1024 * 1024;
/** Some hundred times what it takes. */
const SOON_MILLISECONDS = 2000;

const nested = (levels: number, inner = ''): string => '['.repeat(levels) + inner + ']'.repeat(levels);
/** One level deeper, and too long to be let through for its size. */
const long = (json: string): string => `{"pad":"${'x'.repeat(CHEAP_BYTES)}","value":${json}}`;
const problemOf = (text: string): string | null => costProblem(Buffer.from(text));
const within = (milliseconds: number, work: () => void): void => {
  const startedAt = performance.now();
  work();
  expect(performance.now() - startedAt).toBeLessThan(milliseconds);
};

/** The same question asked of the parsed value: how deep it is, and how many brackets and commas it was written with. */
const naiveCost = (value: unknown): { depth: number; values: number } => {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 0 };
  const entries = Object.values(value).map(naiveCost);
  let depth = 0;
  let values = 1 + Math.max(0, entries.length - 1);
  for (const entry of entries) {
    depth = Math.max(depth, entry.depth);
    values += entry.values;
  }
  return { depth: depth + 1, values };
};

describe('costProblem', () => {
  it(`takes ${MAX_DEPTH} levels, and not one more`, () => {
    expect(problemOf(long(nested(MAX_DEPTH - 1)))).toBeNull();
    expect(problemOf(long(nested(MAX_DEPTH)))).toBe('The body must not be nested more than 64 levels deep.');
    expect(problemOf(long('{"a":'.repeat(MAX_DEPTH) + '1' + '}'.repeat(MAX_DEPTH)))).toContain('nested');
  });

  it('counts open levels, not brackets', () => {
    expect(problemOf(long(`[${Array(10_000).fill('[{}]').join()}]`))).toBeNull();
    expect(problemOf(long(`[${nested(MAX_DEPTH - 2)},${nested(MAX_DEPTH - 2)}]`))).toBeNull();
  });

  it.each([
    ['numbers', '1', MAX_VALUES - 3],
    ['objects', '{}', MAX_VALUES / 2 - 2],
    ['arrays', '[]', MAX_VALUES / 2 - 2],
    ['texts', '"a,b"', MAX_VALUES - 3],
  ])('takes a hundred thousand values, not more: %s', (_name, item, most) => {
    const listOf = (count: number): string => long(`[${Array(count).fill(item).join()}]`);
    expect(problemOf(listOf(most))).toBeNull();
    expect(problemOf(listOf(most + 2))).toBe('The body must not have more than 100000 values.');
  });

  it('counts members of objects like items', () => {
    const members = Array.from({ length: MAX_VALUES + 1 }, (_, index) => `"${index}":0`).join();
    expect(problemOf(`{${members}}`)).toContain('values');
  });

  it(`does not look at all at up to ${CHEAP_BYTES} bytes`, () => {
    expect(problemOf(nested(CHEAP_BYTES / 2))).toBeNull();
    expect(problemOf(`${nested(CHEAP_BYTES / 2)} `)).toContain('nested');
    // Bytes, not characters.
    const wide = '漢'.repeat(CHEAP_BYTES / 3);
    expect(problemOf(`["${wide}",${nested(MAX_DEPTH)}]`)).toContain('nested');
    expect(problemOf('')).toBeNull();
  });

  it.each([
    ['brackets', '[{'.repeat(60_000)],
    ['commas', ','.repeat(MAX_VALUES + 1)],
    ['escaped quotes', '\\"['.repeat(60_000)],
    ['escaped backslashes', '\\\\'.repeat(60_000)],
    ['an escaped quote behind escaped backslashes', '\\\\\\"[{'.repeat(60_000)],
    ['wide characters', '【｛，'.repeat(60_000)],
  ])('what is in a text does not count: %s', (_name, text) => {
    expect(problemOf(`{"a":"${text}","${text}":[1]}`)).toBeNull();
  });

  it.each([
    ['an empty one', '""'],
    ['one that ends with a backslash', '"a\\\\"'],
    ['one that ends with an escaped quote', '"a\\""'],
    ['one that ends with both', '"\\\\\\""'],
  ])('what comes behind a text does count: %s', (_name, text) => {
    expect(problemOf(long(`[${text},${nested(MAX_DEPTH)}]`))).toContain('nested');
    expect(problemOf(long(`[${Array(MAX_VALUES).fill(text).join()}]`))).toContain('values');
  });

  it('takes broken JSON for the parser to refuse', () => {
    for (const tail of ['"', '"\\', '"abc\\"', ']]]]]]', '}', '\\', 'null']) {
      expect(problemOf(`[${' '.repeat(CHEAP_BYTES)}${tail}`)).toBeNull();
    }
    // Closing more than was opened buys no depth of its own that matters: the parser stops at the first of them.
    expect(problemOf(`${' '.repeat(CHEAP_BYTES)}${nested(MAX_DEPTH + 1)}`)).toContain('nested');
  });

  it.each([
    ['a base64 image', `{"image":"${'iVBORw0KGgo/+Ab9'.repeat((30 * MEGABYTE) / 16)}"}`, null],
    ['a text of backslashes', `{"a":"${'\\\\'.repeat(15 * MEGABYTE)}"}`, null],
    ['a text of escaped quotes', `{"a":"${'\\"'.repeat(15 * MEGABYTE)}"}`, null],
    ['blanks', `{${' '.repeat(30 * MEGABYTE)}}`, null],
    ['brackets', '['.repeat(30 * MEGABYTE), 'nested'],
    ['empty objects', `{"a":[${'{},'.repeat(10 * MEGABYTE)}`, 'values'],
  ])('is done soon with 30 MB: %s', (_name, text, problem) => {
    const bytes = Buffer.from(text);
    within(SOON_MILLISECONDS, () => {
      if (problem === null) expect(costProblem(bytes)).toBeNull();
      else expect(costProblem(bytes)).toContain(problem);
    });
  });

  it('agrees with a look at the parsed value, whatever the JSON', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', '}', ',', ':', 'a', '漢', '\n') });
    const { value: json } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        text,
        fc.constantFrom(null, true, -1.5e10),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const seen = { taken: 0, refused: 0 };
    // Around both limits, where a mistake by one shows.
    const levels = fc.oneof(fc.constant(0), fc.integer({ min: MAX_DEPTH - 8, max: MAX_DEPTH + 2 }));
    const share = fc.oneof(fc.constant(0), fc.double({ min: 0.9, max: 1.1, noNaN: true }));
    fc.assert(
      fc.property(json, levels, share, fc.constantFrom(0, 1), (value, depth, part, indent) => {
        const one = nested(depth, JSON.stringify(value, null, indent));
        const count = Math.max(1, Math.floor((part * MAX_VALUES) / (naiveCost(JSON.parse(one)).values + 1)));
        const whole = long(`[${Array<string>(count).fill(one).join()}]`);
        const cost = naiveCost(JSON.parse(whole));
        const isTaken = cost.depth <= MAX_DEPTH && cost.values <= MAX_VALUES;
        seen[isTaken ? 'taken' : 'refused'] += 1;
        expect({ cost, isTaken: problemOf(whole) === null }).toEqual({ cost, isTaken });
      }),
      { numRuns: 60 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(10);
  });
});
