import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import type { DatabaseConnection } from './connection.js';
import { Availability, probeOf } from './availability.js';
import { dataSourceOptions, SERVING } from './data-source-options.js';
import { databaseRefusal, isDatabaseUnavailable } from './database-errors.js';
import { guardedPool } from './guarded-pool.js';
import { migrate } from './migrate.js';

const RETRY_MILLISECONDS = 1000;

interface DatabaseEvents {
  /** Runs once the schema is up to date, before the first request is served. */
  onMigrated: (dataSource: DataSource) => Promise<void>;
  /** A later attempt failed for a reason that waiting does not mend. */
  onFatal: (error: unknown) => void;
}

/** The connections that the requests of this process share. */
export interface PoolState {
  /** How many there may be. */
  limit: number;
  idle: number;
  inUse: number;
  /** Who waits for one. */
  waiting: number;
}

/**
 * The database of this process. A server that is away at start does not end the process: requests get 503 and it is
 * tried again every second, until it is there or the reason is another one than being away.
 */
export class Database {
  readonly dataSource: DataSource;
  private readonly availability: Availability;
  private readonly logger = new Logger('Database');
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;
  private ready = false;
  private pool: pg.Pool | null = null;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly events: DatabaseEvents,
  ) {
    this.availability = new Availability(probeOf(connection));
    this.dataSource = new DataSource(
      dataSourceOptions(
        connection,
        SERVING,
        guardedPool(this.availability, (pool) => (this.pool = pool)),
      ),
    );
  }

  /** Migrated and checked; says nothing about this very moment. */
  get isReady(): boolean {
    return this.ready;
  }

  /** Ready, and it answered when somebody looked last; nobody is asked. */
  get isUp(): boolean {
    return this.ready && !this.availability.isAway;
  }

  /** How many times it went away since the start. */
  get outages(): number {
    return this.availability.outages;
  }

  /** null: there is no pool yet. */
  get poolState(): PoolState | null {
    if (!this.pool) return null;
    const { options, totalCount, idleCount, waitingCount } = this.pool;
    return { limit: options.max, idle: idleCount, inUse: totalCount - idleCount, waiting: waitingCount };
  }

  /** Throws what waiting does not mend; otherwise returns, ready or not. */
  async start(): Promise<void> {
    try {
      await this.prepare();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw databaseRefusal(error) ?? error;
      this.logger.warn({ msg: 'The database cannot be reached; trying again every second', err: error });
      this.scheduleRetry();
    }
  }

  /** Answers within the connection's deadlines, at once while it is known to be away; throws when the database is away. */
  async ping(): Promise<void> {
    await this.dataSource.query('SELECT 1');
  }

  /** Waits for queries under way, which end within their deadlines. Safe to call twice. */
  close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    this.availability.stop();
    this.closing ??= this.dataSource.isInitialized ? this.dataSource.destroy() : undefined;
    return this.closing ?? Promise.resolve();
  }

  private async prepare(): Promise<void> {
    await migrate(this.connection, (line) => this.logger.log(line));
    if (this.isClosed) return;
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    await this.events.onMigrated(this.dataSource);
    this.ready = !this.isClosed;
    if (this.isClosed) await this.dataSource.destroy();
  }

  private scheduleRetry(): void {
    if (this.isClosed) return;
    this.retry = setTimeout(() => {
      this.prepare().then(
        () => this.logger.log('The database is there'),
        (error: unknown) =>
          isDatabaseUnavailable(error) ? this.scheduleRetry() : this.events.onFatal(databaseRefusal(error) ?? error),
      );
    }, RETRY_MILLISECONDS);
  }
}
