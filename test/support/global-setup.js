// One real PostgreSQL for the whole run, and in it a migrated template that every test file copies.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import 'reflect-metadata';

export default async function globalSetup() {
  const { startEmbeddedPostgres } = await import('../../dist/src/storage/database/embedded/embedded-postgres.js');
  const { migrate } = await import('../../dist/src/storage/database/migrate.js');
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-postgres-'));
  const server = await startEmbeddedPostgres({ dataDir, database: 'hub_test_template', report: () => undefined });
  await migrate(server.connection, () => undefined);

  const { host, port, user } = server.connection;
  process.env.TEST_POSTGRES = JSON.stringify({ host, port, user });
  globalThis.testPostgres = { server, dataDir };
  // A template can be copied only while nobody is connected to it.
  const client = new pg.Client({ host, port, user, database: 'postgres' });
  await client.connect();
  await client.query('ALTER DATABASE hub_test_template WITH ALLOW_CONNECTIONS false IS_TEMPLATE true');
  await client.end();
}
