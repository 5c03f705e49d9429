import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type SessionStore, Sessions, type StoredSession } from '../../platform/auth/sessions.js';
import { Env } from '../../platform/config/env.js';
import { AppError } from '../../platform/errors/app-error.js';
import { StorageUnavailable } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';

/** Signing out holds here after so long. */
const KNOWN_MILLISECONDS = 10_000;
/** Who was known goes on for so long while storage cannot be asked. */
const KEPT_MILLISECONDS = 60 * 60 * 1000;
const MAX_KEPT = 1000;

interface Kept {
  session: StoredSession;
  at: number;
}

/**
 * Where the two services are apart, the console's calls of models come here, with the same cookie: the session is asked of storage, and
 * known for some seconds.
 */
@Injectable()
export class RemoteSessions implements SessionStore, OnModuleInit {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly env: Env,
    private readonly storage: StorageServiceClient,
    private readonly sessions: Sessions,
  ) {}

  onModuleInit(): void {
    if (!this.env.runsStorage) this.sessions.use(this);
  }

  /** Signing in and out is the storage service's. */
  save(): Promise<void> {
    return Promise.reject(new AppError('route_not_found'));
  }

  remove(): Promise<void> {
    return this.save();
  }

  async find(idSha256: string): Promise<StoredSession | null> {
    const known = this.kept.get(idSha256);
    if (known && this.isYounger(known, KNOWN_MILLISECONDS)) return known.session;
    try {
      const found = await this.storage.findSession(idSha256);
      return this.keep(idSha256, found && toSession(idSha256, found));
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      if (known && this.isYounger(known, KEPT_MILLISECONDS)) return known.session;
      throw new AppError('token_check_unavailable', { headers: { 'retry-after': '2' }, cause: error });
    }
  }

  private isYounger({ session, at }: Kept, milliseconds: number): boolean {
    return performance.now() - at < milliseconds && session.expiresAt > new Date();
  }

  private keep(idSha256: string, session: StoredSession | null): StoredSession | null {
    this.kept.delete(idSha256);
    if (!session) return null;
    if (this.kept.size >= MAX_KEPT) this.kept.delete(this.kept.keys().next().value as string);
    this.kept.set(idSha256, { session, at: performance.now() });
    return session;
  }
}

const toSession = (idSha256: string, { key, expires_at }: { key: string; expires_at: string }): StoredSession => ({
  idSha256,
  key: Buffer.from(key, 'base64'),
  expiresAt: new Date(expires_at),
});
