import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  aChat,
  call,
  callsIn,
  elapsed,
  openCall,
  readModel,
  saveModel,
  until,
  usageAfter,
  usageOf,
  type Answer,
  type Json,
} from './support/calls.js';
import {
  chunk,
  DONE,
  sendJson,
  startFakeProvider,
  usageChunk,
  wholeAnswer,
  type FakeProvider,
  type Script,
} from './support/fake-provider.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startCaller } from './support/scripted-storage.js';
import { startTcpProxy } from './support/sockets.js';

const STATISTICS = '/api/v1/ai-models/statistics';

/** Every fifth call fails, every other of the rest is streamed; each uses as many tokens as its number says. */
const numbered = (index: number): Json => ({ user: String(index), ...(index % 2 === 1 && { stream: true }) });
const usageFor = (index: number): Json => ({
  prompt_tokens: index,
  completion_tokens: 2 * index,
  prompt_tokens_details: { cached_tokens: Math.floor(index / 2) },
  completion_tokens_details: { reasoning_tokens: Math.floor(index / 3) },
});
const answerByNumber: Script = ({ body }, response) => {
  const index = Number(body['user']);
  if (index % 5 === 0) return sendJson(response, 500, { error: { message: 'every fifth' } });
  if (body['stream'] !== true) return sendJson(response, 200, wholeAnswer('Hello', usageFor(index)));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(chunk('Hello', 'stop') + usageChunk(usageFor(index)) + DONE);
};
const sumOf = (count: number, value: (index: number) => number): number =>
  Array.from({ length: count }, (_, index) => (index % 5 === 0 ? 0 : value(index))).reduce(
    (sum, next) => sum + next,
    0,
  );
const callAll = (hub: TestHub, alias: unknown, count: number): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(hub, aChat(alias, numbered(index)))));

const expectedTotals = (count: number): Json => ({
  usage_count: count,
  error_count: count / 5,
  errors_by_class: { server: count / 5 },
  tokens: {
    input: sumOf(count, (index) => index),
    cached: sumOf(count, (index) => Math.floor(index / 2)),
    output: sumOf(count, (index) => 2 * index),
    reasoning: sumOf(count, (index) => Math.floor(index / 3)),
  },
});

