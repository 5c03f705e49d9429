// What the two services tell of themselves on `/metrics`: each alone in its role, and while what they need is away.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GRANTABLE_SCOPES } from '../src/contract/scopes.js';
import { StorageError } from '../src/ai-model/storage-client/storage-errors.js';
import { StorageServiceClient } from '../src/ai-model/storage-client/storage-service.client.js';
import { hashToken } from '../src/platform/auth/token-text.js';
import { aSnapshotModel } from './factories/snapshot-model.js';
import { aUsageBatch, aUsageRecord } from './factories/usage-record.js';
import { aChat, call, saveModel, until } from './support/calls.js';
import { createTestDatabase, postgresSocket, type TestDatabase } from './support/database.js';
import { databasePid, removeDataDirectory } from './support/embedded-database.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startFaultProxy, type FaultProxy } from './support/fault-proxy.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { hasPromtool, promtoolOf, readMetrics, valueOf } from './support/metrics.js';
import { describeWithRedis, startRedisServer } from './support/redis-server.js';
import { startCaller, startScriptedStorage, type ScriptedStorage } from './support/scripted-storage.js';

const USAGE = '/internal/v1/usage';

/** Reads the page until one of its values is right, and answers the page. */
const pageWith = (
  hub: Pick<TestHub, 'request'>,
  name: string,
  labels: Record<string, string>,
  isRight: (value: number) => boolean,
): Promise<string> =>
  until(
    () => readMetrics(hub),
    (page) => isRight(valueOf(page, name, labels)),
    30_000,
  );

