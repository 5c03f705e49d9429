import { In, IsNull, type EntityManager } from 'typeorm';
import type { SnapshotToken } from '../../contract/snapshot.contract.js';
import type { ConfiguredToken } from '../token/known-tokens.js';
import { TokenEntity } from '../token/token.entity.js';

/** The tokens that are not revoked; with `ids` only those of them. */
export const readSnapshotTokens = async (manager: EntityManager, ids?: readonly string[]): Promise<SnapshotToken[]> => {
  const rows = await manager.findBy(TokenEntity, { revokedAt: IsNull(), ...(ids && { id: In(ids) }) });
  return rows.map(toSnapshotToken);
};

/** How many of them there are. */
export const countSnapshotTokens = (manager: EntityManager): Promise<number> =>
  manager.countBy(TokenEntity, { revokedAt: IsNull() });

export const toAdminToken = ({ id, sha256, scopes }: ConfiguredToken): SnapshotToken => ({
  id,
  sha256,
  scopes: [...scopes],
  expires_at: null,
});

const toSnapshotToken = (row: TokenEntity): SnapshotToken => ({
  id: row.id,
  sha256: row.tokenSha256,
  scopes: row.scopes,
  expires_at: row.expiresAt?.toISOString() ?? null,
});
