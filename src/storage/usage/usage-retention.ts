import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Env } from '../../platform/config/env.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { LEVELS } from './usage-levels.js';
import type { UsageTable } from './usage-rows.js';

const DAY = 24 * 60 * 60 * 1000;
const LOOK_MILLISECONDS = 10 * 60 * 1000;
/** Small enough that a batch of usage which waits for it does not notice. */
const PORTION_ROWS = 5000;
/** In one go; what is left then is done the next time. */
const MAX_PORTIONS = 1000;
/** Any number, as long as every process of the product takes the same: one of them deletes at a time. */
const RETENTION_LOCK = 4_200_723_002;

/** Ends with the transaction, so it is never left behind. */
const TAKE_LOCK = 'SELECT pg_try_advisory_xact_lock($1) AS taken';
/**
 * Written down before the first row is deleted, so that no query takes a range for complete that is not. Rows by the hour
 * stay at least as long as those by the minute: a range in minutes is answered with both.
 */
const MOVE_ON = `UPDATE usage_retention SET complete_from = greatest(complete_from, CASE resolution
    WHEN 'minute' THEN $1::timestamptz
    ELSE least($2::timestamptz,
      greatest($1::timestamptz, (SELECT complete_from FROM usage_retention WHERE resolution = 'minute'))) END)`;
const deletePortion = (table: UsageTable): string => `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM ${table}
  WHERE level = ANY ($2::smallint[]) AND start < (SELECT complete_from FROM usage_retention WHERE resolution = $1)
  ORDER BY level, start, series_id LIMIT ${PORTION_ROWS}))`;

const KEPT_FOR_A_WHILE = [
  { table: 'usage_minutes', resolution: 'minute' },
  { table: 'usage_hours', resolution: 'hour' },
] as const;

/** The beginning of the UTC day so many days ago. */
const daysBefore = (now: number, days: number): string =>
  new Date(Math.floor((now - days * DAY) / DAY) * DAY).toISOString();

/** Deletes old sums by age, in the background and in small portions; those by the day are kept for ever. */
@Injectable()
export class UsageRetention implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private isStopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly env: Env,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      this.timer = setInterval(() => void this.run(), LOOK_MILLISECONDS).unref();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Deletes what is too old by now. Never fails: what could not be done is done the next time. */
  run(now = Date.now()): Promise<void> {
    this.running ??= this.deleteOld(now)
      .catch((error: unknown) => {
        if (!isDatabaseUnavailable(error)) this.logger.error({ msg: 'Old usage could not be deleted', err: error });
      })
      .finally(() => (this.running = null));
    return this.running;
  }

  private async deleteOld(now: number): Promise<void> {
    if (this.isStopping || !this.dataSource.isInitialized) return;
    if (!(await this.withLock((manager) => this.moveOn(manager, now)))) return;
    for (const { table, resolution } of KEPT_FOR_A_WHILE) {
      const values = [resolution, Object.values(LEVELS)];
      for (let portion = 0; portion < MAX_PORTIONS && !this.isStopping; portion += 1) {
        const deleted = await this.withLock(async (manager) => {
          const [, count] = await manager.query<[unknown[], number]>(deletePortion(table), values);
          return count;
        });
        if (deleted === null || deleted < PORTION_ROWS) break;
      }
    }
  }

  private async moveOn(manager: EntityManager, now: number): Promise<true> {
    const { USAGE_MINUTES_RETENTION_DAYS: minutes, USAGE_HOURS_RETENTION_DAYS: hours } = this.env;
    await manager.query(MOVE_ON, [daysBefore(now, minutes), daysBefore(now, hours)]);
    return true;
  }

  /** null: another process is at it. */
  private withLock<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result | null> {
    return this.dataSource.transaction(async (manager) => {
      const [lock] = await manager.query<{ taken: boolean }[]>(TAKE_LOCK, [RETENTION_LOCK]);
      return lock?.taken ? work(manager) : null;
    });
  }
}
