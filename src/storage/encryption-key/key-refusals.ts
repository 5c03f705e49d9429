import { AppError } from '../../platform/errors/app-error.js';
import type { KeyUse } from '../crypto/sealed-tables.js';
import type { StorageProcessEntity } from '../process/storage-process.entity.js';

export const notFound = (keyId: string): AppError =>
  new AppError('encryption_key_not_found', { detail: `The key ring has no key ${keyId}.` });

export const inUse = (detail: string, headers: Record<string, string> = {}): AppError =>
  new AppError('encryption_key_in_use', { detail, headers });

/** For what another process will have done by then. */
const LATER = { 'retry-after': '2' };

export const tooMany = (limit: number): AppError =>
  new AppError('too_many_encryption_keys', {
    detail: `The key ring has ${limit} keys already: remove those that nothing is sealed under.`,
  });

/** Throws when rows are sealed under the key. */
export const refuseRows = (keyId: string, uses: readonly KeyUse[]): void => {
  const found = uses.filter((use) => use.keyId === keyId).map(({ table, rows }) => `${rows} of ${table}`);
  if (found.length === 0) return;
  throw inUse(
    `Rows are sealed under ${keyId}: ${found.join(', ')}. Rewrap them first; secrets that do not open have to be entered again.`,
  );
};

const COUNTS_ON = 'One that was killed counts for 30 seconds.';
const namesOf = (processes: readonly StorageProcessEntity[]): string =>
  processes.map(({ id, seenAt }) => `${id} (seen at ${seenAt.toISOString()})`).join(', ');

/** Throws when there are processes that still seal under the key. */
export const refuseSealing = (keyId: string, processes: readonly StorageProcessEntity[]): void => {
  if (processes.length === 0) return;
  throw inUse(`These storage processes still seal under ${keyId}: ${namesOf(processes)}. ${COUNTS_ON}`, LATER);
};

/** Throws when there are processes that stand in the way; `what` says how. */
export const refuseLagging = (what: string, processes: readonly StorageProcessEntity[]): void => {
  if (processes.length === 0) return;
  throw new AppError('encryption_key_not_everywhere', {
    detail: `These storage processes ${what}: ${namesOf(processes)}. ${COUNTS_ON}`,
    headers: LATER,
  });
};
