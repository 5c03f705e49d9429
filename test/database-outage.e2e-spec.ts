import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, elapsed, saveModel, until, usageSoon, type Json } from './support/calls.js';
import { createTestDatabase, postgresSocket, type TestDatabase } from './support/database.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startFaultProxy, type FaultProxy } from './support/fault-proxy.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

/** A second for a connection, three for an answer; and what a busy machine adds. */
const LONGEST_MILLISECONDS = 6000;

describe('while PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let provider: FakeProvider;
  let hub: TestHub;
  let known: Json;
  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await startFaultProxy(postgresSocket());
    provider = await startFakeProvider();
    // Not the superuser, who is let in however many there are.
    const user = `user_of_${database.name}`;
    await database.query(`CREATE ROLE ${user} LOGIN IN ROLE ${postgresSocket().user}`);
    const url = `postgresql://${user}@127.0.0.1:${proxy.port}/${database.name}`;
    hub = await startHub({ database, env: { DATABASE_URL: url } });
    known = await saveModel(hub, { api_base: provider.url });
    await call(hub, aChat(known['alias']));
  });
  afterEach(async () => {
    proxy.set({ line: 'open', cutAtRequest: '', cutAtAnswer: '' });
    await until(
      async () => (await hub.request('get', '/health/ready')).body as Json,
      ({ status }) => status === 'ready',
      15_000,
    );
  });
  afterAll(async () => {
    await hub.close();
    await proxy.close();
    await provider.close();
  });

  const expectAway = async (): Promise<void> => {
    const body = aModelConfig();
    const tried = [
      elapsed(() => hub.request('get', CONFIGS)),
      elapsed(() => hub.request('post', CONFIGS).send(body)),
      elapsed(() => hub.request('get', '/api/v1/ai-models/statistics')),
      elapsed(() => call(hub, aChat('nobody-knows'))),
    ];
    for (const { value, milliseconds } of await Promise.all(tried)) {
      expect(value.status).toBe(503);
      expect(value.headers['retry-after']).toMatch(/^\d+$/);
      expect(milliseconds).toBeLessThan(LONGEST_MILLISECONDS);
      expect(value.text).not.toMatch(/SELECT|INSERT|ECONN|timeout/);
    }
  };
  const expectServing = async (): Promise<void> => {
    expect(await call(hub, aChat(known['alias']))).toMatchObject({ status: 200 });
    await hub.request('get', '/health/live').expect(200);
    const { body } = await hub.request('get', '/health/ready').expect(200);
    expect(body).toMatchObject({ status: 'degraded', dependencies: { database: { status: 'degraded' } } });
  };

  /** A process that reports, once, that it has an old revision: whoever waits for all waits for it. */
  const lagBehind = async (): Promise<void> => {
    const report = {
      id: randomUUID(),
      role: 'ai-model',
      version: '0',
      host: 'elsewhere',
      started_at: new Date().toISOString(),
      revision: 1,
      source: 'storage',
      confirmed_at: null,
    };
    await hub.request('post', '/internal/v1/instances', hub.serviceToken).send(report).expect(204);
  };

  const crowd = (size: number): Promise<{ status: number }[]> =>
    Promise.all(Array.from({ length: size }, async () => hub.request('get', CONFIGS)));
  /** Each connection of the pool, at work at the same time: none was lost on the way. */
  const expectWholePool = async (): Promise<void> => {
    const dataSource = hub.application.nest.get(DataSource);
    const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
    const { options } = pool;
    // Reports and polls of the hub itself hold one for a moment.
    await until(
      () => ({ busy: pool.totalCount - pool.idleCount, waiting: pool.waitingCount }),
      ({ busy, waiting }) => busy === 0 && waiting === 0,
      5000,
    );
    const working = Array.from({ length: options.max }, () =>
      dataSource.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid, pg_sleep(0.3)'),
    );
    const pids = (await Promise.all(working)).map(([row]) => row?.pid);
    expect(new Set(pids).size).toBe(options.max);
  };
  const untilServed = async (): Promise<void> => {
    await until(
      async () => (await hub.request('get', CONFIGS)).status,
      (status) => status === 200,
      10_000,
    );
  };

  it('goes away while a write waits until it is applied, the write stands and nobody can say where', async () => {
    await lagBehind();
    const body = aModelConfig();
    // supertest sends when it is awaited.
    const write = hub
      .request('post', `${CONFIGS}?wait=applied`)
      .send(body)
      .then((answer) => answer);
    await until(
      () => database.query('SELECT 1 FROM ai_model_configs WHERE alias = $1', [body.alias]),
      (rows) => rows.length === 1,
    );
    proxy.set({ line: 'down' });
    const { value, milliseconds } = await elapsed(() => write);
    expect({ status: value.status, applied: value.headers['x-hub-applied'] }).toEqual({
      status: 201,
      applied: 'unknown',
    });
    expect(milliseconds).toBeLessThan(LONGEST_MILLISECONDS);
    proxy.set({ line: 'open' });
    await untilServed();
    await hub.request('get', `${CONFIGS}/by-alias/${String(body.alias)}`).expect(200);
  });

  it('is down, calls are answered, all else is told so, and it heals', async () => {
    proxy.set({ line: 'down' });
    await expectAway();
    await expectServing();
    proxy.set({ line: 'open' });
    await untilServed();
    const { alias } = await saveModel(hub, { api_base: provider.url });
    await until(
      async () => (await call(hub, aChat(alias))).status,
      (status) => status === 200,
      5000,
    );
  });

  it('is frozen, one deadline passes until that is known, then nobody waits, and the pool comes back whole', async () => {
    await crowd(20);
    proxy.set({ line: 'silent' });
    const [first] = await Promise.all([elapsed(() => crowd(20)), expectAway()]);
    expect(new Set(first.value.map(({ status }) => status))).toEqual(new Set([503]));
    expect(first.milliseconds).toBeGreaterThan(900);
    await expectServing();
    await until(hub.logs, (logs) => logs.includes('The database does not answer'), 5000);
    const known = await elapsed(() => crowd(50));
    expect(new Set(known.value.map(({ status }) => status))).toEqual(new Set([503]));
    expect(known.milliseconds).toBeLessThan(first.milliseconds);
    proxy.set({ line: 'open' });
    await untilServed();
    await expectWholePool();
  });

  it('breaks in the middle of a transaction, which is 503 and leaves nothing behind', async () => {
    const body = aModelConfig();
    proxy.set({ cutAtRequest: 'INSERT INTO "ai_model_configs"' });
    const { status, headers, body: problem } = await hub.request('post', CONFIGS).send(body);
    proxy.set({ cutAtRequest: '' });
    expect({ status, problem }).toMatchObject({ status: 503, problem: { code: 'storage_unavailable' } });
    expect(headers['retry-after']).toMatch(/^\d+$/);
    await untilServed();
    expect(await rowsOf(body.alias)).toEqual([]);
  });

  /** The config's rows, and what the history says of them. */
  const rowsOf = (alias: unknown): Promise<Json[]> =>
    database.query(
      `SELECT version, (SELECT count(*)::int FROM change_history WHERE subject_id = config.id::text) AS told
        FROM ai_model_configs AS config WHERE alias = $1`,
      [alias],
    );

  it.each([
    { moment: 'before it is there', fault: { cutAtRequest: 'COMMIT' }, isDone: false },
    { moment: 'after it is done', fault: { cutAtAnswer: 'COMMIT' }, isDone: true },
  ])('breaks a COMMIT $moment: 503, whole or not at all, and the key tells which', async ({ fault, isDone }) => {
    const body = aModelConfig({ api_base: provider.url });
    const write = async (): Promise<{ status: number }> =>
      hub.request('post', CONFIGS).set('idempotency-key', `once-${isDone}`).send(body);
    proxy.set(fault);
    expect((await write()).status).toBe(503);
    proxy.set({ cutAtRequest: '', cutAtAnswer: '' });
    expect(await rowsOf(body.alias)).toEqual(isDone ? [{ version: 1, told: 1 }] : []);
    await until(write, ({ status }) => status === 201, 10_000);
    expect(await rowsOf(body.alias)).toEqual([{ version: 1, told: 1 }]);
  });

  it('has no connection left: 503, and it goes on when there are some again', async () => {
    await database.query(`ALTER DATABASE ${database.name} WITH CONNECTION LIMIT 0`);
    proxy.reset();
    const { status, headers } = await hub.request('get', CONFIGS);
    await database.query(`ALTER DATABASE ${database.name} WITH CONNECTION LIMIT -1`);
    expect(status).toBe(503);
    expect(headers['retry-after']).toMatch(/^\d+$/);
    await untilServed();
  });

  it('went away and came back, the usage of the calls of that time is there, each once', async () => {
    const { id, alias } = await saveModel(hub, { api_base: provider.url });
    await call(hub, aChat(alias));
    proxy.set({ line: 'deaf' });
    for (let number = 0; number < 5; number += 1) await call(hub, aChat(alias));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    proxy.set({ line: 'open' });
    const rows = await usageSoon(hub, id, 6);
    expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(6);
  });
});
