import { AppError } from '../../platform/errors/app-error.js';
import type { KeyUse } from '../crypto/sealed-tables.js';
import type { StorageProcessEntity } from '../process/storage-process.entity.js';

export const notFound = (keyId: string): AppError =>
  new AppError('encryption_key_not_found', { detail: `The key ring has no key ${keyId}.` });

export const inUse = (detail: string): AppError => new AppError('encryption_key_in_use', { detail });

/** Throws when rows are sealed under the key. */
export const refuseRows = (keyId: string, uses: readonly KeyUse[]): void => {
  const found = uses.filter((use) => use.keyId === keyId).map(({ table, rows }) => `${rows} of ${table}`);
  if (found.length === 0) return;
  throw inUse(
    `Rows are sealed under ${keyId}: ${found.join(', ')}. Rewrap them first; secrets that do not open have to be entered again.`,
  );
};

const namesOf = (processes: readonly StorageProcessEntity[]): string =>
  processes.map(({ id, seenAt }) => `${id} (seen at ${seenAt.toISOString()})`).join(', ');

/** Throws when there are processes that still seal under the key. */
export const refuseSealing = (keyId: string, processes: readonly StorageProcessEntity[]): void => {
  if (processes.length > 0) throw inUse(`These storage processes still seal under ${keyId}: ${namesOf(processes)}.`);
};

/** Throws when there are processes that stand in the way; `what` says how. */
export const refuseLagging = (what: string, processes: readonly StorageProcessEntity[]): void => {
  if (processes.length === 0) return;
  throw new AppError('encryption_key_not_everywhere', {
    detail: `These storage processes ${what}: ${namesOf(processes)}. One that is gone counts for 30 seconds.`,
    headers: { 'retry-after': '2' },
  });
};
