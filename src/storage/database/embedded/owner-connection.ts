import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { EmbeddedPostgresConnection } from './embedded-postgres-types.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import type { ServerSite } from './server-site.js';

/** Our advisory lock in the maintenance database; the application's own locks are in another database. */
const LOCK = [1_752_523_365, 1];

/** A killed owner's session ends as soon as the server sees its socket closed; this is ample. */
const LOCK_WAIT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 10_000;

/**
 * Connects to the maintenance database. Holding the owner lock on this session makes us the one process that may
 * stop the server; the kernel releases it with the socket, however we end.
 */
export async function connectAsOwner(connection: EmbeddedPostgresConnection): Promise<Client> {
  const client = new Client({
    ...connection,
    database: 'postgres',
    application_name: `ai-model-hub owner pid=${process.pid}`,
    ssl: false,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // Without a handler, a crashing server would take our process with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await disconnect(client);
    throw error;
  }
}

/** Closes the session, which the server may have ended already. */
export async function disconnect(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}

/** Takes the owner lock, or says who has it. */
export async function takeOwnerLock(client: Client, dataDir: string): Promise<void> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS taken', LOCK);
    if (rows[0]?.taken) return;
    if (performance.now() > deadline) break;
    await sleep(50);
  }
  const owner = await nameOfOwner(client);
  throw new EmbeddedPostgresError(
    'data_directory_in_use',
    `The embedded database in ${dataDir} is in use by ${owner}: stop that process first, or use another DATA_DIR`,
  );
}

async function nameOfOwner(client: Client): Promise<string> {
  const { rows } = await client.query<{ application_name: string }>(
    `SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2 AND objsubid = 2`,
    LOCK,
  );
  const pid = /pid=(\d+)/.exec(rows[0]?.application_name ?? '')?.[1];
  return pid === undefined ? 'another process' : `another process (pid ${pid})`;
}

/** Whatever answers on the socket may be another server: its own words decide. */
export async function assertOwnServer(client: Client, site: ServerSite, majorVersion: string): Promise<void> {
  const { rows } = await client.query<{ directory: string; version: string }>(
    `SELECT current_setting('data_directory') AS directory, current_setting('server_version') AS version`,
  );
  const { directory = '', version = '' } = rows[0] ?? {};
  const place = await realpath(directory).catch(() => directory);
  if (place !== (await realpath(site.cluster))) {
    throw new EmbeddedPostgresError(
      'foreign_server',
      `The PostgreSQL server on the socket of ${site.cluster} serves ${directory} instead: stop it first`,
    );
  }
  if (Number.parseInt(version, 10) !== Number(majorVersion)) {
    throw new EmbeddedPostgresError(
      'version_mismatch',
      `A PostgreSQL ${version} server runs on ${site.cluster}, expected ${majorVersion}: stop it first`,
    );
  }
}

/** With one of these off, a crash loses what was acknowledged, which nobody would notice until then. */
export async function assertSafeSettings(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM pg_settings
     WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting IN ('off', 'local')`,
  );
  if (rows.length === 0) return;
  throw new EmbeddedPostgresError(
    'unsafe_settings',
    `The embedded database could lose data in a crash: ${rows.map(({ name }) => name).join(', ')} must be on`,
  );
}

/** Creates the application's database on the first start. */
export async function ensureDatabase(client: Client, database: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
}
