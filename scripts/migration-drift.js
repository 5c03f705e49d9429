// Migrates an empty PostgreSQL of its own and compares the result with the entities: no difference is allowed, and
// every migration must go back and forth. `npm run check:drift`
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { removeDataDirectory } from './support/remove-data-directory.js';

const { startEmbeddedPostgres } = await import('../dist/src/storage/database/embedded/embedded-postgres.js');
const { dataSourceOptions, MIGRATING } = await import('../dist/src/storage/database/data-source-options.js');

const dataDir = mkdtempSync(join(tmpdir(), 'hub-drift-'));
const server = await startEmbeddedPostgres({ dataDir, database: 'hub_drift', report: () => undefined });
let failures = 0;

const compare = async (dataSource, when) => {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  for (const { query } of upQueries) console.error(`drift ${when}: ${query}`);
  failures += upQueries.length;
};

try {
  const dataSource = await new DataSource(dataSourceOptions(server.connection, MIGRATING)).initialize();
  const applied = await dataSource.runMigrations();
  await compare(dataSource, 'after migrating');
  for (let index = 0; index < applied.length; index += 1) await dataSource.undoLastMigration();
  await dataSource.runMigrations();
  await compare(dataSource, 'after undoing and migrating again');
  await dataSource.destroy();
  console.log(failures === 0 ? `No drift after ${applied.length} migrations.` : `${failures} differences.`);
} finally {
  await server.stop();
  removeDataDirectory(dataDir);
}
process.exit(failures === 0 ? 0 : 1);
