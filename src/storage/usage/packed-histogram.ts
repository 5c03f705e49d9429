import { MAX_BUCKET, quantilesOf } from '../../contract/histogram.js';

/**
 * Histograms as they are stored: four bytes per bucket (big-endian), ten bits for the bucket and 22 for its calls. A
 * bucket with more calls has several entries, so two histograms behind each other are their sum, and a query collects
 * those of many rows with `string_agg`. The SQL function `usage_histogram_merge` makes them compact again.
 */
const ENTRY_BYTES = 4;
const COUNT_BITS = 22;
const MAX_COUNT = 2 ** COUNT_BITS - 1;

/** Calls by bucket. */
export type HistogramCounts = Map<number, number>;

export const packHistogram = (counts: HistogramCounts): Buffer => {
  const entries: number[] = [];
  for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
    for (let left = count; left > 0; left -= MAX_COUNT) {
      entries.push(bucket * 2 ** COUNT_BITS + Math.min(left, MAX_COUNT));
    }
  }
  const bytes = Buffer.allocUnsafe(entries.length * ENTRY_BYTES);
  for (const [index, entry] of entries.entries()) bytes.writeUInt32BE(entry, index * ENTRY_BYTES);
  return bytes;
};

/** Adds up stored histograms and reads percentiles from the sum; to be used again and again. */
export class HistogramSum {
  private readonly counts = new Float64Array(MAX_BUCKET + 1);
  /** Where there is something: most histograms are narrow. */
  private first = MAX_BUCKET + 1;
  private last = -1;

  /** `sign` -1 takes a histogram away that is in the sum. */
  add(bytes: Buffer, sign: 1 | -1): void {
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const entry = bytes.readUInt32BE(at);
      const bucket = entry >>> COUNT_BITS;
      (this.counts[bucket] as number) += sign * (entry & MAX_COUNT);
      if (bucket < this.first) this.first = bucket;
      if (bucket > this.last) this.last = bucket;
    }
  }

  /** See `quantilesOf`; begins anew after it. */
  takeQuantiles(ranks: readonly number[]): number[] | null {
    const counts = this.counts.subarray(this.first, this.last + 1);
    const quantiles = quantilesOf(counts, ranks, this.first);
    counts.fill(0);
    this.first = MAX_BUCKET + 1;
    this.last = -1;
    return quantiles;
  }
}
