import { describe, expect, it } from '@jest/globals';
import type { FinishedCall } from '../usage/usage-record.js';
import { CallMetrics } from './call-metrics.js';
import { sumCalls, toModelMetrics } from './metrics-report.js';

const aCall = (alias: string, fields: Partial<FinishedCall> = {}): FinishedCall => ({
  model: { alias, provider: 'openai' } as FinishedCall['model'],
  tokenId: null,
  source: 'api',
  streamed: false,
  outcome: 'ok',
  attempts: 1,
  prompt: null,
  error: null,
  usage: { inputTokens: 3, cachedTokens: 1, outputTokens: 2, reasoningTokens: 1, estimated: false },
  firstByteMs: 10,
  totalMs: 20,
  overheadMs: null,
  isFallback: false,
  ...fields,
});

const counted = (...calls: FinishedCall[]): CallMetrics => {
  const metrics = new CallMetrics();
  for (const call of calls) metrics.add(call);
  return metrics;
};

describe('the metrics of calls', () => {
  it('of no calls are zero, and durations unknown', () => {
    const none = { p50: null, p95: null, p99: null, mean: null };
    expect(sumCalls([])).toEqual({
      calls: 0,
      errors: 0,
      outcomes: {},
      attempts: 0,
      tokens: { input: 0, cached: 0, output: 0, reasoning: 0 },
      estimated_calls: 0,
      latency_ms: none,
      first_byte_ms: none,
    });
  });

  it('percentiles of several aliases are those of all their calls', () => {
    const durations = Array.from({ length: 1000 }, (_, index) => index + 1);
    const metrics = counted(...durations.map((totalMs) => aCall(`m${totalMs % 7}`, { totalMs, firstByteMs: null })));
    const { latency_ms: latency, first_byte_ms: firstByte, calls } = sumCalls(metrics.all());
    expect(calls).toBe(1000);
    for (const [name, exact] of [
      ['p50', 500],
      ['p95', 950],
      ['p99', 990],
    ] as const) {
      expect(Math.abs((latency[name] ?? 0) - exact) / exact).toBeLessThan(0.02);
    }
    expect(latency.mean).toBe(500.5);
    expect(firstByte.p50).toBeNull();
  });

  it('tell good calls from bad ones, and those without tokens', () => {
    const metrics = counted(
      aCall('m', { attempts: 3 }),
      aCall('m', { outcome: 'server', usage: null, firstByteMs: null, attempts: 2 }),
      aCall('m', { outcome: 'client_gone', usage: null }),
    );
    const [counts] = metrics.all();
    expect(counts && toModelMetrics(counts)).toMatchObject({
      calls: 3,
      errors: 1,
      attempts: 6,
      outcomes: { ok: 1, server: 1, client_gone: 1 },
      tokens: { input: 3, cached: 1, output: 2, reasoning: 1 },
      first_byte_ms: { mean: 10 },
    });
  });

  it('stay bounded: the calls of aliases beyond count are added up in one', () => {
    const metrics = new CallMetrics();
    for (let index = 0; index < 10_010; index += 1) metrics.add(aCall(`m${index}`));
    const all = metrics.all();
    expect(all).toHaveLength(10_001);
    expect(all[0]).toMatchObject({ alias: '(others)', calls: 10 });
    expect(sumCalls(all).calls).toBe(10_010);
  });
});
