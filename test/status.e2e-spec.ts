import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  HealthReport,
  MetricsReport,
  ModelHealthView,
  ModelMetrics,
} from '../src/ai-model/status/status.views.js';
import { GRANTABLE_SCOPES } from '../src/contract/scopes.js';
import { aChat, call, type Json, openCall, saveModel, until } from './support/calls.js';
import { type FakeProvider, politeScript, sendJson, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { type ScriptedStorage, startCaller, startScriptedStorage } from './support/scripted-storage.js';

const HEALTH = '/api/v1/status/health';
const METRICS = '/api/v1/status/metrics';

describe('the status of models and calls', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const save = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const health = async (query: object = {}, at: TestHub = hub): Promise<HealthReport> =>
    (await at.request('get', HEALTH).query(query).expect(200)).body as HealthReport;
  const metrics = async (query: object = {}): Promise<MetricsReport> =>
    (await hub.request('get', METRICS).query(query).expect(200)).body as MetricsReport;
  const healthOf = async (alias: unknown): Promise<ModelHealthView | undefined> =>
    (await health({ limit: 1000 })).models.find((model) => model.alias === alias);
  const metricsOf = async (alias: unknown): Promise<ModelMetrics | undefined> =>
    (await metrics({ limit: 1000 })).models.find((model) => model.alias === alias);
  const failing = (status: number): void =>
    provider.answerWith((_received, response) => sendJson(response, status, { error: { message: 'No' } }));
  const polite = (): void => provider.answerWith(politeScript);

  it('health follows the calls of a model, tells the last one, and starts anew with another key', async () => {
    const { id, alias } = await save();
    await until(
      () => healthOf(alias),
      (seen) => seen !== undefined,
    );
    expect(await healthOf(alias)).toEqual({
      id,
      alias,
      provider: 'openai_compatible',
      callable: true,
      state: 'unknown',
      attempts: 0,
      failures: 0,
      failed_in_a_row: 0,
      last_outcome: null,
      last_at: null,
      last_success_at: null,
    });
    polite();
    await call(hub, aChat(alias));
    const good = await healthOf(alias);
    expect(good).toMatchObject({ state: 'healthy', attempts: 1, last_outcome: 'ok' });
    expect(Math.abs(Date.now() - Date.parse(good?.last_at ?? ''))).toBeLessThan(2000);
    failing(500);
    for (let count = 0; count < 3; count += 1) await call(hub, aChat(alias));
    const bad = await healthOf(alias);
    expect(bad).toMatchObject({
      state: 'unhealthy',
      attempts: 4,
      failures: 3,
      failed_in_a_row: 3,
      last_outcome: 'server',
    });
    expect(bad?.last_success_at).toBe(good?.last_success_at);
    expect(Date.parse(bad?.last_at ?? '')).toBeGreaterThan(Date.parse(bad?.last_success_at ?? ''));
    await hub
      .request('put', `${CONFIGS}/${String(id)}`)
      .send({ api_key: 'another-key-0123' })
      .expect(200);
    await until(
      async () => (await healthOf(alias))?.state,
      (state) => state === 'unknown',
    );
  });

  it('shows the worst first, by page and filter, and what cannot be called', async () => {
    const bad = await save({ priority: -5 });
    const off = await save({ priority: 5, is_enabled: false });
    failing(500);
    for (let count = 0; count < 3; count += 1) await call(hub, aChat(bad['alias']));
    const report = await health({ limit: 1 });
    expect(report).toMatchObject({ models: [{ alias: bad['alias'], state: 'unhealthy' }], skip: 0, limit: 1 });
    expect(report.total).toBeGreaterThan(1);
    expect(report.by_state.unhealthy).toBe(1);
    expect(report.status).toBe('degraded');
    const idle = await health({ callable: false });
    expect(idle.models.map((model) => model.alias)).toEqual([off['alias']]);
    const unhealthy = await health({ state: 'unhealthy', skip: 1 });
    expect([unhealthy.models, unhealthy.total]).toEqual([[], 1]);
    polite();
    await call(hub, aChat(bad['alias']));
    expect((await health()).status).toBe('ok');
  });

  it('tells how old what it knows is', async () => {
    const { directory } = await health();
    expect(directory).toMatchObject({ status: 'up', revision: expect.any(Number) });
    expect(directory.models).toBeGreaterThan(0);
    expect(directory.age_seconds).toBeLessThan(4);
    expect(Date.now() - Date.parse(directory.last_contact_at ?? '')).toBeLessThan(4000);
  });

  it('metrics add up the calls, attempts, tokens and durations of an alias', async () => {
    const before = await metrics();
    const { alias } = await save({ max_retries: 1 });
    polite();
    await call(hub, aChat(alias));
    await call(hub, aChat(alias, { stream: true }));
    let count = 0;
    provider.answerWith((received, response) => {
      count += 1;
      return count === 1 ? sendJson(response, 503, { error: {} }) : politeScript(received, response);
    });
    await call(hub, aChat(alias));
    failing(400);
    await call(hub, aChat(alias));
    const seen = await metricsOf(alias);
    expect(seen).toMatchObject({
      alias,
      provider: 'openai_compatible',
      calls: 4,
      errors: 1,
      outcomes: { ok: 3, bad_request: 1 },
      attempts: 5,
      tokens: { input: 33, cached: 0, output: 21, reasoning: 0 },
      estimated_calls: 0,
    });
    const { latency_ms: latency, first_byte_ms: firstByte } = seen as ModelMetrics;
    expect(latency.p50).toBeGreaterThan(0);
    expect(latency.p99).toBeGreaterThanOrEqual(latency.p50 ?? Infinity);
    // The attempt that was repeated waited.
    expect(latency.p99).toBeGreaterThan(latency.mean ?? Infinity);
    expect(firstByte.mean).toBeGreaterThan(0);
    const after = await metrics();
    expect(after.totals.calls).toBe(before.totals.calls + 4);
    expect(after.totals.attempts).toBe(before.totals.attempts + 5);
    expect(after.since).toBe(before.since);
    expect(after.uptime_seconds).toBeGreaterThanOrEqual(before.uptime_seconds);
  });

  it('metrics count the calls under way, and no call that its caller gave up as an error', async () => {
    const { alias } = await save();
    provider.answerWith(() => undefined);
    const open = openCall(hub.url, hub.adminToken, aChat(alias));
    await until(
      () => metrics(),
      (seen) => seen.open_calls === 1,
    );
    open.leave();
    const seen = await until(
      () => metricsOf(alias),
      (found) => found !== undefined,
    );
    expect(seen).toMatchObject({ calls: 1, errors: 0, outcomes: { client_gone: 1 } });
    expect((await metrics()).open_calls).toBe(0);
  });

  it('metrics come by the page, the most called first', async () => {
    const all = await metrics({ limit: 1000 });
    const calls = all.models.map((model) => model.calls);
    expect(calls).toEqual([...calls].sort((a, b) => b - a));
    const page = await metrics({ skip: 1, limit: 1 });
    expect(page).toMatchObject({ total: all.total, skip: 1, limit: 1 });
    expect(page.models.map(({ alias }) => alias)).toEqual([all.models[1]?.alias]);
    for (const query of [{ limit: 0 }, { limit: 1001 }, { skip: -1 }, { state: 'dead' }]) {
      const { body } = await hub.request('get', HEALTH).query(query).expect(400);
      expect((body as { error: Json }).error).toMatchObject({
        code: 'validation_failed',
        param: Object.keys(query)[0],
      });
    }
  });

  it('is shown to whoever reads models or usage, and to nobody else', async () => {
    for (const path of [HEALTH, METRICS]) {
      for (const scope of GRANTABLE_SCOPES) {
        const { status } = await hub.request('get', path, await hub.createToken(scope));
        const expected = scope === 'usage:read' || scope === 'models:read' ? 200 : 403;
        expect({ path, scope, status }).toEqual({ path, scope, status: expected });
      }
    }
  });

  it('says so when storage cannot be asked, and answers all the same', async () => {
    const { body } = await hub.request('get', '/internal/v1/snapshot', hub.serviceToken).expect(200);
    const storage: ScriptedStorage = await startScriptedStorage();
    storage.on('GET /internal/v1/snapshot', (response, nth) =>
      nth === 1 ? sendJson(response, 200, body) : response.writeHead(503).end(),
    );
    const caller = await startCaller(hub, storage.url);
    try {
      const report = await until(
        () => health({}, caller),
        ({ directory: { status, age_seconds: age } }) => status === 'degraded' && (age ?? 0) > 1,
        5000,
      );
      expect(report.status).toBe('degraded');
      expect(report.directory.models).toBeGreaterThan(0);
    } finally {
      await caller.stop();
      await storage.close();
    }
  });
});
