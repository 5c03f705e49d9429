import type { Identity } from '../../platform/auth/identity.js';

/** More tokens than have a use while the database is away: those of scrapers and of people who look. */
const MOST = 1000;

interface Confirmed {
  identity: Identity;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
}

/**
 * Tokens that the database has confirmed since the last change of anything, for the time when it cannot be asked: what
 * is in memory, such as metrics, is told then, too. A change may be the end of a token, so with each of them all is forgotten.
 */
export class ConfirmedTokens {
  private readonly byHash = new Map<string, Confirmed>();
  private changes = 0;

  /** Of now: what is confirmed by a question that was asked at an earlier moment is not remembered. */
  get moment(): number {
    return this.changes;
  }

  remember(sha256: string, confirmed: Confirmed, askedAt: number): void {
    if (askedAt !== this.changes) return;
    const [oldest] = this.byHash.size >= MOST ? this.byHash.keys() : [];
    if (oldest !== undefined) this.byHash.delete(oldest);
    this.byHash.set(sha256, confirmed);
  }

  find(sha256: string, now = Date.now()): Identity | null {
    const confirmed = this.byHash.get(sha256);
    if (!confirmed) return null;
    return confirmed.expiresAt === null || confirmed.expiresAt > now ? confirmed.identity : null;
  }

  forgetAll(): void {
    this.changes += 1;
    this.byHash.clear();
  }
}