describe('usage', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub();
  });
  beforeEach(async () => {
    provider = await startFakeProvider();
  });
  afterEach(() => provider.close());
  afterAll(() => hub.close());

  const model = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const statistics = async (): Promise<Json> => (await hub.request('get', STATISTICS).expect(200)).body as Json;
  const post = async (body: unknown, status = 200): Promise<Json> =>
    (
      await hub
        .request('post', '/internal/v1/usage', hub.serviceToken)
        .send(body as object)
        .expect(status)
    ).body as Json;

  const record = (config: Json, fields: Json = {}): Json => ({
    config_id: config['id'],
    config_version: config['version'],
    alias: config['alias'],
    provider: config['provider'],
    token_id: null,
    source: 'api',
    outcome: 'ok',
    streamed: false,
    minute: Date.now() - (Date.now() % 60_000),
    calls: 1,
    input_tokens: 3,
    cached_tokens: 1,
    output_tokens: 2,
    reasoning_tokens: 1,
    estimated_calls: 0,
    first_byte_calls: 1,
    first_byte_ms: 5,
    total_ms: 9,
    last_at: Date.now(),
    last_error: null,
    ...fields,
  });
  const batch = (...records: Json[]): Json => ({ batch_id: randomUUID(), records });

  it('of a call is in its model within two seconds', async () => {
    const { id, alias } = await model();
    const before = Date.now();
    await call(hub, aChat(alias));
    const { milliseconds } = await elapsed(() =>
      until(
        () => readModel(hub, id),
        (seen) => seen['usage_count'] === 1,
      ),
    );
    expect(milliseconds).toBeLessThan(2000);
    const good = await readModel(hub, id);
    expect(good).toMatchObject({ usage_count: 1, error_count: 0, last_error: null, version: 1 });
    expect(Date.parse(String(good['last_used_at']))).toBeGreaterThanOrEqual(before);
    provider.answerWith((_call, response) => sendJson(response, 500, { error: { message: 'out of order' } }));
    await call(hub, aChat(alias));
    const bad = await until(
      () => readModel(hub, id),
      (seen) => seen['usage_count'] === 2,
      2000,
    );
    expect(bad).toMatchObject({ error_count: 1, last_error: 'server (500): out of order', status: 'configured' });
    expect(Date.parse(String(bad['last_used_at']))).toBeGreaterThan(Date.parse(String(good['last_used_at'])));
  });

  it('of 500 calls at once, streamed, whole and failing, is exact to the token', async () => {
    const own = await startHub();
    provider.answerWith(answerByNumber);
    const { id, alias } = await saveModel(own, { api_base: provider.url });
    const answers = await callAll(own, alias, 500);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(400);
    expect(provider.calls).toHaveLength(500);
    await usageAfter(own, id, 500);
    const { body } = await own.request('get', STATISTICS).expect(200);
    expect(body).toMatchObject({
      total_models: 1,
      active_models: 1,
      by_provider: { openai_compatible: 1 },
      ...expectedTotals(500),
    });
    expect(await readModel(own, id)).toMatchObject({ usage_count: 500, error_count: 100 });
    await own.close();
  });

  it('in a batch that comes five times, also at once, counts once', async () => {
    const config = await model();
    const sent = batch(
      record(config, { latency: [500, 1] }),
      record(config, { latency: [501, 1], outcome: 'timeout', last_error: 'late' }),
    );
    const receipts = [...(await Promise.all([post(sent), post(sent), post(sent)])), await post(sent), await post(sent)];
    expect(receipts.filter(({ duplicate }) => duplicate === false)).toHaveLength(1);
    expect(receipts).toEqual(receipts.map(({ duplicate }) => ({ batch_id: sent['batch_id'], accepted: 2, duplicate })));
    expect(await readModel(hub, config['id'])).toMatchObject({
      usage_count: 2,
      error_count: 1,
      last_error: 'late',
    });
    expect(callsIn(await usageOf(hub, config['id']))).toBe(2);
    for (const table of ['usage_minutes', 'usage_hours', 'usage_days']) {
      const sums = await hub.database.query(
        `SELECT sum(calls)::int AS calls, string_agg(latency, '') AS latency FROM ${table}
         WHERE level = 5 AND series_id IN (SELECT id FROM usage_series WHERE config_id = $1)`,
        [config['id']],
      );
      // Two histograms of one entry each.
      expect({ table, sums }).toEqual({ table, sums: [{ calls: 2, latency: expect.stringMatching(/^.{8}$/) }] });
    }
    // The same records under another id are other calls.
    await post({ ...sent, batch_id: randomUUID() });
    expect(callsIn(await usageOf(hub, config['id']))).toBe(4);
  });

  it('in a batch that is wrong is refused whole', async () => {
    const config = await model();
    const good = record(config);
    const wrong: unknown[] = [
      {},
      { batch_id: 'x', records: [] },
      { batch_id: randomUUID(), records: {} },
      batch(good, null as unknown as Json),
      batch(good, record(config, { outcome: 'splendid' })),
      batch(good, record(config, { input_tokens: -1 })),
      batch(good, record(config, { input_tokens: 1.5 })),
      batch(good, record(config, { input_tokens: 2e12 })),
      batch(good, record(config, { calls: 0 })),
      batch(good, record(config, { minute: 61_000 })),
      batch(good, record(config, { config_id: '1; drop table' })),
      batch(good, record(config, { last_error: 'x'.repeat(1001) })),
      batch(good, record(config, { source: undefined })),
      batch(good, record(config, { latency: [5, 2] })),
      batch(good, record(config, { prompt_id: 'x' })),
      batch(...Array.from({ length: 1001 }, () => good)),
    ];
    for (const body of wrong) expect(await post(body, 400)).toMatchObject({ code: 'validation_failed', status: 400 });
    expect(await usageOf(hub, config['id'])).toEqual([]);
    await hub.request('post', '/internal/v1/usage').send(batch(good)).expect(403);
  });

  it('of a thousand kinds of failing calls, each with a long error in Chinese, arrives in one batch', async () => {
    const config = await model();
    const failed = { outcome: 'server', last_error: '错'.repeat(300) };
    const records = Array.from({ length: 1000 }, (_, index) => record(config, { ...failed, minute: index * 60_000 }));
    expect(Buffer.byteLength(JSON.stringify(batch(...records)))).toBeGreaterThan(1024 * 1024);
    expect(await post(batch(...records))).toMatchObject({ accepted: 1000, duplicate: false });
    expect(callsIn(await usageOf(hub, config['id']))).toBe(1000);
    expect(await readModel(hub, config['id'])).toMatchObject({ error_count: 1000, last_error: failed.last_error });
  });

  it('of a thousand kinds of calls, with as many durations as a batch may have, arrives in one batch', async () => {
    const config = await model();
    const latency = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? index : 1));
    const longest = {
      alias: '别'.repeat(100),
      token_id: '🔑'.repeat(32),
      prompt_name: '名'.repeat(100),
      prompt_label: '签'.repeat(100),
    };
    const records = Array.from({ length: 1000 }, (_, index) =>
      record(config, {
        ...longest,
        last_error: '错'.repeat(300),
        minute: index * 60_000,
        calls: 25,
        latency,
        first_byte: [],
      }),
    );
    expect(await post(batch(...records))).toMatchObject({ accepted: 1000, duplicate: false });
    expect(callsIn(await usageOf(hub, config['id']))).toBe(25_000);
  });

  it('with a system prompt is in the counters of its template', async () => {
    const config = await model();
    const [template] = await hub.database.query<{ id: string }>(
      `INSERT INTO system_prompt_templates (name, display_name, created_by, updated_by)
       VALUES ('counted', 'Counted', 'admin', 'admin') RETURNING id`,
    );
    const prompt = { prompt_id: template?.id, prompt_name: 'counted', prompt_version: 1, prompt_label: 'production' };
    const at = Date.now() - 5000;
    const sent = batch(
      record(config, { ...prompt, calls: 2, last_at: at }),
      record(config, { ...prompt, prompt_version: 2, calls: 3, last_at: at - 1000 }),
      record(config, { ...prompt, prompt_id: randomUUID(), prompt_name: 'of-another-installation' }),
    );
    await post(sent);
    await post(sent);
    await post(batch(record(config, { ...prompt, last_at: at - 60_000 })));
    expect(
      await hub.database.query('SELECT usage_count::int, last_used_at FROM system_prompt_templates WHERE id = $1', [
        template?.id,
      ]),
    ).toEqual([{ usage_count: 6, last_used_at: new Date(at) }]);
  });

  it('of a model that was deleted meanwhile is kept, and holds up nothing behind it', async () => {
    const [gone, kept] = await Promise.all([model(), model()]);
    await hub.request('delete', `${CONFIGS}/${String(gone['id'])}`).expect(204);
    expect(await post(batch(record(gone), record(kept)))).toMatchObject({ accepted: 2 });
    expect(callsIn(await usageOf(hub, gone['id']))).toBe(1);
    expect(await readModel(hub, kept['id'])).toMatchObject({ usage_count: 1 });
  });

  it('from tests and from the playground is not in the statistics', async () => {
    const { id, alias } = await model();
    const before = await statistics();
    for (const source of ['test', 'playground', 'api', 'something']) {
      await call(hub, aChat(alias), { headers: { 'x-hub-source': source } });
    }
    const counted = await usageAfter(hub, id, 4);
    expect(counted.map(({ source, calls }) => [source, calls])).toEqual([
      ['api', 2],
      ['playground', 1],
      ['test', 1],
    ]);
    const after = await statistics();
    expect(Number(after['usage_count']) - Number(before['usage_count'])).toBe(2);
  });

  describe('that tells about the key', () => {
    const statusOf = async (id: unknown): Promise<unknown> => (await readModel(hub, id))['status'];

    it('sets the status to error after a 401, and back after a good answer; it stays callable', async () => {
      const { id, alias } = await model();
      provider.answerWith((_call, response) =>
        sendJson(response, 401, { error: { message: 'no', code: 'invalid_api_key' } }),
      );
      expect((await call(hub, aChat(alias))).status).toBe(424);
      await until(
        () => statusOf(id),
        (status) => status === 'error',
        2000,
      );
      expect(await readModel(hub, id)).toMatchObject({ version: 1, is_enabled: true, has_api_key: true });
      provider.answerWith((_call, response) => sendJson(response, 200, wholeAnswer('Hi')));
      expect((await call(hub, aChat(alias))).status).toBe(200);
      await until(
        () => statusOf(id),
        (status) => status === 'configured',
        2000,
      );
    });

    it('says nothing about a key that was replaced meanwhile', async () => {
      const old = await model();
      const id = old['id'];
      const rejected = { outcome: 'auth', last_error: 'auth (401)' };
      const now = (
        await hub
          .request('put', `${CONFIGS}/${String(id)}`)
          .send({ api_key: 'key-that-is-quite-new' })
          .expect(200)
      ).body as Json;
      await post(batch(record(old, rejected)));
      expect(await statusOf(id)).toBe('configured');
      await post(batch(record(now, rejected)));
      expect(await statusOf(id)).toBe('error');
      await post(batch(record(old, { outcome: 'ok' })));
      expect(await statusOf(id)).toBe('error');
      await post(batch(record(now, { outcome: 'ok' })));
      expect(await statusOf(id)).toBe('configured');
    });

    it('switches nothing off because a text mentions a balance', async () => {
      const { id, alias } = await model();
      const texts = ['Your credit balance is too low', 'invalid api key, unauthorized', 'insufficient_quota'];
      for (const [index, status] of [400, 429, 500].entries()) {
        provider.answerWith((_call, response) => sendJson(response, status, { error: { message: texts[index] } }));
        await call(hub, aChat(alias));
      }
      await usageAfter(hub, id, 3);
      expect(await readModel(hub, id)).toMatchObject({ status: 'configured', is_enabled: true, error_count: 3 });
      provider.answerWith((_call, response) => sendJson(response, 200, wholeAnswer('Hi')));
      expect((await call(hub, aChat(alias))).status).toBe(200);
    });
  });

  it('is all there after a shutdown right behind the calls, those under way included', async () => {
    const env = { ENCRYPTION_KEYS: randomKeyRing() };
    const first = await startHub({ env });
    provider.answerWith(answerByNumber);
    const { id, alias } = await saveModel(first, { api_base: provider.url });
    await callAll(first, alias, 100);
    provider.answerWith(async (_call, response) => {
      await sleep(400);
      sendJson(response, 200, wholeAnswer('late', { prompt_tokens: 0, completion_tokens: 0 }));
    });
    const underWay = Array.from({ length: 5 }, () => openCall(first.url, first.adminToken, aChat(alias)));
    await until(
      () => provider.calls.length,
      (calls) => calls === 105,
    );
    await first.stop();
    for (const open of underWay) expect((await open.done).status).toBe(200);

    const second = await startHub({ env, database: first.database });
    expect(await readModel(second, id)).toMatchObject({ usage_count: 105, error_count: 20, status: 'configured' });
    const { body } = await second.request('get', STATISTICS).expect(200);
    expect(body).toMatchObject({ usage_count: 105, tokens: expectedTotals(100)['tokens'] });
    await second.close();
  });

  it('is neither lost nor doubled when storage is cut off, or takes it and cannot say so', async () => {
    const storage = await startHub({ env: { SERVICE_ROLE: 'storage' } });
    const line = await startTcpProxy(storage.url);
    const caller = await startCaller(storage, line.url, { STORAGE_SERVICE_TIMEOUT: '2' });
    provider.answerWith(answerByNumber);
    const { id, alias } = await saveModel(storage, { api_base: provider.url });
    const counted = async (): Promise<number> => callsIn(await usageOf(storage, id));
    const callTwenty = async (): Promise<void> => {
      const statuses = (await callAll(caller, alias, 20)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(16);
    };
    await callTwenty();
    await until(counted, (calls) => calls === 20);

    line.set('cut');
    await callTwenty();
    await sleep(1500);
    expect(await counted()).toBe(20);

    // Requests arrive, their answers do not: it is counted, and sent again.
    line.set('deaf');
    await until(counted, (calls) => calls === 40, 6000);
    const lostBefore = line.lostAnswers();
    await until(line.lostAnswers, (lost) => lost > lostBefore + 2, 6000);
    expect(await counted()).toBe(40);
    await callTwenty();
    line.set('open');
    await until(counted, (calls) => calls === 60, 6000);
    await sleep(1200);
    expect(await readModel(storage, id)).toMatchObject({ usage_count: 60, error_count: 12 });
    const { body } = await storage.request('get', STATISTICS).expect(200);
    expect(body).toMatchObject({ usage_count: 60, tokens: { input: 3 * sumOf(20, (index) => index) } });

    await caller.stop();
    await line.close();
    await storage.close();
  });
});