describe('the metrics of a storage service and an AI model service, each alone', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let provider: FakeProvider;
  let storage: TestHub;
  let caller: TestHub;
  beforeAll(async () => {
    database = await createTestDatabase();
    [proxy, provider] = await Promise.all([startFaultProxy(postgresSocket()), startFakeProvider()]);
    const DATABASE_URL = `postgresql://${postgresSocket().user}@127.0.0.1:${proxy.port}/${database.name}`;
    storage = await startHub({ database, env: { SERVICE_ROLE: 'storage', DATABASE_URL } });
    caller = await startCaller(storage, storage.url);
  });
  afterEach(async () => {
    proxy.set({ line: 'open' });
    await pageWith(storage, 'hub_database_up', {}, (value) => value === 1);
  });
  afterAll(async () => {
    await caller.stop();
    rmSync(caller.dataDir, { recursive: true, force: true });
    await storage.close();
    await Promise.all([proxy.close(), provider.close()]);
  });

  it('tell what each of them is, and nothing of the other', async () => {
    const pages = await Promise.all([readMetrics(storage), readMetrics(caller)]);
    expect(valueOf(pages[0], 'hub_build_info', { role: 'storage' })).toBe(1);
    expect(valueOf(pages[1], 'hub_build_info', { role: 'ai-model' })).toBe(1);
    expect(pages[0]).not.toMatch(/^# TYPE (?:gen_ai_|hub_call|hub_directory_|hub_storage_client_|hub_redis_)/m);
    expect(pages[1]).not.toMatch(/^# TYPE (?:hub_database_|hub_encryption_|hub_usage_received_|hub_redis_)/m);
    if (hasPromtool) expect(pages.map(promtoolOf)).toEqual(pages.map(() => ({ status: 0, stdout: '', stderr: '' })));
  });

  it('follow a change and a call from one to the other', async () => {
    const { alias } = await saveModel(storage, { api_base: provider.url });
    await until(
      async () => (await call(caller, aChat(alias))).status,
      (status) => status === 200,
    );
    const batch = aUsageBatch(aUsageRecord(), aUsageRecord());
    for (const _time of ['first', 'again']) {
      await storage.request('post', USAGE, storage.serviceToken).send(batch).expect(200);
    }
    const own = { kind: 'usage', outcome: 'ok' };
    const asked = await pageWith(caller, 'hub_storage_client_requests_total', own, (value) => value >= 1);
    const stored = await readMetrics(storage);

    expect(valueOf(stored, 'hub_storage_revision')).toBe(valueOf(asked, 'hub_directory_revision'));
    expect(valueOf(stored, 'hub_storage_watchers')).toBe(1);
    expect(valueOf(stored, 'hub_storage_processes')).toBe(1);
    expect(valueOf(stored, 'hub_usage_received_batches_total', { result: 'duplicate' })).toBe(1);
    const received = valueOf(stored, 'hub_usage_received_batches_total', { result: 'counted' });
    expect(received).toBeGreaterThanOrEqual(1 + valueOf(asked, 'hub_storage_client_requests_total', own));
    // One of them has two.
    expect(valueOf(stored, 'hub_usage_received_records_total')).toBeGreaterThan(received);
    expect(valueOf(stored, 'hub_encryption_keys')).toBe(1);
    expect(valueOf(stored, 'hub_encryption_key_file_refused')).toBe(0);
    expect(valueOf(stored, 'hub_database_pool_limit')).toBe(10);
    expect(valueOf(stored, 'hub_database_pool_connections', { state: 'idle' })).toBeGreaterThan(0);
    expect(valueOf(stored, 'hub_database_listener_up')).toBe(1);

    expect(valueOf(asked, 'hub_provider_attempts_total', { provider: 'openai_compatible', error_class: 'ok' })).toBe(1);
    expect(valueOf(asked, 'hub_storage_client_requests_total', { kind: 'snapshot', outcome: 'ok' })).toBeGreaterThan(0);
    expect(valueOf(asked, 'hub_storage_client_breaker_state')).toBe(0);
    expect(valueOf(asked, 'hub_snapshot_file_age_seconds')).toBeLessThan(60);
    expect(valueOf(asked, 'hub_snapshot_file_behind_seconds')).toBeLessThan(60);
    expect(valueOf(asked, 'hub_snapshot_file_failed_writes_total')).toBe(0);
  });

  it('count each attempt by its end, and those after the first one too', async () => {
    const statuses = [500, 429];
    provider.answerWith((_received, response) => {
      const status = statuses.shift();
      if (status === undefined) response.destroy();
      else sendJson(response, status, { error: { message: 'No' } }, { 'retry-after': '0' });
    });
    const { alias } = await saveModel(storage, { api_base: provider.url, provider: 'mistral', max_retries: 2 });
    await until(
      async () => (await call(caller, aChat(alias))).status,
      (status) => status !== 404,
    );
    const page = await readMetrics(caller);
    const counts = ['server', 'rate_limit', 'network'].map((outcome) =>
      valueOf(page, 'hub_provider_attempts_total', { provider: 'mistral', error_class: outcome }),
    );
    expect(counts).toEqual([1, 1, 1]);
  });

  it('are told, to a stored token too, while the database is frozen', async () => {
    const token = await storage.createToken('usage:read');
    const outages = valueOf(await readMetrics(storage, token), 'hub_database_outages_total');
    proxy.set({ line: 'silent' });
    await storage.request('get', CONFIGS).expect(503);
    const away = await until(
      () => readMetrics(storage, token),
      (page) => valueOf(page, 'hub_database_up') === 0,
    );
    expect(valueOf(away, 'hub_database_outages_total')).toBeGreaterThan(outages);
    // For what is stored that token is as good as none, and for what it was not made for, too.
    await storage.request('get', '/api/v1/ai-models/statistics', token).expect(503);
    await storage.request('get', CONFIGS, token).expect(403);
  });

  it('are not told to a token that was revoked, or that nobody confirmed, while the database is away', async () => {
    const create = async (): Promise<{ id: string; token: string }> =>
      (
        await storage
          .request('post', '/api/v1/tokens')
          .send({ name: 'scraper', scopes: ['usage:read'] })
          .expect(201)
      ).body as { id: string; token: string };
    const [kept, revoked, unasked] = [await create(), await create(), await create()];
    for (const { token } of [kept, revoked]) await readMetrics(storage, token);
    await storage.request('delete', `/api/v1/tokens/${revoked.id}`).expect(204);
    await readMetrics(storage, kept.token);
    proxy.set({ line: 'down' });
    await pageWith(storage, 'hub_database_up', {}, (value) => value === 0);
    await readMetrics(storage, kept.token);
    await pageWith(storage, 'hub_database_listener_up', {}, (value) => value === 0);
    for (const { token } of [revoked, unasked]) await storage.request('get', '/metrics', token).expect(503);
  });
});

describe('the metrics of an AI model service whose storage fails', () => {
  let scripted: ScriptedStorage;
  let provider: FakeProvider;
  let database: TestDatabase;
  let home: string;
  const callers: TestHub[] = [];
  const adminToken = `admin-${'x'.repeat(40)}`;
  const model = aSnapshotModel({ max_retries: 0 });
  const start = async (dataDir: string): Promise<TestHub> => {
    const storage = { adminToken, serviceToken: `service-${'y'.repeat(40)}`, database };
    const caller = await startCaller(storage, scripted.url, { DATA_DIR: dataDir });
    callers.push(caller);
    await until(
      async () => (await call(caller, aChat(model.alias))).status,
      (status) => status === 200,
    );
    return caller;
  };
  beforeAll(async () => {
    [scripted, provider] = await Promise.all([startScriptedStorage(), startFakeProvider()]);
    database = await createTestDatabase({ empty: true });
    home = mkdtempSync(join(tmpdir(), 'hub-test-metrics-'));
    model.api_base = provider.url;
    const token = { id: 'admin', sha256: hashToken(adminToken), scopes: [...GRANTABLE_SCOPES], expires_at: null };
    const snapshot = { revision: 5, models: [model], tokens: [token], prompts: [] };
    // What everybody begins with; from then on nothing is told any more.
    scripted.on('GET /internal/v1/snapshot', (response, _nth, { path }) =>
      path.includes('since') ? void response.writeHead(503).end() : sendJson(response, 200, snapshot),
    );
  });
  afterAll(async () => {
    // Their usage is never taken, and nobody has to wait for that.
    for (const { application } of callers) await application.close({ milliseconds: 200 });
    await database.drop();
    await Promise.all([scripted.close(), provider.close()]);
    rmSync(home, { recursive: true, force: true });
  });

  it('tell of usage that waits on disk, of a breaker that opened, and how requests ended', async () => {
    const caller = await start(join(home, 'well'));
    const client = caller.application.nest.get(StorageServiceClient, { strict: false });
    const me = { authorization: `Bearer ${adminToken}`, requestId: 'mine' };
    scripted.on('GET /api/v1/ai-models/active', (response, nth) =>
      nth === 1 ? sendJson(response, 403, { code: 'scope_missing', detail: 'No' }) : void response.writeHead(500).end(),
    );
    for (let nth = 0; nth < 30; nth += 1) await expect(client.getActiveModels(me)).rejects.toBeInstanceOf(StorageError);
    const page = await pageWith(caller, 'hub_usage_spool_batches', {}, (value) => value > 0);
    const calls = valueOf(page, 'hub_usage_spool_calls');
    expect(calls).toBeGreaterThan(0);
    expect(valueOf(page, 'hub_usage_unsent_calls')).toBeGreaterThanOrEqual(calls);
    expect(valueOf(page, 'hub_usage_spool_bytes')).toBeGreaterThan(0);
    expect(valueOf(page, 'hub_usage_spool_limit_bytes')).toBeGreaterThan(valueOf(page, 'hub_usage_spool_bytes'));
    expect(valueOf(page, 'hub_storage_client_breaker_state')).toBe(1);
    const [ok, refused, unavailable, leftAlone] = ['ok', 'refused', 'unavailable', 'left_alone'].map((outcome) =>
      valueOf(page, 'hub_storage_client_requests_total', { kind: 'callers', outcome }),
    );
    expect([ok, refused]).toEqual([Number.NaN, 1]);
    // What the process asks by itself fails as well, and counts for the twenty.
    expect(unavailable).toBeGreaterThan(10);
    expect(leftAlone).toBeGreaterThan(9);
    expect(Number(unavailable) + Number(leftAlone)).toBe(29);
    expect(valueOf(page, 'hub_storage_client_requests_total', { kind: 'snapshot', outcome: 'ok' })).toBe(1);
    const places = ['callers', 'snapshot', 'usage', 'instance'];
    for (const kind of places) expect(valueOf(page, 'hub_storage_client_waiting_requests', { kind })).toBe(0);
    expect(valueOf(page, 'hub_storage_client_open_requests', { kind: 'callers' })).toBe(0);
    expect(valueOf(page, 'hub_storage_client_retries_total')).toBe(0);
  });

  it('tell of a file that cannot be written, and of usage that was refused', async () => {
    writeFileSync(join(home, 'file'), '');
    scripted.on('POST /internal/v1/usage', (response) => sendJson(response, 422, { code: 'validation_failed' }));
    const caller = await start(join(home, 'file', 'data'));
    const page = await pageWith(caller, 'hub_usage_lost_calls_total', { reason: 'refused' }, (value) => value > 0);
    expect(valueOf(page, 'hub_snapshot_file_failed_writes_total')).toBeGreaterThan(0);
    expect(valueOf(page, 'hub_snapshot_file_behind_seconds')).toBeGreaterThan(0);
    expect(page).not.toMatch(/^hub_snapshot_file_age_seconds /m);
    expect(valueOf(page, 'hub_usage_spool_batches')).toBe(0);
  });
});

describe('the metrics of a hub with the embedded database', () => {
  it.concurrent('tell that it runs, and that it was brought back', async () => {
    const hub = await startHub({ env: { DATABASE_URL: undefined } });
    try {
      const before = await readMetrics(hub);
      expect(valueOf(before, 'hub_embedded_database_up')).toBe(1);
      expect(valueOf(before, 'hub_embedded_database_restarts_total')).toBe(0);
      process.kill(Number(databasePid(hub.dataDir)), 'SIGKILL');
      const after = await pageWith(hub, 'hub_embedded_database_restarts_total', {}, (value) => value === 1);
      expect(valueOf(after, 'hub_embedded_database_up')).toBe(1);
    } finally {
      await hub.stop();
      removeDataDirectory(hub.dataDir);
      await hub.database.drop();
    }
  });
});

describeWithRedis('the metrics of a hub with Redis', () => {
  it.concurrent('tell whether it is used, what it answered, that it was silent and that it came back', async () => {
    const redis = await startRedisServer();
    const hub = await startHub({ env: { REDIS_URL: redis.url } });
    try {
      await pageWith(hub, 'hub_redis_up', {}, (value) => value === 1);
      const lookups = (page: string, result: string): number =>
        valueOf(page, 'hub_answer_cache_lookups_total', { result });
      // On a busy machine Redis may be late, and is not asked for a while.
      const used = await until(
        async () => {
          for (let nth = 0; nth < 2; nth += 1) await hub.request('get', CONFIGS).expect(200);
          return readMetrics(hub);
        },
        (page) => lookups(page, 'hit') > 0 && lookups(page, 'miss') > 0,
        30_000,
      );
      redis.freeze();
      const silent = await pageWith(hub, 'hub_redis_up', {}, (value) => value === 0);
      expect(valueOf(silent, 'hub_redis_timeouts_total')).toBeGreaterThan(valueOf(used, 'hub_redis_timeouts_total'));
      redis.thaw();
      const back = await pageWith(hub, 'hub_redis_up', {}, (value) => value === 1);
      expect(valueOf(back, 'hub_redis_reconnects_total')).toBeGreaterThan(valueOf(used, 'hub_redis_reconnects_total'));
    } finally {
      redis.thaw();
      await hub.close();
      await redis.close();
    }
  });
});
