// What an AI model process says of itself to storage, and what of the snapshot it asks for.
import type { ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { StorageServiceClient } from '../src/ai-model/storage-client/storage-service.client.js';
import type { InstanceReport } from '../src/contract/instance.contract.js';
import type { Snapshot, SnapshotDifference } from '../src/contract/snapshot.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { aSnapshotModel } from './factories/snapshot-model.js';
import { aChat, call, elapsed, saveModel, until, type Json } from './support/calls.js';
import { type FakeProvider, sendJson, startFakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { startCaller, startScriptedStorage, type ScriptedStorage } from './support/scripted-storage.js';

const SNAPSHOT = 'GET /internal/v1/snapshot';
const REPORT = 'POST /internal/v1/instances';

describe('an AI model process', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let alias: string;
  let good: Snapshot;
  let storage: ScriptedStorage;
  let caller: TestHub;
  let hint: (revision: number) => void;

  const reports = (): InstanceReport[] =>
    storage.requests.filter(({ path }) => path === '/internal/v1/instances').map(({ body }) => body as never);
  const farewells = (): string[] =>
    storage.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path.split('/').at(-1) ?? '');
  const noContent = (response: ServerResponse): void => void response.writeHead(204).end();
  const snapshotPaths = (): string[] =>
    storage.requests.filter(({ path }) => path.includes('/snapshot')).map(({ path }) => path);
  const reported = (revision: number): Promise<unknown> =>
    until(
      () => reports().at(-1)?.revision,
      (seen) => seen === revision,
      5000,
    );

  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
    alias = String((await saveModel(hub, { api_base: provider.url }))['alias']);
    good = (await hub.application.nest.get(StorageServiceClient, { strict: false }).getSnapshot(null)) as Snapshot;
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });
  beforeEach(async () => {
    storage = await startScriptedStorage();
    storage.on(SNAPSHOT, (response) => sendJson(response, 200, good));
    storage.on(REPORT, noContent);
    storage.on('POST /internal/v1/usage', (response, _nth, { body }) =>
      sendJson(response, 200, { batch_id: body['batch_id'], accepted: 1, duplicate: false }),
    );
    storage.on('GET /internal/v1/changes', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
      hint = (revision): void => void response.write(`data: {"revision":${revision}}\n\n`);
    });
    caller = await startCaller(hub, storage.url);
    await reported(good.revision);
  });
  afterEach(async () => {
    await caller.stop();
    await storage.close();
  });

  it('reports what it is and what it runs, at once and then every two seconds', async () => {
    const report = reports().at(-1);
    expect(report).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      role: 'ai-model',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      host: hostname(),
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      revision: good.revision,
      source: 'storage',
      confirmed_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const before = reports().length;
    await until(
      () => reports().length,
      (count) => count > before,
      6000,
    );
    expect(new Set(reports().map(({ id }) => id)).size).toBe(1);
  });

  it('says goodbye at the end, and nothing after it', async () => {
    const [first] = reports();
    storage.on(`DELETE /internal/v1/instances/${first?.id}`, noContent);
    await caller.stop();
    expect(farewells()).toEqual([first?.id]);
    expect(storage.requests.at(-1)?.method).toBe('DELETE');
  });

  it('takes a difference over and reports it at once; calls do not notice that reports hang', async () => {
    storage.on(REPORT, () => undefined);
    const [known] = good.models.filter((model) => model.alias === alias);
    const difference: SnapshotDifference = {
      since: good.revision,
      revision: good.revision + 1,
      models: [{ ...aSnapshotModel(known), id: '5d29aba2-a695-4015-8164-ea46106fca36', alias: 'new-one' }],
      tokens: [],
      prompts: [],
      budgets: [],
      removed: { models: [], tokens: [], prompts: [] },
      totals: { models: good.models.length + 1, tokens: good.tokens.length, prompts: good.prompts.length },
    };
    storage.on(SNAPSHOT, (response) => sendJson(response, 200, difference));
    hint(difference.revision);
    await until(
      async () => (await call(caller, aChat('new-one'))).status,
      (status) => status === 200,
      4000,
    );
    expect(snapshotPaths()).toContain(`/internal/v1/snapshot?since=${good.revision}`);
    expect((await call(caller, aChat(alias))).status).toBe(200);
    await reported(difference.revision);
    // The one that hangs is the only one.
    expect(storage.countOf(REPORT)).toBe(1);
    // Nor is it waited for at the end for long.
    const { milliseconds } = await elapsed(() => caller.stop());
    expect(milliseconds).toBeLessThan(5000);
  });

  it('fetches all of it when a difference does not fit', async () => {
    const newer = { ...good, revision: good.revision + 2, models: [] };
    storage.on(SNAPSHOT, (response, _nth, { path }) =>
      path.endsWith(`since=${good.revision}`)
        ? sendJson(response, 200, {
            since: good.revision,
            revision: newer.revision,
            models: [],
            tokens: [],
            prompts: [],
            removed: { models: [], tokens: [], prompts: [] },
            totals: { models: 0, tokens: good.tokens.length, prompts: good.prompts.length },
          })
        : sendJson(response, 200, newer),
    );
    hint(newer.revision);
    await reported(newer.revision);
    expect(snapshotPaths().slice(-3)).toContain('/internal/v1/snapshot');
    expect((await call(caller, aChat(alias))).status).toBe(404);
    expect(caller.logs().match(/A difference does not fit/g)).toHaveLength(1);
  });

  it('says once that its reports are not taken, as by a storage service of before', async () => {
    storage.on(REPORT, (response) => sendJson(response, 404, { code: 'route_not_found', detail: 'no such route' }));
    for (const revision of [good.revision + 1, good.revision + 2]) {
      storage.on(SNAPSHOT, (response) => sendJson(response, 200, { ...good, revision }));
      hint(revision);
      await reported(revision);
    }
    expect(storage.countOf(REPORT)).toBeGreaterThan(1);
    expect(caller.logs().match(/does not take reports/g)).toHaveLength(1);
    expect((await call(caller, aChat(alias))).status).toBe(200);
  });

  it('is waited for by a write that wants to be applied, and gone from the list when it ends', async () => {
    const real = await startCaller(hub, hub.url);
    const instances = async (): Promise<Json[]> =>
      ((await hub.request('get', '/api/v1/instances').expect(200)).body as { instances: Json[] }).instances;
    await until(instances, (found) => found.some(({ role }) => role === 'ai-model'), 5000);
    for (let times = 0; times < 5; times += 1) {
      const { body, headers } = await hub
        .request('post', '/api/v1/ai-models/configs?wait=applied')
        .send(aModelConfig({ api_base: provider.url }))
        .expect(201);
      expect(headers['x-hub-applied']).toBe('2/2');
      // Nobody is asked for it: it is there.
      expect((await call(real, aChat((body as Json)['alias']))).status).toBe(200);
    }
    const found = (await instances()).find(({ role }) => role === 'ai-model');
    expect(found).toMatchObject({ is_current: true, configuration_source: 'storage' });
    await real.stop();
    expect((await instances()).map(({ role }) => role)).toEqual(['all']);
  });
});
