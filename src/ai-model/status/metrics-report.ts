import { type HistogramPairs, quantilesOf, sortPairs } from '../../contract/histogram.js';
import type { DurationSummary } from '../../contract/statistics.contract.js';
import type { CallOutcome } from '../../contract/usage.contract.js';
import type { CallCounts } from './call-metrics.js';
import type { CallSums, ModelMetrics } from './status.views.js';

const RANKS = [0.5, 0.95, 0.99];
/** Calls that ended well, or that their caller gave up. */
const NO_ERRORS: ReadonlySet<CallOutcome> = new Set<CallOutcome>(['ok', 'client_gone']);

const sumOf = (list: readonly CallCounts[], read: (counts: CallCounts) => number): number =>
  list.reduce((sum, counts) => sum + read(counts), 0);

const round = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;

/** Of all histograms together. */
const durationsOf = (histograms: HistogramPairs[], calls: number, totalMs: number): DurationSummary => {
  const counts: number[] = [];
  for (const pairs of histograms.map(sortPairs)) {
    for (let at = 0; at < pairs.length; at += 2) {
      const bucket = pairs[at] as number;
      counts[bucket] = (counts[bucket] ?? 0) + (pairs[at + 1] as number);
    }
  }
  const dense = Array.from(counts, (count) => count ?? 0);
  const [p50, p95, p99] = (quantilesOf(dense, RANKS) ?? []).map(round);
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null, mean: calls === 0 ? null : round(totalMs / calls) };
};

const outcomesOf = (list: readonly CallCounts[]): Map<CallOutcome, number> => {
  const outcomes = new Map<CallOutcome, number>();
  for (const [outcome, calls] of list.flatMap((counts) => [...counts.outcomes])) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + calls);
  }
  return outcomes;
};

/** Adds up the calls of some aliases. */
export const sumCalls = (list: readonly CallCounts[]): CallSums => {
  const outcomes = outcomesOf(list);
  const calls = sumOf(list, (counts) => counts.calls);
  const good = [...outcomes].reduce((sum, [outcome, number]) => sum + (NO_ERRORS.has(outcome) ? number : 0), 0);
  const firstByteCalls = sumOf(list, (counts) => counts.firstByteCalls);
  return {
    calls,
    errors: calls - good,
    outcomes: Object.fromEntries(outcomes),
    attempts: sumOf(list, (counts) => counts.attempts),
    tokens: {
      input: sumOf(list, (counts) => counts.inputTokens),
      cached: sumOf(list, (counts) => counts.cachedTokens),
      output: sumOf(list, (counts) => counts.outputTokens),
      reasoning: sumOf(list, (counts) => counts.reasoningTokens),
    },
    estimated_calls: sumOf(list, (counts) => counts.estimatedCalls),
    latency_ms: durationsOf(
      list.map((counts) => counts.latency),
      calls,
      sumOf(list, (counts) => counts.totalMs),
    ),
    first_byte_ms: durationsOf(
      list.map((counts) => counts.firstByte),
      firstByteCalls,
      sumOf(list, (counts) => counts.firstByteMs),
    ),
  };
};

export const toModelMetrics = (counts: CallCounts): ModelMetrics => ({
  alias: counts.alias,
  provider: counts.provider,
  ...sumCalls([counts]),
  last_call_at: new Date(counts.lastAt).toISOString(),
});
