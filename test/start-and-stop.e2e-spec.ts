// How the built application starts and ends as a process: what it says, its exit code, and that it leaves nothing behind.
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { generateToken } from '../src/platform/auth/token-text.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, openCall, until, usageAfter } from './support/calls.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { databaseProcesses, removeDataDirectory } from './support/embedded-database.js';
import { chunk, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing } from './support/hub.js';
import { exitOf, launchHubProcess, runHubProcess, startHubProcess, type HubProcess } from './support/hub-process.js';
import { refusedStart } from './support/refused-start.js';
import { freePort, startSocketProxy } from './support/sockets.js';

type Body = Record<string, unknown>;

const EXIT_UNAVAILABLE = 69;
const EXIT_CONFIGURATION = 78;
const STOP_MILLISECONDS = 10_000;
const RECONNECT_MILLISECONDS = 5000;

const adminToken = generateToken('admin').text;
const keyRing = randomKeyRing();

const directories: string[] = [];
const databases: TestDatabase[] = [];
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-start-'));
  directories.push(directory);
  return directory;
};
const emptyDatabase = async (): Promise<TestDatabase> => {
  const database = await createTestDatabase({ empty: true });
  databases.push(database);
  return database;
};
/** Settings of a process on a database of its own. */
const settings = (databaseUrl: string, others: Record<string, string> = {}): Record<string, string> => ({
  PORT: '0',
  DATABASE_URL: databaseUrl,
  DATA_DIR: newDirectory(),
  ENCRYPTION_KEYS: keyRing,
  ADMIN_TOKEN: adminToken,
  STORAGE_SERVICE_TOKEN: generateToken('service').text,
  ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
  ...others,
});

const send = async (
  hub: Pick<HubProcess, 'url'>,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; headers: Headers; body: Body }> => {
  const answer = await fetch(hub.url + path, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Body };
};

afterAll(async () => {
  for (const database of databases) await database.drop();
  directories.forEach(removeDataDirectory);
});

