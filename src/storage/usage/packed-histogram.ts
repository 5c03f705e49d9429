import { MAX_BUCKET, quantilesOf } from '../../contract/histogram.js';

/**
 * Histograms as they are stored: Base64 of entries of 24 bits, ten for the bucket, one for the unit (single calls, or 8192
 * of them) and 13 for how many of that unit. So the length of a histogram grows with its buckets and not with its calls.
 * An entry is four whole characters: two histograms behind each other are their sum, and a query collects those of many
 * rows with `string_agg`. The SQL function `usage_histogram_merge` makes such a sum compact.
 */
const ENTRY_BYTES = 3;
const COUNT_BITS = 13;
const UNIT_BIT = 1 << COUNT_BITS;
const MAX_COUNT = UNIT_BIT - 1;
const BUCKET_SHIFT = COUNT_BITS + 1;

/** Calls by bucket. */
export type HistogramCounts = Map<number, number>;

export const packHistogram = (counts: HistogramCounts): string => {
  const entries: number[] = [];
  for (const [bucket, calls] of [...counts].sort(([a], [b]) => a - b)) {
    const entry = bucket << BUCKET_SHIFT;
    const [single, large] = [calls % UNIT_BIT, Math.min(MAX_COUNT, Math.floor(calls / UNIT_BIT))];
    if (single > 0) entries.push(entry | single);
    if (large > 0) entries.push(entry | UNIT_BIT | large);
  }
  const bytes = Buffer.allocUnsafe(entries.length * ENTRY_BYTES);
  for (const [index, entry] of entries.entries()) bytes.writeUIntBE(entry, index * ENTRY_BYTES, ENTRY_BYTES);
  return bytes.toString('base64');
};

/** Adds up stored histograms and reads percentiles from the sum; to be used again and again. */
export class HistogramSum {
  private readonly counts = new Float64Array(MAX_BUCKET + 1);
  /** Where there is something: most histograms are narrow. */
  private first = MAX_BUCKET + 1;
  private last = -1;

  /** `sign` -1 takes a histogram away that is in the sum. */
  add(packed: string, sign: 1 | -1): void {
    const bytes = Buffer.from(packed, 'base64');
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const entry = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
      const bucket = entry >>> BUCKET_SHIFT;
      const calls = (entry & MAX_COUNT) * (entry & UNIT_BIT ? UNIT_BIT : 1);
      (this.counts[bucket] as number) += sign * calls;
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
