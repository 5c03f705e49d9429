import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_BUCKET, quantilesOf } from '../../contract/histogram.js';
import { type HistogramCounts, HistogramSum, packHistogram } from './packed-histogram.js';

const RANKS = [0, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];
const MOST_CALLS = 8191 * 8192 + 8191;

const histogram = (): fc.Arbitrary<HistogramCounts> =>
  fc
    .array(
      fc.tuple(fc.nat(MAX_BUCKET), fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: MOST_CALLS }))),
    )
    .map((entries) => new Map(entries));

const dense = (...histograms: HistogramCounts[]): number[] => {
  const counts = Array<number>(MAX_BUCKET + 1).fill(0);
  for (const one of histograms) for (const [bucket, calls] of one) (counts[bucket] as number) += calls;
  return counts;
};

const quantilesIn = (...packed: string[]): number[] | null => {
  const sum = new HistogramSum();
  for (const one of packed) sum.add(one, 1);
  return sum.takeQuantiles(RANKS);
};

describe('a packed histogram', () => {
  it('has what was packed', () => {
    fc.assert(
      fc.property(histogram(), (counts) => {
        expect(quantilesIn(packHistogram(counts))).toEqual(quantilesOf(dense(counts), RANKS));
      }),
    );
  });

  it('behind another is their sum, as are both apart', () => {
    fc.assert(
      fc.property(histogram(), histogram(), (one, other) => {
        const expected = quantilesOf(dense(one, other), RANKS);
        expect(quantilesIn(packHistogram(one), packHistogram(other))).toEqual(expected);
        expect(quantilesIn(packHistogram(one) + packHistogram(other))).toEqual(expected);
      }),
    );
  });

  it('is gone again when it is taken away', () => {
    fc.assert(
      fc.property(histogram(), histogram(), (one, other) => {
        const sum = new HistogramSum();
        sum.add(packHistogram(one) + packHistogram(other), 1);
        sum.add(packHistogram(one), -1);
        expect(sum.takeQuantiles(RANKS)).toEqual(quantilesOf(dense(other), RANKS));
        expect(sum.takeQuantiles(RANKS)).toBeNull();
      }),
    );
  });

  it('is not longer for a million calls than for a hundred', () => {
    const filledWith = (calls: number): HistogramCounts => new Map([500, 501, 502].map((bucket) => [bucket, calls]));
    expect(packHistogram(filledWith(100))).toHaveLength(12);
    expect(packHistogram(filledWith(1_000_000))).toHaveLength(24);
    // More than 67 million calls in a bucket of a row are as many as that: the sums beside them stay exact.
    expect(packHistogram(filledWith(1e12))).toHaveLength(24);
  });
});
