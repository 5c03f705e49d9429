import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { DatabaseConnection } from './connection.js';
import { isDatabaseUnavailable } from './database-errors.js';
import { breakConnection } from './deadline-client.js';

const PROBE_DEADLINE_MILLISECONDS = 1000;
const PROBE_EVERY_MILLISECONDS = 250;

/** A server with too many connections, or with no room left, is there: whoever has a connection can work. */
const IS_THERE = /^53/;

/** Told without asking anybody; the code is PostgreSQL's for a connection that cannot be made. */
export class DatabaseAway extends Error {
  readonly code = '08001';

  constructor() {
    super('The database was away a moment ago');
  }
}

/** Asks the server for a sign of life; throws without one. */
export type Probe = () => Promise<void>;

/**
 * Whether there is any use in asking the database. A frozen server would cost every request its whole deadline; so, once
 * something went wrong, one connection beside the pool looks whether it lives, and while it does not, nobody else asks. No
 * failure of a request alone makes it away: that takes a probe that failed, and the next one that succeeds ends it.
 */
export class Availability {
  private readonly logger = new Logger('Database');
  private readonly stopping = new AbortController();
  private looking: Promise<void> | null = null;
  private awaySince: number | null = null;
  private ended = 0;

  constructor(private readonly probe: Probe) {}

  get isAway(): boolean {
    return this.awaySince !== null;
  }

  /** How many times it went away: what was connected before the last time may be dead without knowing it. */
  get outages(): number {
    return this.ended + (this.isAway ? 1 : 0);
  }

  /** Something went wrong that may have been the database; costs nothing while it is looked already. */
  suspect(): void {
    if (this.stopping.signal.aborted) return;
    this.looking ??= this.look().finally(() => (this.looking = null));
  }

  stop(): void {
    this.stopping.abort();
  }

  private async look(): Promise<void> {
    const { signal } = this.stopping;
    for (let isThere = false; !isThere && !signal.aborted;) {
      isThere = await this.isThere();
      // After a success too: a crowd of failures must not become one of probes.
      await sleep(PROBE_EVERY_MILLISECONDS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async isThere(): Promise<boolean> {
    try {
      await this.probe();
    } catch (error) {
      const isAway = isDatabaseUnavailable(error) && !IS_THERE.test(String((error as { code?: unknown }).code));
      if (isAway) this.noteAway(error);
      else this.noteThere();
      return !isAway;
    }
    this.noteThere();
    return true;
  }

  private noteAway(error: unknown): void {
    if (this.isAway || this.stopping.signal.aborted) return;
    this.awaySince = performance.now();
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn({ msg: 'The database does not answer; what needs it is 503 until it does', reason });
  }

  private noteThere(): void {
    if (this.awaySince === null) return;
    const seconds = Math.round((performance.now() - this.awaySince) / 100) / 10;
    this.awaySince = null;
    this.ended += 1;
    this.logger.log({ msg: 'The database answers again', away_for_seconds: seconds });
  }
}

/** A connection of its own each time: one of the pool may be dead while the server lives, or the other way round. */
export const probeOf =
  ({ host, port, user, password, database, ssl }: DatabaseConnection): Probe =>
  async () => {
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      ssl,
      application_name: 'ai-model-hub probe',
      connectionTimeoutMillis: PROBE_DEADLINE_MILLISECONDS,
      query_timeout: PROBE_DEADLINE_MILLISECONDS,
    });
    // What breaks is said by the promises.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
      void client.end().catch(() => undefined);
    } catch (error) {
      breakConnection(client);
      throw error;
    }
  };
