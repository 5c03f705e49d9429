import type { EntityManager } from 'typeorm';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';

const KEEP = `interval '24 hours'`;

/** Taken until the end of the transaction; nobody waits for it. */
const LOCK = 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken';
const FIND = `SELECT request_sha256, result FROM idempotency_keys
  WHERE actor_id = $1 AND key = $2 AND created_at > now() - ${KEEP}`;
const REMEMBER = `INSERT INTO idempotency_keys (actor_id, key, request_sha256, result) VALUES ($1, $2, $3, $4)
  ON CONFLICT (actor_id, key) DO UPDATE
  SET request_sha256 = excluded.request_sha256, result = excluded.result, created_at = now()`;
/** A few with every write: as many go as come. */
const FORGET = `DELETE FROM idempotency_keys WHERE (actor_id, key) IN
  (SELECT actor_id, key FROM idempotency_keys WHERE created_at < now() - ${KEEP} LIMIT 10)`;

interface Row {
  request_sha256: string;
  result: unknown;
}

/**
 * What the same request was answered before; null: it is new, or nobody asked. Throws `idempotency_key_in_use` while the
 * first one is under way, `idempotency_key_reused` when the key belongs to another request.
 */
export const findRemembered = async (
  manager: EntityManager,
  { tokenId, repeatable }: Author,
): Promise<{ result: unknown } | null> => {
  if (!repeatable) return null;
  const [lock] = await manager.query<{ taken: boolean }[]>(LOCK, [`idempotency ${tokenId} ${repeatable.key}`]);
  if (!lock?.taken) throw new AppError('idempotency_key_in_use', { headers: { 'retry-after': '1' } });
  const [row] = await manager.query<Row[]>(FIND, [tokenId, repeatable.key]);
  if (!row) return null;
  if (row.request_sha256 !== repeatable.sha256) throw new AppError('idempotency_key_reused');
  return { result: row.result };
};

/** Keeps the result, in the transaction of what it tells of. */
export const remember = async (
  manager: EntityManager,
  { tokenId, repeatable }: Author,
  result: unknown,
): Promise<void> => {
  if (!repeatable) return;
  await manager.query(REMEMBER, [tokenId, repeatable.key, repeatable.sha256, JSON.stringify(result ?? null)]);
  await manager.query(FORGET);
};
