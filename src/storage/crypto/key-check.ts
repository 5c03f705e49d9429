import type { DataSource } from 'typeorm';
import { StartupError } from '../../platform/errors/startup-error.js';
import { KeyCheckEntity } from '../database/system.entities.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import type { KeyRing } from './key-ring.js';
import { open, seal, type SealIdentity } from './sealed-secret.js';

const CONSTANT = 'ai-model-hub key check';

const identityOf = (keyId: string): SealIdentity => ({
  table: 'encryption_key_checks',
  rowId: keyId,
  field: 'sealed_constant',
  allowedOrigin: null,
});

/** Ids of the keys under which secrets are stored. */
export const keyIdsInUse = async (dataSource: DataSource): Promise<string[]> => {
  const rows = await dataSource.query<{ sealed: string }[]>(
    `SELECT DISTINCT substring(sealed FROM '^hub1[.][^.]*[.]') AS sealed
     FROM (SELECT api_key AS sealed FROM ai_model_configs UNION ALL SELECT auth_headers FROM ai_model_configs) AS secrets
     WHERE sealed IS NOT NULL`,
  );
  return rows.map((row) => row.sealed?.split('.')[1] ?? 'unknown');
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
export async function checkKeyRing(dataSource: DataSource, ring: KeyRing): Promise<void> {
  const known = await dataSource.getRepository(KeyCheckEntity).find();
  const wrong = known.find((check) => ring.has(check.keyId) && !opens(ring, check.sealedConstant, check.keyId));
  if (wrong) {
    throw new StartupError(
      `ENCRYPTION_KEYS has another key under the id ${wrong.keyId} than the one the stored secrets were sealed with.`,
    );
  }
  const inUse = await keyIdsInUse(dataSource);
  if (inUse.length > 0 && !inUse.some((keyId) => ring.has(keyId))) {
    throw new StartupError(`ENCRYPTION_KEYS lacks the key the stored secrets were sealed with: ${inUse.join(', ')}.`);
  }
  await rememberKeys(dataSource, ring, new Set(known.map((check) => check.keyId)));
}

/** Two processes may start at once: the first one's row stays. */
const rememberKeys = async (dataSource: DataSource, ring: KeyRing, known: ReadonlySet<string>): Promise<void> => {
  for (const keyId of ring.keyIds.filter((id) => !known.has(id))) {
    // Sealed under the key itself, not under the active one.
    const sealedConstant = seal(ring, CONSTANT, identityOf(keyId), keyId);
    await dataSource
      .createQueryBuilder()
      .insert()
      .into(KeyCheckEntity)
      .values({ keyId, sealedConstant })
      .orIgnore()
      .execute();
  }
};

/** Whether any secret is stored at all: then a lost key file must not be replaced by a new one. */
export const hasStoredSecrets = async (dataSource: DataSource): Promise<boolean> =>
  dataSource
    .getRepository(ModelConfigEntity)
    .createQueryBuilder('config')
    .where('config.api_key IS NOT NULL OR config.auth_headers IS NOT NULL')
    .getExists();
