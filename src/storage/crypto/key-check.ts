import type { EntityManager } from 'typeorm';
import { StartupError } from '../../platform/errors/startup-error.js';
import { KeyCheckEntity } from '../database/system.entities.js';
import type { KeyRing } from './key-ring.js';
import { open, seal, type SealIdentity } from './sealed-secret.js';
import { keyUses } from './sealed-tables.js';

const CONSTANT = 'ai-model-hub key check';

/** Two processes may start at once: the first one's row stays. A key that is in a ring again is not removed any more. */
const REMEMBER = `INSERT INTO encryption_key_checks (key_id, sealed_constant) VALUES ($1, $2)
  ON CONFLICT (key_id) DO UPDATE SET removed_at = NULL WHERE encryption_key_checks.removed_at IS NOT NULL`;

const identityOf = (keyId: string): SealIdentity => ({
  table: 'encryption_key_checks',
  rowId: keyId,
  field: 'sealed_constant',
  allowedOrigin: null,
});

/** Ids of the keys under which secrets are stored. */
export const keyIdsInUse = async (manager: EntityManager): Promise<string[]> => {
  const uses = await keyUses(manager);
  return [...new Set(uses.map(({ keyId }) => keyId ?? 'unknown'))];
};

const opens = (ring: KeyRing, sealed: string, keyId: string): boolean => {
  try {
    return open(ring, sealed, identityOf(keyId)).reveal() === CONSTANT;
  } catch {
    return false;
  }
};

/**
 * Compares the key ring with what the database was written with. A key whose bytes differ from the ones known under
 * its id, or a ring that can open none of the stored secrets, stops the start and changes nothing.
 */
export async function checkKeyRing(manager: EntityManager, ring: KeyRing): Promise<void> {
  const known = await refuseWrongKeys(manager, ring);
  const inUse = await keyIdsInUse(manager);
  if (inUse.length > 0 && !inUse.some((keyId) => ring.has(keyId))) {
    throw new StartupError(`ENCRYPTION_KEYS lacks the key the stored secrets were sealed with: ${inUse.join(', ')}.`);
  }
  await rememberKeys(manager, ring, known);
}

/**
 * The same for a ring that is to take the place of another one in a running process: it must not lose a key that is in
 * use either, since what is written half may look whole.
 */
export async function checkNextKeyRing(manager: EntityManager, ring: KeyRing, current: KeyRing): Promise<void> {
  const known = await refuseWrongKeys(manager, ring);
  const inUse = await keyIdsInUse(manager);
  const lost = inUse.filter((keyId) => current.has(keyId) && !ring.has(keyId));
  if (lost.length > 0) throw new StartupError(`Stored secrets are sealed with keys that it lacks: ${lost.join(', ')}.`);
  await rememberKeys(manager, ring, known);
}

const refuseWrongKeys = async (manager: EntityManager, ring: KeyRing): Promise<KeyCheckEntity[]> => {
  const known = await manager.getRepository(KeyCheckEntity).find();
  const wrong = known.find((check) => ring.has(check.keyId) && !opens(ring, check.sealedConstant, check.keyId));
  if (!wrong) return known;
  throw new StartupError(
    `ENCRYPTION_KEYS has another key under the id ${wrong.keyId} than the one the stored secrets were sealed with.`,
  );
};

/** Notes the keys of a ring, so that another one under the same id is found out. */
export const rememberKeys = async (
  manager: EntityManager,
  ring: KeyRing,
  known: readonly KeyCheckEntity[],
): Promise<void> => {
  const remembered = new Set(known.filter(({ removedAt }) => removedAt === null).map(({ keyId }) => keyId));
  for (const keyId of ring.keyIds.filter((id) => !remembered.has(id))) {
    // Sealed under the key itself, not under the active one.
    await manager.query(REMEMBER, [keyId, seal(ring, CONSTANT, identityOf(keyId), keyId)]);
  }
};

/** Whether any secret is stored at all: then a lost key file must not be replaced by a new one. */
export const hasStoredSecrets = async (manager: EntityManager): Promise<boolean> => (await keyUses(manager)).length > 0;
