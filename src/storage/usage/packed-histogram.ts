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

/** Adds a stored histogram to the calls by bucket; `sign` -1 takes it away again. */
export const addPacked = (bytes: Buffer, counts: Float64Array, sign: 1 | -1 = 1): void => {
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const entry = bytes.readUInt32BE(at);
    (counts[entry >>> COUNT_BITS] as number) += sign * (entry & MAX_COUNT);
  }
};
