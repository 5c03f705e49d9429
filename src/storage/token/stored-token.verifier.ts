import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Scope } from '../../contract/scopes.js';
import type { Identity } from '../../platform/auth/identity.js';
import { hashToken, isWellFormedToken } from '../../platform/auth/token-text.js';
import { TokenVerifier } from '../../platform/auth/token-verifier.js';
import { AppError } from '../../platform/errors/app-error.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { ChangeService } from '../database/change.service.js';
import { ConfirmedTokens } from './confirmed-tokens.js';
import { KnownTokens } from './known-tokens.js';

interface TokenRow {
  id: string;
  scopes: Scope[];
  expires_at: Date | null;
  is_stale: boolean;
}

const FIND = `SELECT id, scopes, expires_at, coalesce(last_used_at < now() - interval '1 minute', true) AS is_stale
  FROM api_tokens WHERE token_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;

const TOUCH = 'UPDATE api_tokens SET last_used_at = now() WHERE id = $1';

/**
 * The storage service asks PostgreSQL, so that a revoked token ends at once. While that is away, who was confirmed before
 * is known: not for what is stored, which nobody gets then, but for what a process knows itself, such as its metrics.
 */
@Injectable()
export class StoredTokenVerifier extends TokenVerifier {
  private readonly confirmed = new ConfirmedTokens();

  constructor(
    private readonly known: KnownTokens,
    private readonly dataSource: DataSource,
    changes: ChangeService,
  ) {
    super();
    changes.onRevision(() => this.confirmed.forgetAll());
  }

  verify(token: string): Identity | null | Promise<Identity | null> {
    const sha256 = hashToken(token);
    return this.known.find(sha256) ?? (isWellFormedToken(token) ? this.look(sha256) : null);
  }

  private async look(sha256: string): Promise<Identity | null> {
    const askedAt = this.confirmed.moment;
    try {
      const [row] = await this.dataSource.query<TokenRow[]>(FIND, [sha256]);
      if (!row) return null;
      if (row.is_stale) this.touch(row.id);
      const identity = { tokenId: row.id, scopes: new Set(row.scopes) };
      this.confirmed.remember(sha256, { identity, expiresAt: row.expires_at?.getTime() ?? null }, askedAt);
      return identity;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      const identity = this.confirmed.find(sha256);
      if (identity) return identity;
      throw new AppError('token_check_unavailable', { headers: { 'retry-after': '2' }, cause: error });
    }
  }

  /** Not waited for, and no failure of the request when it fails: it is a rough figure. */
  private touch(id: string): void {
    this.dataSource.query(TOUCH, [id]).catch(() => undefined);
  }
}
