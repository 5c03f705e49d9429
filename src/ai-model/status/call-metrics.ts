import { Injectable } from '@nestjs/common';
import { countInPairs, type HistogramPairs } from '../../contract/histogram.js';
import type { CallOutcome } from '../../contract/usage.contract.js';
import type { FinishedCall } from '../usage/usage-record.js';

/** More aliases than a hub has models; the calls of those beyond are added up in one. */
const MAX_ALIASES = 10_000;
const OTHERS = '(others)';

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
  totalMs: number;
  firstByteCalls: number;
  firstByteMs: number;
  latency: HistogramPairs;
  firstByte: HistogramPairs;
  /** Since 1970. */
  lastAt: number;
}

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
  private readonly aliases = new Map<string, CallCounts>();

  add({ model, outcome, usage, attempts, totalMs, firstByteMs }: FinishedCall): void {
    const counts = this.countsOf(model.alias, model.provider);
    counts.provider = model.provider;
    counts.calls += 1;
    counts.attempts += attempts;
    counts.outcomes.set(outcome, (counts.outcomes.get(outcome) ?? 0) + 1);
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
