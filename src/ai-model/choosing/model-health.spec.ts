import { describe, expect, it } from '@jest/globals';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CallOutcome } from '../../contract/usage.contract.js';
import { ModelHealth } from './model-health.js';

const model = (version = 1): SnapshotModel => ({ id: 'm', version }) as SnapshotModel;
const after = (...outcomes: CallOutcome[]): ModelHealth => {
  const health = new ModelHealth();
  outcomes.forEach((outcome, index) => health.note(model(), outcome, index));
  return health;
};
const times = (count: number, outcome: CallOutcome): CallOutcome[] => Array<CallOutcome>(count).fill(outcome);

describe("a model's health", () => {
  it.each<[string, CallOutcome[], string]>([
    ['nothing', [], 'unknown'],
    ['successes', times(30, 'ok'), 'healthy'],
    ['one failure among successes', [...times(10, 'ok'), 'server', 'ok'], 'degraded'],
    ['three failures in a row', [...times(17, 'ok'), ...times(3, 'network')], 'unhealthy'],
    ['a success after them', [...times(17, 'ok'), ...times(3, 'network'), 'ok'], 'degraded'],
    ['every second call failing', ['ok', 'server', 'ok', 'server'], 'unhealthy'],
    ['failures older than twenty calls', [...times(3, 'server'), ...times(20, 'ok')], 'healthy'],
    ['what callers did wrong', [...times(5, 'bad_request'), ...times(5, 'client_gone'), 'context_too_long'], 'unknown'],
    ['a refused key', times(3, 'auth'), 'unhealthy'],
  ])('after %s', (_name, outcomes, state) => expect(after(...outcomes).stateOf(model(), 100)).toBe(state));

  it('is unknown again a minute after the last call, and for a changed config at once', () => {
    const health = after('server', 'server', 'server');
    expect(health.stateOf(model(), 60_000)).toBe('unhealthy');
    expect(health.stateOf(model(), 60_003)).toBe('unknown');
    expect(health.stateOf(model(2), 10)).toBe('unknown');
  });

  it('tells people of the last attempts, and of the last one for ever', () => {
    const health = after('ok', 'server', 'network', 'bad_request');
    const at = (milliseconds: number): number => performance.timeOrigin + milliseconds;
    expect(health.describe(model(), 100)).toEqual({
      state: 'degraded',
      attempts: 3,
      failures: 2,
      failedInARow: 2,
      lastOutcome: 'network',
      lastAt: at(2),
      lastOkAt: at(0),
    });
    const later = { state: 'unknown', attempts: 0, failures: 0, failedInARow: 0 };
    expect(health.describe(model(), 90_000)).toMatchObject({ ...later, lastOutcome: 'network', lastOkAt: at(0) });
    health.note(model(), 'server', 90_000);
    expect(health.describe(model(), 90_001)).toMatchObject({ attempts: 1, failures: 1, lastOkAt: at(0) });
    expect(health.describe(model(2), 90_001)).toEqual({ ...later, lastOutcome: null, lastAt: null, lastOkAt: null });
  });
});
