/** Prometheus' kinds of what we tell; a histogram's samples carry the suffixes `_bucket`, `_sum` and `_count`. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  value: number;
  labels?: Labels;
  /** The same object for several series: what they have in common is written once. */
  shared?: Labels;
  /** Of a histogram. */
  suffix?: '_bucket' | '_sum' | '_count';
}

/**
 * One metric with all its series. Nothing is counted for it: its samples are read from what the process keeps anyway, and
 * only when somebody asks, so that no call pays for it.
 */
export interface MetricFamily {
  /** Such as `hub_calls_total`; the unit is in the name, seconds and bytes. */
  name: string;
  help: string;
  type: MetricType;
  collect(): Iterable<Sample>;
}

/** Such as a counter, told by what its series differ in. */
export const labelled = (
  name: string,
  help: string,
  type: Exclude<MetricType, 'histogram'>,
  read: () => Iterable<readonly [labels: Labels, value: number]>,
): MetricFamily => ({
  name,
  help,
  type,
  *collect() {
    for (const [labels, value] of read()) yield { labels, value };
  },
});

/** A metric of one series; null: there is nothing to tell at the moment. */
export const single = (name: string, help: string, type: MetricType, read: () => number | null): MetricFamily => ({
  name,
  help,
  type,
  collect: () => {
    const value = read();
    return value === null ? [] : [{ value }];
  },
});

/** A histogram's samples: `counts` of the values up to each of the `bounds`, ascending, and of those beyond. */
export function* histogramSamples(
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
  shared: Labels = {},
): Iterable<Sample> {
  let total = 0;
  for (const [index, bound] of bounds.entries()) {
    total += counts[index] ?? 0;
    yield { suffix: '_bucket', labels: { le: String(bound) }, shared, value: total };
  }
  total += counts[bounds.length] ?? 0;
  yield { suffix: '_bucket', labels: { le: '+Inf' }, shared, value: total };
  yield { suffix: '_sum', shared, value: sum };
  yield { suffix: '_count', shared, value: total };
}
