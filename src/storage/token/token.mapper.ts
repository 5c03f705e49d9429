import type { TokenView } from '../../contract/token.contract.js';
import type { TokenEntity } from './token.entity.js';

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

export const toTokenView = (row: TokenEntity): TokenView => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
  expires_at: time(row.expiresAt),
  last_used_at: time(row.lastUsedAt),
  revoked_at: time(row.revokedAt),
});

/** What the history keeps of a token: nothing of its text but how it begins. */
export const toTokenState = (row: TokenEntity): Record<string, unknown> => ({
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  expires_at: time(row.expiresAt),
  revoked_at: time(row.revokedAt),
});
