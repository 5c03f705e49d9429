import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { generateToken } from '../platform/auth/token-text.js';
import type { Env } from '../platform/config/env.js';
import type { ThisInstance } from '../platform/config/this-instance.js';
import { EXIT_UNAVAILABLE, StartupError } from '../platform/errors/startup-error.js';
import { Secret } from '../platform/secrets/secret.js';
import { checkKeyRing } from './crypto/key-check.js';
import type { KeyRing } from './crypto/key-ring.js';
import { KeyRingHolder } from './crypto/key-ring-holder.js';
import { configuredKeyRing, generateKeyRing, keyRingFile } from './crypto/load-key-ring.js';
import { ADMIN_TOKEN_FILE, DataDirectory } from './data-directory.js';
import { connectionFromEmbedded, connectionFromUrl, type DatabaseConnection } from './database/connection.js';
import { REVISION_CHANNEL, takeWholeRevision } from './database/change.service.js';
import { DatabaseListener } from './database/database-listener.js';
import { APPLIED_CHANNEL } from './instance/instance.service.js';
import { NOTIFICATION_CHANNEL } from './notification/outbox.js';
import { Database } from './database/database.js';
import { MIGRATING, dataSourceOptions } from './database/data-source-options.js';
import {
  EmbeddedPostgresError,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from './database/embedded/embedded-postgres.js';
import { databaseRefusal, isDatabaseUnavailable } from './database/database-errors.js';
import { warnOfVolatileSettings } from './database/volatile-settings.js';
import { migrate } from './database/migrate.js';
import { StorageProcesses } from './process/storage-processes.js';

/** What the storage service stands on; made before Nest starts, so that a wrong key or a lost directory stops the start. */
export interface StorageResources {
  database: Database;
  keys: KeyRingHolder;
  processes: StorageProcesses;
  /** null: DATABASE_URL names another one. */
  embedded: EmbeddedPostgres | null;
  /** What other processes tell. */
  listener: DatabaseListener;
  adminToken: Secret;
  /** The file with the admin token, null when the operator set one. */
  adminTokenFile: string | null;
  /** It was made by this start: nobody had one before. */
  isAdminTokenNew: boolean;
  /** Ends the pool, then the embedded server. */
  close(): Promise<void>;
}

const logger = new Logger('Storage');

/** A shutdown does not wait longer for queries under way. */
const POOL_MILLISECONDS = 1000;

/** Where the database is; starts the embedded server when none is configured. */
const reachDatabase = async (
  env: Env,
  directory: DataDirectory,
): Promise<{ connection: DatabaseConnection; server: EmbeddedPostgres | null }> => {
  if (env.DATABASE_URL) return { connection: connectionFromUrl(env.DATABASE_URL), server: null };
  try {
    const server = await startEmbeddedPostgres({ dataDir: directory.path, report: (line) => logger.log(line) });
    return { connection: connectionFromEmbedded(server.connection), server };
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw new StartupError(error.message, EXIT_UNAVAILABLE);
    throw error;
  }
};

const findAdminToken = (
  env: Env,
  directory: DataDirectory,
): Pick<StorageResources, 'adminToken' | 'adminTokenFile' | 'isAdminTokenNew'> => {
  if (env.ADMIN_TOKEN) return { adminToken: env.ADMIN_TOKEN, adminTokenFile: null, isAdminTokenNew: false };
  const adminTokenFile = directory.pathOf(ADMIN_TOKEN_FILE);
  const isAdminTokenNew = !directory.has(ADMIN_TOKEN_FILE);
  const adminToken = !isAdminTokenNew
    ? directory.read(ADMIN_TOKEN_FILE, { mustBePrivate: false })
    : directory.writeOnce(ADMIN_TOKEN_FILE, generateToken('admin').text);
  return { adminToken, adminTokenFile, isAdminTokenNew };
};

/** A ring of its own needs the database first: it must not be made anew when secrets are stored. */
const findKeyRing = async (env: Env, directory: DataDirectory, connection: DatabaseConnection): Promise<KeyRing> => {
  const configured = configuredKeyRing(env, directory);
  if (configured) return configured;
  await migrate(connection, (line) => logger.log(line));
  const dataSource = await new DataSource(dataSourceOptions(connection, MIGRATING)).initialize();
  try {
    return await generateKeyRing(directory, dataSource);
  } finally {
    await dataSource.destroy();
  }
};

/** Opens everything the storage service needs. Throws a StartupError for what only the operator can mend. */
export async function openStorage(
  env: Env,
  instance: ThisInstance,
  { onFatal = () => undefined, stopping }: { onFatal?: (error: unknown) => void; stopping?: AbortSignal } = {},
): Promise<StorageResources> {
  const directory = new DataDirectory(env.DATA_DIR);
  // First of all: keys that cannot be right stop the start before a server runs or a database is made.
  configuredKeyRing(env, directory);
  const { connection, server } = await reachDatabase(env, directory);
  try {
    stopping?.throwIfAborted();
    const keys = new KeyRingHolder(await findKeyRing(env, directory, connection), keyRingFile(env, directory));
    const onMigrated = async (dataSource: DataSource): Promise<void> => {
      await checkKeyRing(dataSource.manager, keys.current);
      await warnOfVolatileSettings(dataSource);
      // After a restored backup too, every AI model service takes what is there now for newer than what it has.
      await dataSource.transaction(takeWholeRevision);
      // An embedded database has one process: rows of others are of those that were killed.
      if (server) await processes.forgetAll();
      // Before the first request, so that nobody removes a key that this process seals with.
      await processes.beat();
    };
    stopping?.throwIfAborted();
    const database = new Database(connection, { onMigrated, onFatal });
    keys.file?.tidyUp();
    const processes = new StorageProcesses(instance, database.dataSource, keys);
    const close = async (): Promise<void> => {
      try {
        // A query that hangs must not keep the server from being stopped, which ends it.
        await Promise.race([database.close(), sleep(POOL_MILLISECONDS, undefined, { ref: false })]);
      } finally {
        await server?.stop();
      }
    };
    await database.start().catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    const listener = new DatabaseListener(connection, [REVISION_CHANNEL, APPLIED_CHANNEL, NOTIFICATION_CHANNEL]);
    return { database, keys, processes, embedded: server, listener, ...findAdminToken(env, directory), close };
  } catch (error) {
    await server?.stop();
    throw error;
  }
}

/** Migrates and closes again; answers the names of the migrations that ran. */
export async function migrateOnce(env: Env, report: (line: string) => void): Promise<string[]> {
  const { connection, server } = await reachDatabase(env, new DataDirectory(env.DATA_DIR));
  try {
    return await migrate(connection, report);
  } catch (error) {
    throw databaseRefusal(error) ?? (isDatabaseUnavailable(error) ? databaseAway() : error);
  } finally {
    await server?.stop();
  }
}

const databaseAway = (): StartupError =>
  new StartupError('The database of DATABASE_URL cannot be reached.', EXIT_UNAVAILABLE);
