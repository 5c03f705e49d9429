import { Logger } from '@nestjs/common';
import CircuitBreaker from 'opossum';
import type { DependencyHealth } from '../../platform/health/health-registry.js';
import { StorageBusy, StorageLeftAlone, StorageUnavailable } from './storage-errors.js';

const WINDOW_MILLISECONDS = 10_000;
const CALLS_AT_LEAST = 20;
/** It opens above this; half of the calls are above. */
const FAILURES_PERCENT = 49.9;
const SHORTEST_PAUSE_MILLISECONDS = 5000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** Between 5 and 30 seconds, another one each time: many processes must not come back in the same moment. */
const aPause = (random: () => number): number =>
  SHORTEST_PAUSE_MILLISECONDS + random() * (LONGEST_PAUSE_MILLISECONDS - SHORTEST_PAUSE_MILLISECONDS);

/** What was refused, or was never sent, says nothing against the storage service. */
const isNoFailure = (error: unknown): boolean => !(error instanceof StorageUnavailable) || error instanceof StorageBusy;

export type BreakerState = 'closed' | 'open' | 'half_open';

type Work = () => Promise<unknown>;

/**
 * Leaves a storage service alone that fails: when half of at least twenty calls within ten seconds did, the next ones are
 * refused at once for a while; then one is tried. None of its timers keeps the process alive.
 */
export class StorageBreaker {
  private readonly logger = new Logger('StorageClient');
  private readonly options: CircuitBreaker.Options;
  private readonly circuit: CircuitBreaker<[Work]>;
  /** null: closed. */
  private openSince: number | null = null;
  private refused = 0;

  constructor(private readonly random: () => number = Math.random) {
    // The circuit reads its pause here whenever it opens.
    this.options = {
      name: 'storage',
      timeout: false,
      rollingCountTimeout: WINDOW_MILLISECONDS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      volumeThreshold: CALLS_AT_LEAST,
      errorThresholdPercentage: FAILURES_PERCENT,
      resetTimeout: aPause(random),
      errorFilter: isNoFailure,
    };
    this.circuit = new CircuitBreaker((work: Work) => work(), this.options);
    this.circuit.on('open', () => this.noteOpen());
    this.circuit.on('close', () => this.noteClosed());
    this.circuit.on('reject', () => (this.refused += 1));
  }

  /** Calls are refused, but for the one that is tried. */
  get isOpen(): boolean {
    return this.openSince !== null;
  }

  /** `half_open`: one call is being tried. */
  get state(): BreakerState {
    if (this.openSince === null) return 'closed';
    return this.circuit.halfOpen ? 'half_open' : 'open';
  }

  /** Throws {@link StorageLeftAlone} at once while it is open. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return (await this.circuit.fire(work)) as Result;
    } catch (error) {
      if (error instanceof Error && CircuitBreaker.isOurError(error)) {
        throw new StorageLeftAlone('The storage service fails at the moment; it was not asked.');
      }
      throw error;
    }
  }

  /** Somebody who went past it was answered well. */
  close(): void {
    this.circuit.close();
  }

  stop(): void {
    this.circuit.shutdown();
  }

  describe(): DependencyHealth {
    if (this.openSince === null) return { status: 'up', breaker: 'closed' };
    return {
      status: 'degraded',
      breaker: this.state,
      since: new Date(this.openSince).toISOString(),
      reason: 'The storage service fails: it is left alone for a while, then tried. Calls of known models go on.',
    };
  }

  private noteOpen(): void {
    this.options.resetTimeout = aPause(this.random);
    if (this.openSince !== null) return;
    this.openSince = Date.now();
    this.refused = 0;
    this.logger.warn(
      'The storage service fails too often and is left alone: calls of known models go on, what needs storage gets 503 at once',
    );
  }

  private noteClosed(): void {
    if (this.openSince === null) return;
    const seconds = Math.round((Date.now() - this.openSince) / 1000);
    this.openSince = null;
    this.logger.log({ msg: 'The storage service answers; it is asked again', seconds, refused_requests: this.refused });
  }
}
