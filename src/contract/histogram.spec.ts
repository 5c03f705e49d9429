import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { bucketOf, countInPairs, MAX_BUCKET, quantilesOf, sortPairs, valueOf } from './histogram.js';

const HOUR = 3_600_000;
const RANKS = [0.5, 0.95, 0.99];

/** Spread over all orders of magnitude, as durations are. */
const duration = (): fc.Arbitrary<number> =>
  fc.double({ min: Math.log(0.0101), max: Math.log(2 * HOUR), noNaN: true }).map(Math.exp);
const durations = (): fc.Arbitrary<number[]> => fc.array(duration(), { minLength: 1, maxLength: 300 });

const countsOf = (values: readonly number[]): number[] => {
  const counts = Array<number>(MAX_BUCKET + 1).fill(0);
  for (const value of values) (counts[bucketOf(value)] as number) += 1;
  return counts;
};

/** By nearest rank: the smallest duration that at least this share of all did not exceed. */
const exact = (values: readonly number[], rank: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(rank * values.length - 1e-9) - 1)] as number;

const errorOf = (seen: number, real: number): number => Math.abs(seen - real) / real;

describe('a bucket', () => {
  it('stands for everything in it, to one per cent', () => {
    fc.assert(fc.property(duration(), (value) => errorOf(valueOf(bucketOf(value)), value) <= 0.01 + 1e-9));
  });

  it('of a longer duration is never a lower one', () => {
    fc.assert(
      fc.property(duration(), duration(), (one, other) => (one <= other ? bucketOf(one) <= bucketOf(other) : true)),
    );
  });

  it('is there for every number: too short in the first, too long in the last', () => {
    for (const value of [0, -0, -5, 0.01, 1e-9, Number.NaN]) expect(bucketOf(value)).toBe(0);
    expect(bucketOf(0.010001)).toBe(1);
    for (const value of [3 * HOUR, 1e12, Number.POSITIVE_INFINITY]) expect(bucketOf(value)).toBe(MAX_BUCKET);
    expect(bucketOf(2 * HOUR)).toBeLessThan(MAX_BUCKET);
  });
});

describe('quantiles', () => {
  it('are within one per cent of the exact ones', () => {
    fc.assert(
      fc.property(durations(), fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (values, ranks) => {
        const ascending = ranks.toSorted((a, b) => a - b);
        const seen = quantilesOf(countsOf(values), ascending) ?? [];
        expect(seen).toHaveLength(ascending.length);
        for (const [index, rank] of ascending.entries()) {
          expect(errorOf(seen[index] as number, exact(values, rank))).toBeLessThanOrEqual(0.01 + 1e-9);
        }
      }),
    );
  });

  it('of parts that were added up are those of the whole', () => {
    fc.assert(
      fc.property(fc.array(durations(), { minLength: 1, maxLength: 5 }), (parts) => {
        const added = parts
          .map(countsOf)
          .reduce((sum, next) => sum.map((count, bucket) => count + (next[bucket] ?? 0)));
        expect(quantilesOf(added, RANKS)).toEqual(quantilesOf(countsOf(parts.flat()), RANKS));
      }),
    );
  });

  it('of nothing are null', () => {
    expect(quantilesOf(countsOf([]), RANKS)).toBeNull();
  });

  it('take a share that is a whole number of calls for that number', () => {
    const counts = countsOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    const [p95] = quantilesOf(counts, [0.95]) ?? [];
    expect(errorOf(p95 as number, 19)).toBeLessThanOrEqual(0.01);
  });
});

describe('pairs', () => {
  it('hold what was counted in them, ascending once they are sorted', () => {
    fc.assert(
      fc.property(durations(), (values) => {
        const pairs: number[] = [];
        const fresh = values.filter((value) => countInPairs(pairs, value)).length;
        expect(pairs).toHaveLength(2 * fresh);
        const expected = countsOf(values).flatMap((count, bucket) => (count > 0 ? [bucket, count] : []));
        expect(sortPairs(pairs)).toEqual(expected);
      }),
    );
  });
});
