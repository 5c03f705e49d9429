import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { type DependencyHealth, HealthRegistry } from '../health/health-registry.js';
import type { RedisAddress } from './redis-address.js';
import { isOfOneKey, RedisClosed, RedisSilence, type RedisTrouble, troubleOf } from './redis-trouble.js';
import { RedisTrust } from './redis-trust.js';

/** What a command may take. Whoever waits for it goes on without Redis then. */
const ANSWER_MILLISECONDS = 50;
const CONNECT_MILLISECONDS = 500;
/** For what the client asks itself on a new connection: nobody waits for that. */
const GREETING_MILLISECONDS = 500;
const LONGEST_BACKOFF_MILLISECONDS = 2000;
const PROBE_MILLISECONDS = 200;
/** While it is used, its commands show how it does; idle ones are probed so often. */
const CALM_PROBE_MILLISECONDS = 1000;
const MAX_UNDER_WAY = 1000;

/** As the hub's commands are: a script that writes. PING would be answered by a replica, and with a full memory. */
const PROBE = "return redis.call('SET', KEYS[1], '1', 'PX', 10000)";
const PROBE_KEY = 'hub:probe';

const WITHOUT = 'Until then each process counts rate limits for itself, and answers are not cached.';

const backoff = (attempt: number): number =>
  Math.min(LONGEST_BACKOFF_MILLISECONDS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

const withDeadline = <Value>(work: Promise<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    // What has arrived meanwhile is read first: a process that was busy itself must not blame Redis for it.
    const expire = (): void => void setImmediate(() => reject(new RedisSilence()));
    const timer = setTimeout(expire, ANSWER_MILLISECONDS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });

/**
 * The Redis of REDIS_URL: shared, fast, and never needed. A command is answered in time or not at all; after a failure
 * nothing is asked until Redis has answered probes for a while.
 */
@Injectable()
export class RedisConnection implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly trust = new RedisTrust();
  private client: Redis | null = null;
  private probing: NodeJS.Timeout | undefined;
  private isProbing = false;
  private isClosed = false;
  private lastProbeAt = -Infinity;
  private underWay = 0;
  private connections = 0;
  private silences = 0;
  /** Why it is not used, as it was found last. */
  private trouble: RedisTrouble = { kind: 'new', reason: 'it is not connected yet' };
  /** Of this outage: each kind is told once. */
  private readonly told = new Set<string>();

  constructor(
    private readonly address: RedisAddress,
    health: HealthRegistry,
  ) {
    health.register('redis', () => this.health());
  }

  /** Nothing waits for the connection: a Redis that is away does not hold up the start. */
  onApplicationBootstrap(): void {
    this.open().catch((error: unknown) => this.logger.error({ msg: 'The Redis client cannot be loaded', err: error }));
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearInterval(this.probing);
    this.client?.disconnect();
  }

  /** Whether a command would be sent now. */
  get isUsable(): boolean {
    return this.trust.isGiven && this.underWay < MAX_UNDER_WAY && this.client?.status === 'ready';
  }

  /** Whether it is used: connected, and its answers are trusted. */
  get isTrusted(): boolean {
    return this.trust.isGiven;
  }

  /** How often the connection was made anew. */
  get reconnects(): number {
    return Math.max(0, this.connections - 1);
  }

  /** Commands and probes that were not answered in time. */
  get timeouts(): number {
    return this.silences;
  }

  /** Answers within 50 ms, undefined when Redis cannot be used. Never throws. */
  async run<Value>(command: (redis: Redis) => Promise<Value>): Promise<Value | undefined> {
    if (!this.isUsable || !this.client) return undefined;
    this.underWay += 1;
    try {
      return await withDeadline(command(this.client));
    } catch (error) {
      if (!isOfOneKey(error)) this.failed(error);
      return undefined;
    } finally {
      this.underWay -= 1;
    }
  }

  private async open(): Promise<void> {
    // Not loaded by a process that has no Redis.
    const { Redis } = await import('ioredis');
    if (this.isClosed) return;
    this.client = new Redis({
      ...this.address,
      connectTimeout: CONNECT_MILLISECONDS,
      commandTimeout: GREETING_MILLISECONDS,
      disconnectTimeout: 100,
      enableOfflineQueue: false,
      // What was under way when the connection broke has failed. Sent again, a call would count twice.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: backoff,
      disableClientInfo: true,
    });
    this.client.on('error', (error: unknown) => this.failed(error));
    this.client.on('close', () => this.failed(new RedisClosed()));
    this.client.on('ready', () => {
      this.connections += 1;
      void this.probe();
    });
    this.probing = setInterval(() => void this.probe(), PROBE_MILLISECONDS).unref();
  }

  private async probe(): Promise<void> {
    const now = performance.now();
    const isDue = !this.trust.isGiven || now - this.lastProbeAt >= CALM_PROBE_MILLISECONDS;
    if (this.isProbing || this.isClosed || !isDue || this.client?.status !== 'ready') return;
    this.isProbing = true;
    this.lastProbeAt = now;
    try {
      await withDeadline(this.client.eval(PROBE, 1, PROBE_KEY));
      if (this.trust.good(performance.now())) this.tellFound();
    } catch (error) {
      this.failed(error);
    } finally {
      this.isProbing = false;
    }
  }

  private failed(error: unknown): void {
    if (this.isClosed) return;
    const trouble = troubleOf(error);
    if (trouble.kind === 'silent') this.silences += 1;
    const isLoss = this.trust.bad(performance.now());
    // A connection that says nothing may be half of one: what waits on it would pile up.
    if (trouble.kind === 'silent' && this.client?.status === 'ready') this.client.disconnect(true);
    // That a connection ends follows every other trouble.
    if (!isLoss && trouble.kind === 'closed') return;
    this.trouble = trouble;
    if (!this.told.has(trouble.kind)) this.logger.warn(`Redis cannot be used: ${trouble.reason}. ${WITHOUT}`);
    this.told.add(trouble.kind);
  }

  private tellFound(): void {
    this.told.clear();
    this.logger.log('Redis is used: rate limits count for all processes together, and answers are cached');
  }

  private health(): DependencyHealth {
    return this.trust.isGiven ? { status: 'up' } : { status: 'degraded', reason: this.trouble.reason };
  }
}
