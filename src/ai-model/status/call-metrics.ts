import { Injectable } from '@nestjs/common';
import { countInPairs, type HistogramPairs } from '../../contract/histogram.js';
import type { Provider } from '../../contract/providers.js';
import type { CallOutcome } from '../../contract/usage.contract.js';
import { BoundedHistogram, zeros } from '../../platform/metrics/bounded-histogram.js';
import type { FinishedCall } from '../usage/usage-record.js';

/** More aliases than a hub has models; the calls of those beyond are added up in one. */
const MAX_ALIASES = 10_000;
const OTHERS = '(others)';

/** Seconds and tokens, as OpenTelemetry's conventions for generative AI have them. */
export const DURATION_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
export const TOKEN_BOUNDS = Array.from({ length: 14 }, (_value, power) => 4 ** power);
/** Seconds. */
const OVERHEAD_BOUNDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1];

/** The calls of one alias since the process started. Times are milliseconds. */
export interface CallCounts {
  alias: string;
  /** Of the newest call. */
  provider: string;
  calls: number;
  /** Requests that the provider was sent for them, retries included. */
  attempts: number;
  outcomes: Map<CallOutcome, number>;
  estimatedCalls: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  /** Calls by their tokens, one count for each of TOKEN_BOUNDS and one for what is beyond. */
  inputTokenCounts: number[];
  outputTokenCounts: number[];
  /** Calls it took for another model. */
  fallbacks: number;
  totalMs: number;
  firstByteCalls: number;
  firstByteMs: number;
  latency: HistogramPairs;
  firstByte: HistogramPairs;
  /** Since 1970. */
  lastAt: number;
}

const noTokens = (): number[] => zeros(TOKEN_BOUNDS.length + 1);

/** Index of the first bound that is not exceeded: they are the powers of four. */
const boundOf = (tokens: number): number =>
  tokens <= 1 ? 0 : Math.min(TOKEN_BOUNDS.length, Math.ceil((32 - Math.clz32(tokens - 1)) / 2));

const noCalls = (alias: string, provider: string): CallCounts => ({
  alias,
  provider,
  calls: 0,
  attempts: 0,
  outcomes: new Map(),
  estimatedCalls: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  inputTokenCounts: noTokens(),
  outputTokenCounts: noTokens(),
  fallbacks: 0,
  totalMs: 0,
  firstByteCalls: 0,
  firstByteMs: 0,
  latency: [],
  firstByte: [],
  lastAt: 0,
});

/** Counts the calls of this process, in memory: what it does at the moment, whether or not storage can be asked. */
@Injectable()
export class CallMetrics {
  /** Milliseconds since 1970. */
  readonly startedAt = Date.now();
  /** By `performance.now()`. */
  readonly runningSince = performance.now();
  /** Of the hub itself, in seconds. */
  readonly overhead = new BoundedHistogram(OVERHEAD_BOUNDS);
  /** Requests that providers were sent, by provider and how each of them ended. */
  readonly attempts = new Map<Provider, Map<CallOutcome, number>>();
  private readonly aliases = new Map<string, CallCounts>();

  /** One request to a provider ended. */
  addAttempt(provider: Provider, outcome: CallOutcome): void {
    const outcomes = this.attempts.get(provider) ?? new Map<CallOutcome, number>();
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    this.attempts.set(provider, outcomes);
  }

  add({ model, outcome, usage, attempts, totalMs, firstByteMs, overheadMs, isFallback }: FinishedCall): void {
    const counts = this.countsOf(model.alias, model.provider);
    counts.provider = model.provider;
    counts.calls += 1;
    counts.attempts += attempts;
    counts.outcomes.set(outcome, (counts.outcomes.get(outcome) ?? 0) + 1);
    if (isFallback) counts.fallbacks += 1;
    if (overheadMs !== null) this.overhead.add(overheadMs / 1000);
    counts.totalMs += totalMs;
    counts.lastAt = Date.now();
    countInPairs(counts.latency, totalMs);
    if (firstByteMs !== null) {
      counts.firstByteCalls += 1;
      counts.firstByteMs += firstByteMs;
      countInPairs(counts.firstByte, firstByteMs);
    }
    if (usage === null) return;
    counts.estimatedCalls += usage.estimated ? 1 : 0;
    counts.inputTokens += usage.inputTokens;
    counts.cachedTokens += usage.cachedTokens;
    counts.outputTokens += usage.outputTokens;
    counts.reasoningTokens += usage.reasoningTokens;
    (counts.inputTokenCounts[boundOf(usage.inputTokens)] as number) += 1;
    (counts.outputTokenCounts[boundOf(usage.outputTokens)] as number) += 1;
  }

  /** How many aliases were called. */
  get size(): number {
    return this.aliases.size;
  }

  /** The first aliases that were called, so that none of them ever leaves the list, and all others as one. */
  *named(most: number): Iterable<CallCounts> {
    const all = [...this.aliases.values()];
    yield* all.slice(0, most);
    const others = all.slice(most);
    if (others.length > 0) yield others.reduce(addCounts, noCalls(OTHERS, OTHERS));
  }

  /** By number of calls, then alias. */
  all(): CallCounts[] {
    return [...this.aliases.values()].sort((a, b) => b.calls - a.calls || (a.alias < b.alias ? -1 : 1));
  }

  private countsOf(alias: string, provider: string): CallCounts {
    const known = this.aliases.get(alias);
    if (known) return known;
    const isFull = this.aliases.size >= MAX_ALIASES;
    if (isFull && alias !== OTHERS) return this.countsOf(OTHERS, provider);
    const counts = noCalls(alias, provider);
    this.aliases.set(alias, counts);
    return counts;
  }
}

const SUMMED = [
  'calls',
  'attempts',
  'estimatedCalls',
  'inputTokens',
  'cachedTokens',
  'outputTokens',
  'reasoningTokens',
  'fallbacks',
  'totalMs',
  'firstByteCalls',
  'firstByteMs',
] as const;

/** Adds the calls of one alias to those of several. */
const addCounts = (sum: CallCounts, counts: CallCounts): CallCounts => {
  for (const name of SUMMED) sum[name] += counts[name];
  for (const [outcome, calls] of counts.outcomes) sum.outcomes.set(outcome, (sum.outcomes.get(outcome) ?? 0) + calls);
  for (const name of ['inputTokenCounts', 'outputTokenCounts'] as const) {
    for (const [at, calls] of counts[name].entries()) (sum[name][at] as number) += calls;
  }
  // A bucket may be there twice: whoever reads them adds them up.
  sum.latency.push(...counts.latency);
  sum.firstByte.push(...counts.firstByte);
  return sum;
};
