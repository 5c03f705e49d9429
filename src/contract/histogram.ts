/**
 * Histogram of durations with a fixed relative error: buckets grow by the same factor, so that a percentile read from
 * them is within one per cent of the exact one, from microseconds to hours. Histograms are added up bucket by bucket,
 * and those of any range give the same percentiles as one of all its calls would.
 */

/** Half the width of a bucket over its value. */
const RELATIVE_ERROR = 0.01;
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Bucket 0 takes all up to 0.01 ms. */
const SHIFT = -Math.floor(Math.log(0.01) / LOG_GAMMA);

/** The last bucket takes all that is longer than two hours. Ten bits hold a bucket. */
export const MAX_BUCKET = 1023;

/** `[bucket, count, bucket, count, …]` as it travels: ascending buckets, no bucket twice, every count at least 1. */
export type HistogramPairs = number[];

/** A bucket and the next take all durations between them: nothing is lost, whatever the duration. */
export const bucketOf = (milliseconds: number): number => {
  if (!(milliseconds > 0.01)) return 0;
  return Math.min(MAX_BUCKET, Math.ceil(Math.log(milliseconds) / LOG_GAMMA) + SHIFT);
};

/** The duration in milliseconds that is within the relative error of everything in the bucket. */
export const valueOf = (bucket: number): number => (2 * GAMMA ** (bucket - SHIFT)) / (GAMMA + 1);

/** Rounding may leave a product such as 0.95 × 20 a hair above 19. */
const positionOf = (rank: number, total: number): number => Math.max(1, Math.ceil(rank * total - 1e-9));

/**
 * The durations in milliseconds that these shares of all calls did not exceed, by nearest rank; null: no calls.
 * @param counts calls by bucket, from bucket `first` on
 * @param ranks from 0 to 1, ascending
 */
export const quantilesOf = (counts: ArrayLike<number>, ranks: readonly number[], first = 0): number[] | null => {
  let total = 0;
  for (let index = 0; index < counts.length; index += 1) total += counts[index] as number;
  if (total === 0) return null;
  const positions = ranks.map((rank) => positionOf(rank, total));
  const values: number[] = [];
  let seen = 0;
  for (let index = 0; index < counts.length; index += 1) {
    seen += counts[index] as number;
    while (seen >= (positions[values.length] ?? Number.POSITIVE_INFINITY)) values.push(valueOf(first + index));
  }
  return values;
};

/** Counts one duration in a list of pairs in any order; answers whether its bucket is new there. */
export const countInPairs = (pairs: HistogramPairs, milliseconds: number): boolean => {
  const bucket = bucketOf(milliseconds);
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at] === bucket) {
      (pairs[at + 1] as number) += 1;
      return false;
    }
  }
  pairs.push(bucket, 1);
  return true;
};

/** The same pairs by ascending buckets. */
export const sortPairs = (pairs: HistogramPairs): HistogramPairs => {
  const entries: [number, number][] = [];
  for (let at = 0; at < pairs.length; at += 2) entries.push([pairs[at] as number, pairs[at + 1] as number]);
  return entries.sort(([a], [b]) => a - b).flat();
};
