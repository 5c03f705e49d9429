import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Env } from '../../platform/config/env.js';
import { StartupError } from '../../platform/errors/startup-error.js';
import { type DataDirectory, ENCRYPTION_KEYS_FILE } from '../data-directory.js';
import { hasStoredSecrets } from './key-check.js';
import { KeyRing } from './key-ring.js';
import { KeyRingFile, parseKeyRing } from './key-ring-file.js';

const GENERATED = `DATA_DIR/${ENCRYPTION_KEYS_FILE}`;

/** The file that the key ring comes from and may be changed in; null: it comes from the environment. */
export const keyRingFile = (env: Env, directory: DataDirectory): KeyRingFile | null => {
  if (env.ENCRYPTION_KEYS_FILE) return new KeyRingFile(resolve(env.ENCRYPTION_KEYS_FILE), 'ENCRYPTION_KEYS_FILE');
  return env.ENCRYPTION_KEYS ? null : new KeyRingFile(directory.pathOf(ENCRYPTION_KEYS_FILE), GENERATED);
};

/** The key ring the operator configured; null: this installation has to bring its own. */
export const configuredKeyRing = (env: Env, directory: DataDirectory): KeyRing | null => {
  if (env.ENCRYPTION_KEYS) return parseKeyRing('ENCRYPTION_KEYS', env.ENCRYPTION_KEYS);
  if (!env.isDatabaseEmbedded) {
    throw new StartupError(
      'ENCRYPTION_KEYS must be set when DATABASE_URL is: a list of id:base64-of-32-bytes, for example made with `echo "k1:$(openssl rand -base64 32)"`.',
    );
  }
  if (!directory.has(ENCRYPTION_KEYS_FILE)) return null;
  return parseKeyRing(GENERATED, directory.read(ENCRYPTION_KEYS_FILE, { mustBePrivate: true }));
};

/** Makes a key ring for the embedded database, unless secrets are stored already: theirs is lost, not absent. */
export const generateKeyRing = async (directory: DataDirectory, dataSource: DataSource): Promise<KeyRing> => {
  if (await hasStoredSecrets(dataSource.manager)) {
    throw new StartupError(
      `ENCRYPTION_KEYS is not set and ${GENERATED} is gone, but secrets are stored: restore that file from a backup.`,
    );
  }
  const text = directory.writeOnce(ENCRYPTION_KEYS_FILE, KeyRing.generate().text);
  new Logger('Secrets').warn(
    `Generated the encryption keys: ${directory.pathOf(ENCRYPTION_KEYS_FILE)}. Back this file up, apart from the database: without it no stored key can be read.`,
  );
  return parseKeyRing(GENERATED, text);
};
