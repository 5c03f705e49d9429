import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { StorageServiceClient, type OnBehalfOf } from '../src/ai-model/storage-client/storage-service.client.js';
import {
  StorageConflict,
  StorageError,
  StorageInvalid,
  StorageNotFound,
  StorageRefused,
  StorageUnavailable,
} from '../src/ai-model/storage-client/storage-errors.js';
import type { ModelConfigCreate } from '../src/contract/model-config.contract.js';
import type { Snapshot } from '../src/contract/snapshot.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { aUsageBatch, aUsageRecord } from './factories/usage-record.js';
import { aChat, call, elapsed, saveModel, until, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { startCaller, startScriptedStorage, type ScriptedStorage } from './support/scripted-storage.js';
import { freePort, startCanary } from './support/sockets.js';

const clientOf = (hub: TestHub): StorageServiceClient =>
  hub.application.nest.get(StorageServiceClient, { strict: false });
const aConfig = (fields: Json = {}): ModelConfigCreate => aModelConfig(fields) as unknown as ModelConfigCreate;

/** The error that a call ended with; fails when it went well. */
const failureOf = async (work: Promise<unknown>): Promise<StorageError> => {
  const outcome = await work.then(
    (value) => new Error(`It went well: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof StorageError)) throw outcome;
  return outcome;
};

describe('the client of the storage service', () => {
  let hub: TestHub;
  let me: OnBehalfOf;
  beforeAll(async () => {
    hub = await startHub();
    me = { authorization: `Bearer ${hub.adminToken}`, requestId: 'request-of-a-caller' };
  });
  afterAll(() => hub.close());

  describe('with the real service', () => {
    let client: StorageServiceClient;
    beforeAll(() => {
      client = clientOf(hub);
    });

    it('creates, reads, changes and deletes a config', async () => {
      const created = await client.createModelConfig(aConfig({ alias: 'team/client:1', tags: { a: 'b' } }), me);
      expect(created).toMatchObject({ alias: 'team/client:1', version: 1, tags: { a: 'b' }, status: 'configured' });
      expect(await client.getModelByAlias('team/client:1', me)).toEqual(created);
      const changed = await client.updateModelConfig(created.id, { priority: 7 }, me, '"1"');
      expect(changed).toMatchObject({ id: created.id, priority: 7, version: 2 });
      expect(await client.updateModelConfig(created.id, { display_name: 'D' }, me)).toMatchObject({ version: 3 });
      await client.deleteModelConfig(created.id, me, '"3"');
      expect(await failureOf(client.getModelByAlias('team/client:1', me))).toBeInstanceOf(StorageNotFound);
    });

    it('lists with filters and pages, and what is active by priority', async () => {
      const tag = `list:${randomUUID()}`;
      const tags = { list: tag.slice(5) };
      for (const [index, priority] of [1, 3, 2].entries()) {
        await client.createModelConfig(aConfig({ alias: `listed-${index}`, priority, tags }), me);
      }
      await client.createModelConfig(aConfig({ alias: 'listed-off', is_enabled: false, tags }), me);
      const page = await client.getAllModels(
        { tag, sort: '-priority,alias', skip: 1, limit: 2, status: 'configured' },
        me,
      );
      expect(page).toMatchObject({
        total: 3,
        skip: 1,
        limit: 2,
        models: [{ alias: 'listed-2' }, { alias: 'listed-0' }],
      });
      const active = (await client.getActiveModels(me)).models
        .map(({ alias }) => alias)
        .filter((alias) => alias.startsWith('listed-'));
      expect(active).toEqual(['listed-1', 'listed-2', 'listed-0']);
    });

    it('hands over snapshots with keys in clear, and nothing while nothing is new', async () => {
      const { alias } = await client.createModelConfig(aConfig({ api_key: 'key-in-clear-1234' }), me);
      const snapshot = (await client.getSnapshot(null)) as Snapshot;
      expect(snapshot.models.find((model) => model.alias === alias)).toMatchObject({
        api_key: 'key-in-clear-1234',
        credential_readable: true,
      });
      expect(await client.getSnapshot(snapshot.revision)).toBeNull();
      await client.createModelConfig(aConfig(), me);
      const next = (await client.getSnapshot(snapshot.revision)) as Snapshot;
      expect(next.revision).toBeGreaterThan(snapshot.revision);
      expect(next.models).toHaveLength(snapshot.models.length + 1);
    });

    it('tells of every change while it watches, and ends quietly', async () => {
      const seen: number[] = [];
      const stop = new AbortController();
      const watching = client.watchRevision((revision) => seen.push(revision), stop.signal);
      await until(
        async () => {
          await client.createModelConfig(aConfig(), me);
          return seen.length;
        },
        (count) => count > 1,
      );
      const current = (await client.getSnapshot(null)) as Snapshot;
      await until(
        () => seen.at(-1),
        (revision) => revision === current.revision,
      );
      stop.abort();
      await expect(watching).resolves.toBeUndefined();
    });

    it('finds the models that have both of two tags', async () => {
      await client.createModelConfig(aConfig({ alias: 'tagged-twice', tags: { team: 'search', stage: 'live' } }), me);
      await client.createModelConfig(aConfig({ alias: 'tagged-once', tags: { team: 'search' } }), me);
      const found = await client.getAllModels({ tag: ['team:search', 'stage:live'] }, me);
      expect(found.models.map((model) => model.alias)).toEqual(['tagged-twice']);
    });

    it('records usage once per batch id, and reads the statistics', async () => {
      const config = await client.createModelConfig(aConfig(), me);
      const before = await client.getModelStatistics(me);
      const batch = aUsageBatch(aUsageRecord({ config_id: config.id, alias: config.alias }));
      expect(await client.recordUsage(batch)).toEqual({ batch_id: batch.batch_id, accepted: 1, duplicate: false });
      expect(await client.recordUsage(batch)).toEqual({ batch_id: batch.batch_id, accepted: 1, duplicate: true });
      const after = await client.getModelStatistics(me);
      expect(after.usage_count - before.usage_count).toBe(1);
      expect(after.tokens.output - before.tokens.output).toBe(2);
      const hours = await client.getModelStatistics(me, { interval: 'hour', tz: 'Asia/Shanghai', alias: config.alias });
      expect(hours).toMatchObject({ interval: 'hour', tz: 'Asia/Shanghai', usage_count: 1 });
      expect(hours.series?.[0]?.points.at(-1)?.calls).toBe(1);
      const refused = await failureOf(client.getModelStatistics(me, { tz: 'nowhere' }));
      expect(refused).toBeInstanceOf(StorageInvalid);
      expect(refused.problem).toMatchObject({ errors: [{ field: 'tz' }] });
    });

    it('asks for its health', async () => {
      expect(await client.healthCheck()).toMatchObject({ status: 'ready' });
    });

    it('fails by a class of its own for each kind of refusal', async () => {
      const { id, alias } = await client.createModelConfig(aConfig(), me);
      const taken = await failureOf(client.createModelConfig(aConfig({ alias }), me));
      expect(taken).toBeInstanceOf(StorageConflict);
      expect(taken.problem).toMatchObject({ status: 409, code: 'alias_taken', errors: [{ field: 'alias' }] });
      const stale = await failureOf(client.updateModelConfig(id, { priority: 1 }, me, '"99"'));
      expect(stale).toBeInstanceOf(StorageConflict);
      expect(stale.problem).toMatchObject({ status: 412, code: 'precondition_failed' });
      expect(await failureOf(client.deleteModelConfig(id, me, '"99"'))).toBeInstanceOf(StorageConflict);
      for (const missing of [
        client.getModelByAlias('nobody', me),
        client.updateModelConfig(randomUUID(), { priority: 1 }, me),
        client.deleteModelConfig(randomUUID(), me),
      ]) {
        const failure = await failureOf(missing);
        expect(failure).toBeInstanceOf(StorageNotFound);
        expect(failure.problem).toMatchObject({ status: 404, code: 'config_not_found' });
      }
      const invalid = await failureOf(client.createModelConfig(aConfig({ max_tokens: -1, alias: 'not ok' }), me));
      expect(invalid).toBeInstanceOf(StorageInvalid);
      expect(invalid.problem).toMatchObject({ status: 400, code: 'validation_failed' });
      expect(invalid.problem.errors?.map(({ field }) => field).sort()).toEqual(['alias', 'max_tokens']);
      const masked = await failureOf(client.updateModelConfig(id, { api_key: 'sk-…abcd' }, me));
      expect(masked).toBeInstanceOf(StorageInvalid);
      expect(masked.problem).toMatchObject({ status: 422, code: 'masked_api_key' });
    });

    it('lets storage decide by the scopes of whoever asked', async () => {
      const reader = { ...me, authorization: `Bearer ${await hub.createToken('models:read')}` };
      expect((await client.getAllModels({ limit: 1 }, reader)).limit).toBe(1);
      const refused = await failureOf(client.createModelConfig(aConfig(), reader));
      expect(refused).toBeInstanceOf(StorageRefused);
      expect(refused.problem).toMatchObject({ status: 403, code: 'scope_missing' });
      const unknown = await failureOf(client.getAllModels({}, { ...me, authorization: 'Bearer nobody' }));
      expect(unknown).toBeInstanceOf(StorageRefused);
      expect(unknown.problem).toMatchObject({ status: 401, code: 'token_invalid' });
    });
  });

  describe('with a service in trouble', () => {
    let storage: ScriptedStorage;
    let caller: TestHub;
    let client: StorageServiceClient;
    beforeAll(async () => {
      storage = await startScriptedStorage();
      caller = await startCaller(hub, storage.url, { STORAGE_SERVICE_TIMEOUT: '2' });
      client = clientOf(caller);
    });
    afterAll(async () => {
      await caller.stop();
      await storage.close();
    });

    const reset = (response: ServerResponse): void => void response.destroy();
    const busy = (response: ServerResponse): void => void response.writeHead(503).end('<html>');
    const list = { models: [], total: 0, skip: 0, limit: 100 };
    const READ = 'GET /api/v1/ai-models/configs';
    const CREATE = 'POST /api/v1/ai-models/configs';
    const RECORD = 'POST /internal/v1/usage';

    it.each([
      ['busy', busy],
      ['breaking connections', reset],
    ])('asks again up to three times while it is %s', async (_name, trouble) => {
      storage.on(READ, (response, nth) => (nth < 3 ? trouble(response) : sendJson(response, 200, list)));
      expect(await client.getAllModels({}, me)).toEqual(list);
      expect(storage.countOf(READ)).toBe(3);
      storage.on(READ, trouble);
      expect(await failureOf(client.getAllModels({}, me))).toBeInstanceOf(StorageUnavailable);
      expect(storage.countOf(READ)).toBe(3);
    });

    it.each([400, 404, 500])('does not ask again after a %d', async (status) => {
      storage.on(READ, (response) => sendJson(response, status, { code: 'validation_failed', detail: 'no' }));
      await failureOf(client.getAllModels({}, me));
      expect(storage.countOf(READ)).toBe(1);
    });

    it('waits as long as it is told to', async () => {
      storage.on(READ, (response, nth) =>
        nth === 1 ? void response.writeHead(503, { 'retry-after': '1' }).end() : sendJson(response, 200, list),
      );
      const { value, milliseconds } = await elapsed(() => client.getAllModels({}, me));
      expect(value).toEqual(list);
      expect(milliseconds).toBeGreaterThan(990);
    });

    it.each([
      ['busy', busy],
      ['breaking connections', reset],
    ])('sends a write once to a service that is %s', async (_name, trouble) => {
      storage.on(CREATE, trouble);
      expect(await failureOf(client.createModelConfig(aConfig(), me))).toBeInstanceOf(StorageUnavailable);
      expect(storage.countOf(CREATE)).toBe(1);
      const id = randomUUID();
      for (const [method, work] of [
        ['PUT', (): Promise<unknown> => client.updateModelConfig(id, { priority: 1 }, me)],
        ['DELETE', (): Promise<unknown> => client.deleteModelConfig(id, me)],
      ] as const) {
        storage.on(`${method} /api/v1/ai-models/configs/${id}`, trouble);
        expect(await failureOf(work())).toBeInstanceOf(StorageUnavailable);
        expect(storage.countOf(`${method} /api/v1/ai-models/configs/${id}`)).toBe(1);
      }
    });

    it('sends usage once, whose buffer sends it again in a moment, and takes it for the same', async () => {
      const batch = aUsageBatch(aUsageRecord());
      storage.on(RECORD, (response, nth, { body }) =>
        nth < 3
          ? [busy, reset][nth - 1]?.(response)
          : sendJson(response, 200, { batch_id: body['batch_id'], accepted: 1, duplicate: false }),
      );
      for (const count of [1, 2]) {
        expect(await failureOf(client.recordUsage(batch))).toBeInstanceOf(StorageUnavailable);
        expect(storage.countOf(RECORD)).toBe(count);
      }
      expect(await client.recordUsage(batch)).toEqual({ batch_id: batch.batch_id, accepted: 1, duplicate: false });
      const sent = storage.requests.filter(({ path }) => path === '/internal/v1/usage').slice(-3);
      expect(sent.map(({ body }) => body)).toEqual([batch, batch, batch]);
    });

    it.each([
      [
        'a page of a proxy',
        (response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      ],
      [
        'half of an answer',
        (response: ServerResponse): void =>
          void response.writeHead(200, { 'content-type': 'application/json' }).end('{"models":['),
      ],
      ['a list', (response: ServerResponse): void => sendJson(response, 200, [])],
      ['an empty object', (response: ServerResponse): void => sendJson(response, 200, {})],
      ['nothing', (response: ServerResponse): void => void response.writeHead(200).end()],
    ])('takes %s for no answer at all', async (_name, nonsense) => {
      for (const route of [
        READ,
        RECORD,
        'GET /api/v1/ai-models/active',
        'GET /health/ready',
        'GET /internal/v1/snapshot',
      ])
        storage.on(route, nonsense);
      expect(await failureOf(client.getAllModels({}, me))).toBeInstanceOf(StorageUnavailable);
      expect(await failureOf(client.getActiveModels(me))).toBeInstanceOf(StorageUnavailable);
      expect(await failureOf(client.getSnapshot(null))).toBeInstanceOf(StorageUnavailable);
      // Taken for a receipt, it would lose usage.
      expect(await failureOf(client.recordUsage(aUsageBatch(aUsageRecord())))).toBeInstanceOf(StorageUnavailable);
      expect(await failureOf(client.healthCheck())).toBeInstanceOf(StorageUnavailable);
    });

    it('does not follow it elsewhere', async () => {
      const canary = await startCanary();
      storage.on(READ, (response) => void response.writeHead(307, { location: `${canary.url}/` }).end());
      expect(await failureOf(client.getAllModels({}, me))).toBeInstanceOf(StorageUnavailable);
      expect(canary.connections()).toBe(0);
      await canary.close();
    });
  });

  it.each([
    ['reading', (client: StorageServiceClient): Promise<unknown> => client.getAllModels({}, me)],
    ['writing', (client: StorageServiceClient): Promise<unknown> => client.createModelConfig(aConfig(), me)],
    ['recording', (client: StorageServiceClient): Promise<unknown> => client.recordUsage(aUsageBatch(aUsageRecord()))],
  ])(
    'gives up %s when the deadline is over: a service that takes connections and says nothing',
    async (_name, work) => {
      const canary = await startCanary();
      const caller = await startCaller(hub, canary.url, { STORAGE_SERVICE_TIMEOUT: '1' });
      const { value, milliseconds } = await elapsed(() => failureOf(work(clientOf(caller))));
      expect(value).toBeInstanceOf(StorageUnavailable);
      expect(milliseconds).toBeGreaterThan(950);
      expect(milliseconds).toBeLessThan(1300);
      expect(canary.connections()).toBeGreaterThan(0);
      await caller.stop();
      await canary.close();
    },
  );

  it('gives up when an answer trickles in for longer than the deadline', async () => {
    const storage = await startScriptedStorage();
    const caller = await startCaller(hub, storage.url, { STORAGE_SERVICE_TIMEOUT: '1' });
    storage.on('GET /api/v1/ai-models/active', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(timer));
    });
    const { value, milliseconds } = await elapsed(() => failureOf(clientOf(caller).getActiveModels(me)));
    expect(value).toBeInstanceOf(StorageUnavailable);
    expect(milliseconds).toBeLessThan(1300);
    await caller.stop();
    await storage.close();
  });

  it('tries again where nothing listens, writes too, and then says so within the deadline', async () => {
    const caller = await startCaller(hub, `http://127.0.0.1:${await freePort()}`, { STORAGE_SERVICE_TIMEOUT: '1' });
    const { value, milliseconds } = await elapsed(() => failureOf(clientOf(caller).createModelConfig(aConfig(), me)));
    expect(value).toBeInstanceOf(StorageUnavailable);
    expect(value.message).toContain('ECONNREFUSED');
    expect(value.message).not.toContain(hub.adminToken);
    expect(milliseconds).toBeLessThan(1100);
    await caller.stop();
  });

  describe('as the source of the model directory', () => {
    const SNAPSHOT = 'GET /internal/v1/snapshot';
    let storage: ScriptedStorage;
    let provider: FakeProvider;
    let caller: TestHub;
    let alias: unknown;
    let good: Snapshot;
    /** Says that there is something new, so that the snapshot is asked for at once. */
    let hint: () => void;
    beforeEach(async () => {
      [storage, provider] = await Promise.all([startScriptedStorage(), startFakeProvider()]);
      ({ alias } = await saveModel(hub, { api_base: provider.url }));
      good = (await clientOf(hub).getSnapshot(null)) as Snapshot;
      storage.on(SNAPSHOT, (response) => sendJson(response, 200, good));
      storage.on('GET /internal/v1/changes', (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
        hint = (): void => void response.write(`data: {"revision":${good.revision + 1}}\n\n`);
      });
      caller = await startCaller(hub, storage.url, { STORAGE_SERVICE_TIMEOUT: '1' });
      await until(
        async () => (await call(caller, aChat(alias))).status,
        (status) => status === 200,
      );
    });
    afterEach(async () => {
      await caller.stop();
      await Promise.all([provider.close(), storage.close()]);
    });

    it('never has its snapshot replaced by nonsense, nor by what is older', async () => {
      const sabotage: [string, (response: ServerResponse) => void][] = [
        ['HTML', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
        [
          'cut JSON',
          (response) =>
            void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(good).slice(0, -9)),
        ],
        ['a list', (response) => sendJson(response, 200, [])],
        ...[401, 403, 429, 500].map((status): [string, (response: ServerResponse) => void] => [
          `a ${status}`,
          (response): void =>
            sendJson(response, status, { code: 'token_invalid', detail: 'no' }, { 'retry-after': '0' }),
        ]),
        ['no models', (response) => sendJson(response, 200, { revision: good.revision + 1, tokens: [] })],
        [
          'half a model',
          (response) => sendJson(response, 200, { ...good, revision: good.revision + 1, models: [{ alias: 'x' }] }),
        ],
        [
          'a strange token',
          (response) =>
            sendJson(response, 200, { ...good, revision: good.revision + 1, tokens: [{ id: 'x', sha256: 'y' }] }),
        ],
        ['no number', (response) => sendJson(response, 200, { ...good, revision: 'newest' })],
        [
          'an older one',
          (response) => sendJson(response, 200, { ...good, revision: good.revision - 1, models: [], tokens: [] }),
        ],
        ['another of the same age', (response) => sendJson(response, 200, { ...good, models: [], tokens: [] })],
      ];
      for (const [name, answer] of sabotage) {
        storage.on(SNAPSHOT, answer);
        hint();
        await until(
          () => storage.countOf(SNAPSHOT),
          (count) => count > 0,
        );
        // What was answered has been looked at by the time the next answer of the same kind comes.
        const before = storage.countOf(SNAPSHOT);
        hint();
        await until(
          () => storage.countOf(SNAPSHOT),
          (count) => count > before,
        );
        expect([name, (await call(caller, aChat(alias))).status]).toEqual([name, 200]);
      }
      storage.on(SNAPSHOT, (response) => sendJson(response, 200, { ...good, revision: good.revision + 1, models: [] }));
      await until(
        async () => (await call(caller, aChat(alias))).status,
        (status) => status === 404,
        3000,
      );
    });
  });
});
