import type { CallTotals, DurationSummary } from '../../contract/statistics.contract.js';
import { HistogramSum } from '../usage/packed-histogram.js';

/** Sums as a query answers them: numbers as text, since PostgreSQL's can exceed a double. */
export interface SumsRow {
  calls: string;
  errors: string;
  estimated_calls: string;
  unpriced_calls: string;
  input_tokens: string;
  cached_tokens: string;
  output_tokens: string;
  reasoning_tokens: string;
  first_byte_calls: string;
  first_byte_ms: string;
  total_ms: string;
  cost_usd: string;
  /** Packed histograms of all rows, one behind the other. */
  latency: string;
  first_byte: string;
}

/** What is added up as whole numbers, by the names of the columns. */
export const COUNTED = [
  'calls',
  'errors',
  'estimated_calls',
  'unpriced_calls',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'reasoning_tokens',
  'first_byte_calls',
  'first_byte_ms',
  'total_ms',
] as const satisfies (keyof SumsRow)[];

const RANKS = [0.5, 0.95, 0.99];
/** Adds less to the error of a percentile than a bucket has. */
const PERCENTILE_DIGITS = 4;
/** Of a cost; `numeric(30,12)` has as many. */
const COST_PLACES = 12;

const rounded = (value: number): number => Number(value.toPrecision(PERCENTILE_DIGITS));

/** Worked in by one summary after the other: thousands of points would leave as many behind. */
const scratch = new HistogramSum();

/** Durations that are added up as they are stored, and unpacked when they are asked for. */
class Durations {
  private readonly parts: { text: string; sign: 1 | -1 }[] = [];

  add(text: string): void {
    if (text !== '') this.parts.push({ text, sign: 1 });
  }

  addAll(other: Durations, sign: 1 | -1): void {
    for (const part of other.parts) this.parts.push({ text: part.text, sign: part.sign === sign ? 1 : -1 });
  }

  private percentiles(): number[] {
    if (this.parts.length === 0) return [];
    for (const { text, sign } of this.parts) scratch.add(text, sign);
    return scratch.takeQuantiles(RANKS)?.map(rounded) ?? [];
  }

  summary(calls: number, milliseconds: number): DurationSummary {
    const [p50 = null, p95 = null, p99 = null] = this.percentiles();
    return { p50, p95, p99, mean: calls === 0 ? null : Math.round((milliseconds / calls) * 1000) / 1000 };
  }
}

/** Sums of calls that further rows are added to; exact, cost included. */
export class CallSums {
  private readonly counts: Record<(typeof COUNTED)[number], number>;
  /** In units of 10^-12 US dollars. */
  private cost = 0n;
  private readonly latency = new Durations();
  private readonly firstByte = new Durations();

  constructor() {
    this.counts = Object.fromEntries(COUNTED.map((name) => [name, 0])) as CallSums['counts'];
  }

  get calls(): number {
    return this.counts.calls;
  }

  addRow(row: SumsRow): void {
    for (const name of COUNTED) this.counts[name] += Number(row[name]);
    this.cost += BigInt(row.cost_usd.replace('.', ''));
    this.latency.add(row.latency);
    this.firstByte.add(row.first_byte);
  }

  /** `sign` -1: what is left without the others. */
  addSums(other: CallSums, sign: 1 | -1 = 1): void {
    for (const name of COUNTED) this.counts[name] += sign * other.counts[name];
    this.cost += BigInt(sign) * other.cost;
    this.latency.addAll(other.latency, sign);
    this.firstByte.addAll(other.firstByte, sign);
  }

  toTotals(): CallTotals {
    const { counts } = this;
    return {
      calls: counts.calls,
      errors: counts.errors,
      estimated_calls: counts.estimated_calls,
      unpriced_calls: counts.unpriced_calls,
      tokens: {
        input: counts.input_tokens,
        cached: counts.cached_tokens,
        output: counts.output_tokens,
        reasoning: counts.reasoning_tokens,
      },
      cost_usd: Number(`${this.cost}e-${COST_PLACES}`),
      latency_ms: this.latency.summary(counts.calls, counts.total_ms),
      first_byte_ms: this.firstByte.summary(counts.first_byte_calls, counts.first_byte_ms),
    };
  }
}
