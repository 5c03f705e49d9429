import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CallOutcome } from '../../contract/usage.contract.js';

/** How a model does at the moment, as this process sees it. */
export type HealthState = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

/** Outcomes that say something about the model or its provider, and not about the request. */
const ITS_FAULT: ReadonlySet<CallOutcome> = new Set<CallOutcome>([
  'auth',
  'quota',
  'rate_limit',
  'overloaded',
  'not_found',
  'timeout',
  'network',
  'server',
  'bad_answer',
  'blocked_destination',
]);

/** Outcomes remembered per model. */
const REMEMBERED = 20;
/** Older ones say nothing of now: a model that failed gets its next chance then. */
const MEMORY_MILLISECONDS = 60_000;
const ALL_SLOTS = 2 ** REMEMBERED - 1;

interface Recent {
  /** Version of the config: another key or address is another model. */
  version: number;
  /** The newest outcomes as bits, 1 for a failure. */
  failures: number;
  count: number;
  failedInARow: number;
  at: number;
}

/** Remembers how the last attempts at each model went: in memory, of this process, learned from real calls alone. */
@Injectable()
export class ModelHealth {
  private readonly models = new Map<string, Recent>();

  /** An attempt ended. */
  note({ id, version }: SnapshotModel, outcome: CallOutcome, now = performance.now()): void {
    const failed = ITS_FAULT.has(outcome);
    if (outcome !== 'ok' && !failed) return;
    const recent = this.recent(id, version, now) ?? { version, failures: 0, count: 0, failedInARow: 0, at: now };
    recent.failures = ((recent.failures << 1) | (failed ? 1 : 0)) & ALL_SLOTS;
    recent.count = Math.min(REMEMBERED, recent.count + 1);
    recent.failedInARow = failed ? recent.failedInARow + 1 : 0;
    recent.at = now;
    this.models.set(id, recent);
  }

  /** `unhealthy`: the last three failed, or half of them; `degraded`: some did. */
  stateOf({ id, version }: SnapshotModel, now = performance.now()): HealthState {
    const recent = this.recent(id, version, now);
    if (!recent) return 'unknown';
    const failures = bitsOf(recent.failures);
    if (recent.failedInARow >= 3 || (recent.count >= 4 && failures * 2 >= recent.count && recent.failedInARow > 0)) {
      return 'unhealthy';
    }
    return failures > 0 ? 'degraded' : 'healthy';
  }

  private recent(id: string, version: number, now: number): Recent | undefined {
    const recent = this.models.get(id);
    return recent && recent.version === version && now - recent.at <= MEMORY_MILLISECONDS ? recent : undefined;
  }
}

const bitsOf = (value: number): number => {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
};
