import type { EncryptionKeyView, RewrapResult, StorageProcessView } from '../../contract/encryption-key.contract.js';
import type { KeyRing } from '../crypto/key-ring.js';
import { SEALED_TABLES, type KeyUse } from '../crypto/sealed-tables.js';
import type { KeyCheckEntity } from '../database/system.entities.js';
import type { StorageProcessEntity } from '../process/storage-process.entity.js';
import type { RewrapBatch } from './key-rewrapper.js';

/** Rows under a key by table; null: rows whose text is of no known format. */
export const toRows = (uses: readonly KeyUse[], keyId: string | null): Record<string, number> =>
  Object.fromEntries(
    SEALED_TABLES.map(({ table }) => [
      table,
      uses.find((use) => use.table === table && use.keyId === keyId)?.rows ?? 0,
    ]),
  );

/** The keys of the ring in its order, then those in use that it lacks. */
export const toKeyViews = (
  ring: KeyRing,
  uses: readonly KeyUse[],
  checks: readonly KeyCheckEntity[],
): EncryptionKeyView[] => {
  const used = uses.map(({ keyId }) => keyId).filter((keyId) => keyId !== null);
  const missing = [...new Set(used)].filter((keyId) => !ring.has(keyId)).sort();
  return [...ring.keyIds, ...missing].map((id) => ({
    id,
    active: id === ring.activeKeyId,
    in_ring: ring.has(id),
    rows: toRows(uses, id),
    created_at: checks.find(({ keyId }) => keyId === id)?.createdAt.toISOString() ?? null,
  }));
};

export const toProcessView = (row: StorageProcessEntity, thisId: string): StorageProcessView => ({
  id: row.id,
  started_at: row.startedAt.toISOString(),
  seen_at: row.seenAt.toISOString(),
  is_this_one: row.id === thisId,
  key_ids: row.keyIds,
  active_key_id: row.activeKeyId,
});

export const toRewrapResult = (batch: RewrapBatch, ring: KeyRing, isDryRun: boolean): RewrapResult => ({
  dry_run: isDryRun,
  active_key_id: ring.activeKeyId,
  rewrapped: batch.rewrapped,
  remaining: batch.remaining,
  unreadable: batch.unreadable,
  unreadable_total: batch.unreadableTotal,
});
