import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Env } from '../../platform/config/env.js';
import { HealthRegistry } from '../../platform/health/health-registry.js';
import { Bulkhead, type BulkheadLimits, NoPlace } from '../../platform/limits/bulkhead.js';
import { RetryBudget } from '../../platform/limits/retry-budget.js';
import { SingleFlight } from '../../platform/limits/single-flight.js';
import { type BreakerState, StorageBreaker } from './storage-breaker.js';
import { StorageBusy, StorageUnavailable, toClientError, toStorageError, wasNeverSent } from './storage-errors.js';
import { RequestCounts } from './request-counts.js';
import { type StorageAnswer, type StorageRequest, StorageTransport } from './storage-transport.js';

const MAX_ATTEMPTS = 3;
const FIRST_BACKOFF_MILLISECONDS = 100;
/** Who limits us without saying for how long: a random wait alone could be none. */
const LIMITED_FLOOR_MILLISECONDS = 250;
/** With less time left another attempt only adds load. */
const SHORTEST_ATTEMPT_MILLISECONDS = 50;
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);
/** A poll that is answered so soon tells that storage is well. */
const QUICK_MILLISECONDS = 1000;
const BUDGET = 'storage';

/** What the process does by itself, one at a time, and again in a moment when it fails: never tried twice in a row. */
const BY_ITSELF: BulkheadLimits = { places: 1, queue: 10, waitMilliseconds: 30_000 };
/** Together ten at work, and the watch. */
const LANES = {
  callers: { places: 7, queue: 100, waitMilliseconds: 2000 },
  snapshot: BY_ITSELF,
  usage: BY_ITSELF,
  instance: BY_ITSELF,
} satisfies Record<string, BulkheadLimits>;
export type Lane = keyof typeof LANES;

export interface StorageCall extends StorageRequest {
  lane: Lane;
  /** May be sent twice without effect: reads, and writes that carry their own id. */
  repeatable: boolean;
}

type Outcome = { answer: StorageAnswer } | Failure;

interface Failure {
  error: Error;
  mayRepeat: boolean;
  /** As storage asks for. */
  waitMilliseconds?: number | undefined;
  isLimited?: boolean;
}

/**
 * One logical call of the storage service: attempts, waits and all within `STORAGE_SERVICE_TIMEOUT`, and no more of them
 * than a service in trouble can bear. Throws {@link StorageError}s.
 */
@Injectable()
export class StorageExchange implements OnApplicationShutdown {
  readonly counts = new RequestCounts<Lane>();
  private readonly breaker = new StorageBreaker();
  private readonly budget = new RetryBudget();
  private readonly flights = new SingleFlight();
  private readonly lanes: Record<Lane, Bulkhead> = {
    callers: new Bulkhead(LANES.callers),
    snapshot: new Bulkhead(LANES.snapshot),
    usage: new Bulkhead(LANES.usage),
    instance: new Bulkhead(LANES.instance),
  };

  constructor(
    private readonly transport: StorageTransport,
    private readonly env: Env,
    health: HealthRegistry,
  ) {
    health.register('storage_service', () => this.breaker.describe());
  }

  /** Storage fails so often that most calls are refused here. */
  get isBreakerOpen(): boolean {
    return this.breaker.isOpen;
  }

  get breakerState(): BreakerState {
    return this.breaker.state;
  }

  /** How many requests of each kind are at work, and how many wait for a place. */
  get load(): { lane: Lane; atWork: number; waiting: number }[] {
    const lanes = Object.entries(this.lanes) as [Lane, Bulkhead][];
    return lanes.map(([lane, { atWork, inLine }]) => ({ lane, atWork, waiting: inLine }));
  }

  onApplicationShutdown(): void {
    this.breaker.stop();
  }

  run(call: StorageCall): Promise<StorageAnswer> {
    const deadline = performance.now() + this.env.STORAGE_SERVICE_TIMEOUT * 1000;
    if (call.lane === 'snapshot') return this.counts.of(call.lane, () => this.poll(call, deadline));
    const work = (): Promise<StorageAnswer> =>
      this.counts.of(call.lane, () => this.breaker.run(() => this.attempts(call, deadline)));
    return call.lane === 'callers' && call.method === 'GET' ? this.flights.run(keyOf(call), work) : work();
  }

  /** Past the breaker: it finds out first that storage is there again. */
  private async poll(call: StorageCall, deadline: number): Promise<StorageAnswer> {
    const startedAt = performance.now();
    const answer = await this.attempts(call, deadline);
    if (performance.now() - startedAt < QUICK_MILLISECONDS) this.breaker.close();
    return answer;
  }

  private async attempts(call: StorageCall, deadline: number): Promise<StorageAnswer> {
    const most = call.lane === 'callers' ? MAX_ATTEMPTS : 1;
    // Who is never tried again buys no retries for the others.
    if (most > 1) this.budget.earn(BUDGET);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.inLane(call, deadline);
      if ('answer' in outcome) return outcome.answer;
      const wait = waitAfter(attempt, outcome);
      const hasTime = performance.now() + wait + SHORTEST_ATTEMPT_MILLISECONDS < deadline;
      const isWorthIt = outcome.mayRepeat && attempt < most && hasTime && !this.breaker.isOpen;
      if (!isWorthIt || !this.budget.spend(BUDGET)) throw outcome.error;
      this.counts.retries += 1;
      await sleep(wait);
    }
  }

  private async inLane(call: StorageCall, deadline: number): Promise<Outcome> {
    try {
      return await this.lanes[call.lane].pass(() => this.attempt(call, deadline), deadline - performance.now());
    } catch (error) {
      if (error instanceof NoPlace) return { error: toError(error), mayRepeat: false };
      throw error;
    }
  }

  private async attempt({ lane: _lane, repeatable, ...request }: StorageCall, deadline: number): Promise<Outcome> {
    const left = Math.ceil(deadline - performance.now());
    try {
      const answer = await this.transport.request(request, AbortSignal.timeout(Math.max(1, left)));
      const { status } = answer;
      if ((status >= 200 && status < 300) || status === 304) return { answer };
      return {
        error: toStorageError(status, answer.data),
        mayRepeat: repeatable && RETRYABLE_STATUSES.has(status),
        waitMilliseconds: retryAfterOf(answer),
        isLimited: status === 429,
      };
    } catch (error) {
      return { error: toClientError(error), mayRepeat: repeatable || wasNeverSent(error) };
    }
  }
}

/** Two calls with the same one ask for the same, in the name of the same caller. */
const keyOf = ({ path, params, headers }: StorageCall): string =>
  JSON.stringify([path, params, headers?.['authorization']]);

const toError = ({ reason }: NoPlace): StorageUnavailable =>
  reason === 'full'
    ? new StorageBusy('Too many requests wait for the storage service.')
    : new StorageUnavailable('The storage service is too slow for all that it is asked.');

/** A random time that doubles its bound with every attempt, or what storage asks for. */
const waitAfter = (attempt: number, { waitMilliseconds, isLimited }: Failure): number => {
  if (waitMilliseconds !== undefined) return waitMilliseconds;
  const floor = isLimited === true ? LIMITED_FLOOR_MILLISECONDS : 0;
  return floor + Math.random() * FIRST_BACKOFF_MILLISECONDS * 2 ** attempt;
};

const retryAfterOf = ({ headers }: StorageAnswer): number | undefined => {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
};
