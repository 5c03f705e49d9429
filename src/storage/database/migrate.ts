import { DataSource } from 'typeorm';
import { StartupError } from '../../platform/errors/startup-error.js';
import type { DatabaseConnection } from './connection.js';
import { dataSourceOptions, MIGRATING } from './data-source-options.js';

/** Any number, as long as every process of the product takes the same: excludes two migrations at once. */
const MIGRATION_LOCK = 4_200_723_001;
const OLDEST_SERVER = 150_000;

const checkServer = async (dataSource: DataSource): Promise<void> => {
  const [row] = await dataSource.query<{ version: string }[]>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  if (Number(row?.version) < OLDEST_SERVER) {
    throw new StartupError('DATABASE_URL names a PostgreSQL that is too old: version 15 or newer is needed.');
  }
};

/**
 * Brings the schema up to date and answers the names of the migrations that ran. Safe to call from any number of
 * processes at once: an advisory lock lets one do the work while the others wait.
 */
export async function migrate(connection: DatabaseConnection, report: (line: string) => void): Promise<string[]> {
  const dataSource = await new DataSource(dataSourceOptions(connection, MIGRATING)).initialize();
  try {
    await checkServer(dataSource);
    const lockHolder = dataSource.createQueryRunner();
    try {
      await lockHolder.query(`SET lock_timeout = 0`);
      await lockHolder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const done = await dataSource.runMigrations();
      for (const { name } of done) report(`Migrated the database: ${name}`);
      return done.map((migration) => migration.name);
    } finally {
      await lockHolder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await lockHolder.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
