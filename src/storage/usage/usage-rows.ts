import type { HistogramPairs } from '../../contract/histogram.js';
import type { UsageRecord } from '../../contract/usage.contract.js';
import type { HistogramCounts } from './packed-histogram.js';
import { costOf, isUnpriced } from './usage-cost.js';
import { type Series, seriesOf } from './usage-levels.js';
import { isError } from './usage-sums.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The tables of sums, and how many milliseconds one row of theirs is. */
export const USAGE_TABLES = { usage_minutes: MINUTE, usage_hours: HOUR, usage_days: DAY } as const;

export type UsageTable = keyof typeof USAGE_TABLES;
export const USAGE_TABLE_NAMES = Object.keys(USAGE_TABLES) as UsageTable[];

/** What a batch adds to one row. Times are milliseconds, `start` since 1970 in UTC. */
export interface UsageRow {
  start: number;
  series: Series;
  calls: number;
  errors: number;
  estimatedCalls: number;
  /** Calls without a price. */
  unpricedCalls: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  firstByteCalls: number;
  firstByteMs: number;
  totalMs: number;
  /** In units of 10^-12 US dollars. */
  cost: bigint;
  latency: HistogramCounts;
  firstByte: HistogramCounts;
}

const emptyRow = (start: number, series: Series): UsageRow => ({
  start,
  series,
  calls: 0,
  errors: 0,
  estimatedCalls: 0,
  unpricedCalls: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  firstByteCalls: 0,
  firstByteMs: 0,
  totalMs: 0,
  cost: 0n,
  latency: new Map(),
  firstByte: new Map(),
});

const addPairs = (counts: HistogramCounts, pairs: HistogramPairs): void => {
  for (let at = 0; at < pairs.length; at += 2) {
    const bucket = pairs[at] as number;
    counts.set(bucket, (counts.get(bucket) ?? 0) + (pairs[at + 1] as number));
  }
};

const addRecord = (row: UsageRow, record: UsageRecord, cost: bigint): void => {
  row.calls += record.calls;
  row.errors += isError(record.outcome) ? record.calls : 0;
  row.estimatedCalls += record.estimated_calls;
  row.unpricedCalls += isUnpriced(record) ? record.calls : 0;
  row.inputTokens += record.input_tokens;
  row.cachedTokens += record.cached_tokens;
  row.outputTokens += record.output_tokens;
  row.reasoningTokens += record.reasoning_tokens;
  row.firstByteCalls += record.first_byte_calls;
  row.firstByteMs += record.first_byte_ms;
  row.totalMs += record.total_ms;
  row.cost += cost;
  addPairs(row.latency, record.latency);
  addPairs(row.firstByte, record.first_byte);
};

/** What a batch adds: its series, each once, and its rows by table. */
export class BatchSums {
  private readonly known = new Map<string, Series>();
  private readonly rows = Object.fromEntries(USAGE_TABLE_NAMES.map((table) => [table, new Map()])) as Record<
    UsageTable,
    Map<string, UsageRow>
  >;

  constructor(records: readonly UsageRecord[]) {
    for (const record of records) this.add(record);
  }

  /** In one order everywhere, so that two batches never wait for each other crosswise. */
  get series(): Series[] {
    return [...this.known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series);
  }

  rowsOf(table: UsageTable): UsageRow[] {
    return [...this.rows[table].values()];
  }

  private add(record: UsageRecord): void {
    const cost = costOf(record);
    for (const series of seriesOf(record)) {
      const key = JSON.stringify(Object.values(series));
      const known = this.known.get(key) ?? series;
      this.known.set(key, known);
      for (const table of USAGE_TABLE_NAMES) this.addTo(table, known, key, record, cost);
    }
  }

  private addTo(table: UsageTable, series: Series, key: string, record: UsageRecord, cost: bigint): void {
    const start = record.minute - (record.minute % USAGE_TABLES[table]);
    const rowKey = `${start} ${key}`;
    const row = this.rows[table].get(rowKey) ?? emptyRow(start, series);
    this.rows[table].set(rowKey, row);
    addRecord(row, record, cost);
  }
}
