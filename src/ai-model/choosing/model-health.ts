import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CallOutcome } from '../../contract/usage.contract.js';

/** How a model does at the moment, as this process sees it. */
export const HEALTH_STATES = ['healthy', 'degraded', 'unhealthy', 'unknown'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

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

/** How the last attempts at a model went. Times are milliseconds since 1970. */
export interface HealthRecord {
  state: HealthState;
  /** Attempts that tell of the model, of the last minute and at most the last twenty; 0 when the last one is older. */
  attempts: number;
  failures: number;
  failedInARow: number;
  /** null: no attempt of this version of the config yet. */
  lastOutcome: CallOutcome | null;
  lastAt: number | null;
  lastOkAt: number | null;
}

interface Recent {
  /** Version of the config: another key or address is another model. */
  version: number;
  /** The newest outcomes as bits, 1 for a failure. */
  failures: number;
  count: number;
  failedInARow: number;
  at: number;
  lastOutcome: CallOutcome;
  lastOkAt: number | null;
}

/** Remembers how the last attempts at each model went: in memory, of this process, learned from real calls alone. */
@Injectable()
export class ModelHealth {
  private readonly models = new Map<string, Recent>();

  /** An attempt ended. */
  note({ id, version }: SnapshotModel, outcome: CallOutcome, now = performance.now()): void {
    const failed = ITS_FAULT.has(outcome);
    if (outcome !== 'ok' && !failed) return;
    const recent = this.recent(id, version, now) ?? this.restart(id, version);
    recent.failures = ((recent.failures << 1) | (failed ? 1 : 0)) & ALL_SLOTS;
    recent.count = Math.min(REMEMBERED, recent.count + 1);
    recent.failedInARow = failed ? recent.failedInARow + 1 : 0;
    recent.at = now;
    recent.lastOutcome = outcome;
    if (!failed) recent.lastOkAt = now;
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

  /** For people: also tells of the last attempt when it is too old to count. */
  describe(model: SnapshotModel, now = performance.now()): HealthRecord {
    const known = this.models.get(model.id);
    const last = known?.version === model.version ? known : undefined;
    const recent = this.recent(model.id, model.version, now);
    const toTime = (at: number | null | undefined): number | null =>
      at === null || at === undefined ? null : performance.timeOrigin + at;
    return {
      state: this.stateOf(model, now),
      attempts: recent?.count ?? 0,
      failures: recent ? bitsOf(recent.failures) : 0,
      failedInARow: recent?.failedInARow ?? 0,
      lastOutcome: last?.lastOutcome ?? null,
      lastAt: toTime(last?.at),
      lastOkAt: toTime(last?.lastOkAt),
    };
  }

  /** What is too old to count is forgotten, but when the model last answered. */
  private restart(id: string, version: number): Recent {
    const before = this.models.get(id);
    const lastOkAt = before?.version === version ? before.lastOkAt : null;
    return { version, failures: 0, count: 0, failedInARow: 0, at: 0, lastOutcome: 'ok', lastOkAt };
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