describe('a start', () => {
  it('with --help says how it is used, and is no start', async () => {
    for (const flag of ['--help', '-h']) {
      const { code, output } = await runHubProcess({ PORT: 'wrong' }, { args: [flag] });
      expect(code).toBe(0);
      expect(output).toMatch(/^ai-model-hub \d+\.\d+\.\d+\n\nUsage: npm start /);
      for (const word of ['npm run migrate', 'npm run demo', '.env.example', 'Exit codes'])
        expect(output).toContain(word);
      expect(output).not.toContain('Ready');
    }
  });

  it('on a port in use says so in one line, and takes its database with it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const dataDir = newDirectory();
    const refused = await refusedStart({ PORT: String(port), DATA_DIR: dataDir });
    await new Promise((resolve) => other.close(resolve));
    expect(refused.code).toBe(EXIT_UNAVAILABLE);
    expect(refused.stderr).toMatch(new RegExp(`^ai-model-hub: [^\\n]*\\b${port}\\b[^\\n]*\\bPORT\\b[^\\n]*\\n$`));
    expect(refused.stderr).not.toContain('    at ');
    // It had one: the port is tried last.
    expect(refused.stdout).toContain('Migrated the database');
    expect(databaseProcesses(dataDir)).toEqual([]);
  });

  it('of two processes at once on an empty database makes both ready', async () => {
    const database = await emptyDatabase();
    const env = settings(database.url, { SERVICE_ROLE: 'storage' });
    const hubs = await Promise.all([startHubProcess(env), startHubProcess({ ...env, DATA_DIR: newDirectory() })]);
    try {
      for (const hub of hubs) {
        expect(await send(hub, 'GET', '/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
        expect(await send(hub, 'POST', CONFIGS, aModelConfig())).toMatchObject({ status: 201 });
      }
      const lists = await Promise.all(hubs.map((hub) => send(hub, 'GET', CONFIGS)));
      expect(lists.map(({ body }) => body['total'])).toEqual([2, 2]);
    } finally {
      expect(await Promise.all(hubs.map((hub) => hub.stop()))).toEqual([0, 0]);
    }
  });

  it('without its database waits for it, says so, and works when it comes', async () => {
    const database = await emptyDatabase();
    const port = await freePort();
    const place = new URL(database.url).searchParams;
    const user = new URL(database.url).username;
    const url = `postgresql://${user}@127.0.0.1:${port}/${database.name}`;
    const hub = await startHubProcess(settings(url, { SERVICE_ROLE: 'storage' }));
    let proxy: { close(): Promise<void> } | undefined;
    try {
      for (const path of ['/health', '/health/live'])
        expect(await send(hub, 'GET', path)).toMatchObject({ status: 200 });
      expect(await send(hub, 'GET', '/health/ready')).toMatchObject({
        status: 503,
        body: {
          status: 'not_ready',
          dependencies: { database: { status: 'down', reason: expect.stringContaining('database') } },
        },
      });
      const refused = await send(hub, 'POST', CONFIGS, aModelConfig({ alias: 'early' }));
      expect(refused).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // A few attempts fail, and none of them ends it.
      await sleep(2200);
      expect(hub.child.exitCode).toBeNull();

      proxy = await startSocketProxy(port, `${place.get('host')}/.s.PGSQL.${place.get('port')}`);
      const ready = () => send(hub, 'GET', '/health/ready');
      const health = await until(ready, ({ status }) => status === 200, RECONNECT_MILLISECONDS);
      expect(health.body).toMatchObject({ status: 'ready', dependencies: { database: { status: 'up' } } });
      expect(await send(hub, 'POST', CONFIGS, aModelConfig({ alias: 'late' }))).toMatchObject({ status: 201 });
      expect(await database.query('SELECT alias FROM ai_model_configs')).toEqual([{ alias: 'late' }]);
    } finally {
      expect(await hub.stop()).toBe(0);
      await proxy?.close();
    }
  });

  it('that never found its database ends as soon as it is told to', async () => {
    const hub = await startHubProcess(settings(`postgresql://x@127.0.0.1:${await freePort()}/x`));
    const stoppedAt = performance.now();
    expect(await hub.stop()).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(3000);
  });
});

describe('npm run migrate', () => {
  const migrate = (database: TestDatabase): ReturnType<typeof runHubProcess> =>
    runHubProcess({ DATABASE_URL: database.url, DATA_DIR: newDirectory() }, { script: 'migrate.js' });
  const doneBefore = (database: TestDatabase): Promise<object[]> =>
    database.query('SELECT name FROM migrations ORDER BY id');

  it('makes an empty database current, and finds nothing to do the second time', async () => {
    const database = await emptyDatabase();
    const first = await migrate(database);
    const names = await doneBefore(database);
    expect(names.length).toBeGreaterThan(0);
    expect(first).toEqual({ code: 0, output: expect.stringMatching(/^(?:Migrated the database: \w+\n)+Done: /) });
    expect(first.output.trimEnd().split('\n')).toHaveLength(names.length + 1);
    expect(first.output).toContain(`Done: ${names.length} migrations.`);
    expect(await migrate(database)).toEqual({ code: 0, output: 'The database is up to date.\n' });
    expect(await doneBefore(database)).toEqual(names);
  });

  it('run twice at once does the work once, and both are well', async () => {
    const database = await emptyDatabase();
    const runs = await Promise.all([migrate(database), migrate(database), migrate(database)]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const last = runs.map(({ output }) => output.trimEnd().split('\n').at(-1) ?? '').sort();
    expect(last).toEqual([
      expect.stringMatching(/^Done: \d+ migrations\.$/),
      'The database is up to date.',
      'The database is up to date.',
    ]);
  });

  it('says in one line that the database is not there', async () => {
    const url = `postgresql://somebody:secret-password@127.0.0.1:${await freePort()}/x`;
    const { code, output } = await runHubProcess(
      { DATABASE_URL: url, DATA_DIR: newDirectory() },
      { script: 'migrate.js' },
    );
    expect(code).toBe(EXIT_UNAVAILABLE);
    expect(output).toMatch(/^ai-model-hub: [^\n]*DATABASE_URL cannot be reached[^\n]*\n$/);
  });
});

describe.each(['main.js', 'migrate.js'] as const)('a DATABASE_URL that the server refuses, %s', (script) => {
  it.each([
    ['of a database that is not there', (url: URL) => (url.pathname = '/no_such_database')],
    ['of a user who is not there', (url: URL) => (url.username = 'no_such_user')],
    ['of a user who may not create tables', (url: URL) => (url.username = 'hub_test_guest')],
  ])('%s ends it with one line that names the variable, not its value', async (_name, spoil) => {
    const database = await emptyDatabase();
    await database.query(`DO $$ BEGIN CREATE ROLE hub_test_guest LOGIN; EXCEPTION WHEN duplicate_object THEN END $$`);
    const url = new URL(database.url);
    spoil(url);
    const { code, output } = await runHubProcess(settings(url.href), { script });
    expect({ code, output }).toMatchObject({ code: EXIT_CONFIGURATION });
    expect(output).toMatch(/^ai-model-hub: [^\n]*DATABASE_URL[^\n]*\n$/);
    expect(output).not.toMatch(/no_such|hub_test/);
  });
});

describe('SIGTERM', () => {
  /** Starts, stops in the middle, and says what that came to. */
  const interruptedStart = async (dataDir: string, milliseconds: number): Promise<void> => {
    const { child, output } = launchHubProcess({ PORT: '0', DATA_DIR: dataDir });
    await sleep(milliseconds);
    const wasReady = output().includes('Ready:');
    const stoppedAt = performance.now();
    child.kill('SIGTERM');
    const code = await exitOf(child);
    const took = performance.now() - stoppedAt;
    const what = { milliseconds, wasReady, output: output() };
    // Before it could say anything there is nothing to put in order, and the signal itself ends it.
    const expected = output() === '' && child.signalCode === 'SIGTERM' ? null : 0;
    expect({ ...what, code, left: databaseProcesses(dataDir) }).toEqual({ ...what, code: expected, left: [] });
    expect(took).toBeLessThan(STOP_MILLISECONDS);
    if (!wasReady) expect(output()).not.toContain('Ready:');
  };

  it('in the middle of a first start, and of the one after it, ends it and takes its database with it', async () => {
    const stops = [100, 400, 800, 1500].map(async (milliseconds) => {
      const dataDir = newDirectory();
      await interruptedStart(dataDir, milliseconds);
      await interruptedStart(dataDir, milliseconds);
      return dataDir;
    });
    const [, , , dataDir = ''] = await Promise.all(stops);
    const hub = await startHubProcess({ PORT: '0', DATA_DIR: dataDir });
    expect(await hub.stop()).toBe(0);
    expect(databaseProcesses(dataDir)).toEqual([]);
  });

  it('sent while initdb runs waits for it, and the next start works', async () => {
    const dataDir = newDirectory();
    const { child, output } = launchHubProcess({ PORT: '0', DATA_DIR: dataDir });
    await until(
      () => databaseProcesses(dataDir),
      (commands) => commands.some((command) => command.includes('initdb')),
      STOP_MILLISECONDS,
    );
    child.kill('SIGTERM');
    const code = await exitOf(child);
    expect({ code, output: output() }).toMatchObject({ code: 0, output: expect.stringContaining('SIGTERM: stopping') });
    expect(output()).not.toContain('Ready:');
    expect(databaseProcesses(dataDir)).toEqual([]);
    const hub = await startHubProcess({ PORT: '0', DATA_DIR: dataDir });
    expect(await hub.stop()).toBe(0);
    expect(databaseProcesses(dataDir)).toEqual([]);
  });

  describe('with open streams', () => {
    const STREAMS = 20;
    let provider: FakeProvider;
    let database: TestDatabase;
    let hub: HubProcess | undefined;

    beforeAll(async () => {
      provider = await startFakeProvider(async (_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        while (!response.destroyed) {
          response.write(chunk('12345678'));
          await sleep(100);
        }
      });
      database = await emptyDatabase();
    });
    afterEach(async () => {
      await hub?.stop();
    });
    afterAll(() => provider.close());

    it('that never end tells each caller so, counts them all, and ends', async () => {
      const env = settings(database.url);
      hub = await startHubProcess(env);
      const config = await send(hub, 'POST', CONFIGS, aModelConfig({ alias: 'slow', api_base: provider.url }));
      expect(config.status).toBe(201);
      const { url } = hub;
      const calls = Array.from({ length: STREAMS }, () => openCall(url, adminToken, aChat('slow', { stream: true })));
      for (const open of calls) await until(open.text, (text) => text.length > 0);

      const stoppedAt = performance.now();
      expect(await hub.stop('SIGTERM')).toBe(0);
      expect(performance.now() - stoppedAt).toBeLessThan(STOP_MILLISECONDS);
      const answers = await Promise.all(calls.map((open) => open.done));
      for (const { status, text } of answers) {
        expect(status).toBe(200);
        expect(text).not.toContain('[DONE]');
        const events = text.trimEnd().split('\n\n');
        const last = JSON.parse(events.at(-1)?.replace(/^data: /, '') ?? '') as Body;
        expect(last).toMatchObject({ error: { code: 'shutting_down', message: expect.any(String) } });
      }

      hub = await startHubProcess(env);
      const rows = await usageAfter({ database }, config.body['id'], STREAMS);
      expect(rows).toMatchObject([{ outcome: 'client_gone', calls: STREAMS, estimated: STREAMS }]);
      expect(await send(hub, 'GET', `${CONFIGS}/by-alias/slow`)).toMatchObject({
        body: { usage_count: STREAMS, error_count: 0 },
      });
    });
  });
});
