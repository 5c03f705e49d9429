// For benchmarks that need a full database: one embedded PostgreSQL, and hubs on databases of it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import 'reflect-metadata';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

const launch = (env) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH ?? '', LOG_FORMAT: 'json', LOG_LEVEL: 'warn', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.once('exit', (code) => reject(new Error(`the application ended with ${code}`)));
    // With LOG_LEVEL warn nothing is printed: the port is asked for until it answers.
    child.stdout.on('data', (piece) => process.stderr.write(piece));
    resolve(child);
  });

const untilReady = async (url) => {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not get ready`);
};

/**
 * Starts PostgreSQL; `database(name)` makes a migrated database with a directory for whoever uses it, `hub(name, port, fill,
 * env)` fills one and starts a hub on it.
 */
export const startBenchServer = async () => {
  const { startEmbeddedPostgres } = await import('../../dist/src/storage/database/embedded/embedded-postgres.js');
  const { migrate } = await import('../../dist/src/storage/database/migrate.js');
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-bench-'));
  const server = await startEmbeddedPostgres({ dataDir, database: 'hub_bench', report: () => undefined });
  const children = [];

  const connect = async (database) => {
    const { host, port, user } = server.connection;
    const client = new pg.Client({ host, port, user, database });
    await client.connect();
    return client;
  };

  const database = async (name) => {
    const owner = await connect('postgres');
    await owner.query(`CREATE DATABASE ${name}`);
    await owner.end();
    const connection = { ...server.connection, database: name };
    await migrate(connection, () => undefined);
    const { host, port, user } = connection;
    const url = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`;
    return { url, directory: join(dataDir, name) };
  };

  const hub = async (name, port, fill, env = {}) => {
    const { url, directory } = await database(name);
    const client = await connect(name);
    await fill(client);
    await client.query('VACUUM ANALYZE');
    await client.end();
    const token = `bench-${randomBytes(24).toString('hex')}`;
    const child = await launch({
      DATABASE_URL: url,
      DATA_DIR: directory,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ADMIN_TOKEN: token,
      PORT: String(port),
      ...env,
    });
    children.push(child);
    await untilReady(`http://127.0.0.1:${port}`);
    return { url: `http://127.0.0.1:${port}`, token };
  };

  const close = async () => {
    await Promise.all(
      children.map(
        (child) =>
          new Promise((resolve) => {
            child.removeAllListeners('exit');
            child.once('exit', resolve);
            child.kill('SIGTERM');
          }),
      ),
    );
    await server.stop();
    for (const directory of [server.directory, dataDir]) rmSync(directory, { recursive: true, force: true });
  };
  return { database, hub, close };
};

/** Milliseconds of each path on both hubs, in turn, so that a slow moment of the machine meets both. */
export const compare = async (paths, [small, large], { rounds = 60 } = {}) => {
  const ask = async ({ url, token }, path) => {
    const from = performance.now();
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(body).slice(0, 300)}`);
    return { milliseconds: performance.now() - from, body };
  };
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const results = [];
  for (const [name, path] of Object.entries(paths)) {
    const times = [[], []];
    let bodies = [];
    for (let round = -10; round < rounds; round += 1) {
      const answers = [await ask(small, path), await ask(large, path)];
      bodies = answers.map(({ body }) => body);
      if (round >= 0) answers.forEach(({ milliseconds }, index) => times[index].push(milliseconds));
    }
    const [before, after] = times.map(median);
    results.push({ name, before, after, ratio: after / before, bodies });
  }
  return results;
};
