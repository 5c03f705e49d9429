import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type SessionStore, Sessions, type StoredSession } from '../../platform/auth/sessions.js';
import { AppError } from '../../platform/errors/app-error.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';

/** Nobody was seen for so long: whoever comes now may be somebody else. */
const IDLE = "interval '12 hours'";
const FIND = `SELECT id_sha256 AS "idSha256", key, expires_at AS "expiresAt", last_seen_at < now() - interval '1 minute' AS "isStale"
  FROM console_sessions WHERE id_sha256 = $1 AND expires_at > now() AND last_seen_at > now() - ${IDLE}`;
const TOUCH = 'UPDATE console_sessions SET last_seen_at = now() WHERE id_sha256 = $1';
const SAVE = 'INSERT INTO console_sessions (id_sha256, key, expires_at) VALUES ($1, $2, $3)';
/** A few with every new one: as many go as come. */
const FORGET = `DELETE FROM console_sessions WHERE id_sha256 IN (SELECT id_sha256 FROM console_sessions
  WHERE expires_at < now() OR last_seen_at < now() - ${IDLE} LIMIT 10)`;

/** What was found is known for so long while the database is away. */
const KEPT_MILLISECONDS = 60 * 60 * 1000;
const MAX_KEPT = 1000;

/** Sessions in PostgreSQL. While it is away those that were used of late go on: the console is to say what is wrong. */
@Injectable()
export class StoredSessions implements SessionStore, OnModuleInit {
  private readonly kept = new Map<string, { session: StoredSession; until: number }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: Sessions,
  ) {}

  onModuleInit(): void {
    this.sessions.use(this);
  }

  async save({ idSha256, key, expiresAt }: StoredSession): Promise<void> {
    await this.dataSource.query(SAVE, [idSha256, key, expiresAt]);
    await this.dataSource.query(FORGET);
  }

  async find(idSha256: string): Promise<StoredSession | null> {
    try {
      const [found] = await this.dataSource.query<(StoredSession & { isStale: boolean })[]>(FIND, [idSha256]);
      this.keep(idSha256, found);
      if (found?.isStale) this.touch(idSha256);
      return found ?? null;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      const kept = this.kept.get(idSha256);
      if (kept && kept.until > performance.now() && kept.session.expiresAt > new Date()) return kept.session;
      throw new AppError('token_check_unavailable', { headers: { 'retry-after': '2' }, cause: error });
    }
  }

  async remove(idSha256: string): Promise<void> {
    this.kept.delete(idSha256);
    await this.dataSource.query('DELETE FROM console_sessions WHERE id_sha256 = $1', [idSha256]);
  }

  private keep(idSha256: string, session: StoredSession | undefined): void {
    this.kept.delete(idSha256);
    if (!session) return;
    if (this.kept.size >= MAX_KEPT) this.kept.delete(this.kept.keys().next().value as string);
    this.kept.set(idSha256, { session, until: performance.now() + KEPT_MILLISECONDS });
  }

  /** Not waited for: it is a rough figure. */
  private touch(idSha256: string): void {
    this.dataSource.query(TOUCH, [idSha256]).catch(() => undefined);
  }
}
