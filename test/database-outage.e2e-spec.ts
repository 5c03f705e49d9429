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
    const url = `postgresql://${postgresSocket().user}@127.0.0.1:${proxy.port}/${database.name}`;
    hub = await startHub({ database, env: { DATABASE_URL: url } });
    known = await saveModel(hub, { api_base: provider.url });
    await call(hub, aChat(known['alias']));
  });
  afterEach(async () => {
    proxy.set({ line: 'open' });
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

  it.each(['down', 'silent'] as const)('is %s, calls are answered, all else is told so, and it heals', async (line) => {
    proxy.set({ line });
    await expectAway();
    await expectServing();
    proxy.set({ line: 'open' });
    await until(
      async () => (await hub.request('get', CONFIGS)).status,
      (status) => status === 200,
      10_000,
    );
    const { alias } = await saveModel(hub, { api_base: provider.url });
    await until(
      async () => (await call(hub, aChat(alias))).status,
      (status) => status === 200,
      5000,
    );
  });

  it('loses its answers, a write is done whole or not, and its key tells which', async () => {
    const body = aModelConfig({ api_base: provider.url });
    const write = (): Promise<{ status: number }> =>
      Promise.resolve(hub.request('post', CONFIGS).set('idempotency-key', 'once').send(body));
    proxy.set({ line: 'deaf' });
    expect((await write()).status).toBe(503);
    proxy.set({ line: 'open' });
    await until(write, ({ status }) => status === 201, 10_000);
    const rows = await database.query('SELECT 1 FROM ai_model_configs WHERE alias = $1', [body.alias]);
    expect(rows).toHaveLength(1);
  });

  it('has no connection left, requests end with 503, and go on when there are some again', async () => {
    const [found] = await database.query<{ most: number }>(`SELECT current_setting('max_connections')::int AS most`);
    expect(found?.most).toBeGreaterThan(10);
    await database.query(`ALTER DATABASE ${database.name} WITH CONNECTION LIMIT 1`);
    proxy.reset();
    const { status, headers } = await hub.request('get', CONFIGS);
    expect([200, 503]).toContain(status);
    if (status === 503) expect(headers).toHaveProperty('retry-after');
    await database.query(`ALTER DATABASE ${database.name} WITH CONNECTION LIMIT -1`);
    await until(
      async () => (await hub.request('get', CONFIGS)).status,
      (seen) => seen === 200,
      10_000,
    );
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
