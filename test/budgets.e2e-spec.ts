import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { StorageServiceClient } from '../src/ai-model/storage-client/storage-service.client.js';
import type { Snapshot } from '../src/contract/snapshot.contract.js';
import type { CreatedToken } from '../src/contract/token.contract.js';
import type { UsageRecord } from '../src/contract/usage.contract.js';
import { BudgetWatch } from '../src/storage/budget/budget-watch.js';
import {
  aBudget,
  addChannel,
  BUDGETS,
  CENT_PRICES,
  centCalls,
  noticesOf,
  readBudget,
  saveBudget,
  sendUsage,
} from './support/budgets.js';
import { aChat, call, saveModel, until, type Answer, type Json } from './support/calls.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { startCaller, startScriptedStorage } from './support/scripted-storage.js';

const DAY = 24 * 60 * 60 * 1000;

let hub: TestHub;
let provider: FakeProvider;
beforeAll(async () => {
  [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
  await addChannel(hub.database);
});
beforeEach(() => {
  provider.calls.length = 0;
  provider.answerWith(politeScript);
});
afterAll(async () => {
  await hub.close();
  await provider.close();
});
/** One that is left would refuse the calls of the next test. */
afterEach(async () => {
  const { budgets } = (await hub.request('get', BUDGETS).expect(200)).body as { budgets: Json[] };
  for (const { id, action } of budgets) {
    const wait = action === 'refuse' ? '?wait=applied' : '';
    await hub.request('delete', `${BUDGETS}/${String(id)}${wait}`).expect(204);
  }
});

const change = async ({ id }: Json, fields: Json): Promise<Json> =>
  (
    await hub
      .request('put', `${BUDGETS}/${String(id)}?wait=applied`)
      .send(fields)
      .expect(200)
  ).body as Json;
const model = (fields: Json = {}): Promise<Json> =>
  saveModel(hub, { api_base: provider.url, ...CENT_PRICES, ...fields });
/** Looks as if it were then; somebody else may be at it. */
const look = (now: number): Promise<unknown> =>
  until(
    () => hub.application.nest.get(BudgetWatch, { strict: false }).look(now),
    (sight) => sight !== null,
  );
const spentOf = (budget: Json): Promise<Json> => readBudget(hub, budget);
/** Calls of a model that cost so many cents. */
const spend = (cents: number, { id, alias }: Json, fields: Partial<UsageRecord> = {}): Promise<void> =>
  sendUsage(hub, centCalls(cents, { config_id: String(id), alias: String(alias), ...fields }));
const untilCalled = (alias: unknown, status: number): Promise<Answer> =>
  until(
    () => call(hub, aChat(alias)),
    (answer) => answer.status === status,
  );
const createToken = async (): Promise<CreatedToken> =>
  (
    await hub
      .request('post', '/api/v1/tokens?wait=applied')
      .send({ name: 't', scopes: ['invoke'] })
      .expect(201)
  ).body as CreatedToken;

describe('budgets through REST', () => {
  it('are created with their defaults, read, listed, changed and deleted, and the history tells of it', async () => {
    const created = await hub
      .request('post', BUDGETS)
      .set('idempotency-key', randomUUID())
      .send(aBudget({ name: 'team', limit_usd: 12.5 }))
      .expect(201);
    const budget = created.body as Json;
    expect(created.headers).toMatchObject({ location: `${BUDGETS}/${String(budget['id'])}`, etag: '"1"' });
    const now = new Date();
    const month = (offset: number): string =>
      new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset)).toISOString();
    expect(budget).toEqual({
      ...budget,
      name: 'team',
      description: null,
      is_enabled: true,
      scope: 'all',
      scope_value: null,
      period: 'month',
      time_zone: 'UTC',
      limit_usd: 12.5,
      thresholds: [80, 100],
      action: 'notify',
      severity: 'warning',
      language: null,
      channels: [],
      period_from: month(0),
      period_to: month(1),
      exhausted: false,
      version: 1,
    });
    const path = `${BUDGETS}/${String(budget['id'])}`;
    const put = (fields: Json, etag: string): ReturnType<TestHub['request']> =>
      hub.request('put', path).set('if-match', etag).send(fields);
    const changed = await put({ thresholds: [100, 50], limit_usd: 0.000001 }, '"1"').expect(200);
    expect(changed.body).toMatchObject({ thresholds: [50, 100], limit_usd: 0.000001, name: 'team', version: 2 });
    expect((await put({ limit_usd: 1 }, '"1"').expect(412)).body).toMatchObject({ code: 'precondition_failed' });
    expect((await put({ thresholds: [50, 100] }, '"2"').expect(200)).body).toMatchObject({ version: 2 });
    const taken = await hub
      .request('post', BUDGETS)
      .send(aBudget({ name: 'team' }))
      .expect(409);
    expect(taken.body).toMatchObject({ code: 'budget_name_taken', errors: [{ field: 'name' }] });
    expect((await hub.request('get', BUDGETS).expect(200)).body).toMatchObject({
      total: 1,
      budgets: [{ name: 'team' }],
    });
    await hub.request('delete', path).expect(204);
    expect((await hub.request('get', path).expect(404)).body).toMatchObject({ code: 'budget_not_found' });
    const history = await hub
      .request('get', `/api/v1/history?kind=budget&subject_id=${String(budget['id'])}`)
      .expect(200);
    expect((history.body as { entries: Json[] }).entries.map(({ action, version }) => [action, version])).toEqual([
      ['delete', 3],
      ['update', 2],
      ['create', 1],
    ]);
  });

  it('name the field that is wrong, created or changed', async () => {
    const wrong: [string, Json][] = [
      ['limit_usd', { limit_usd: 0 }],
      ['limit_usd', { limit_usd: 0.0000015 }],
      ['limit_usd', { limit_usd: null }],
      ['name', { name: 'Not a name' }],
      ['time_zone', { time_zone: 'Mars/Olympus' }],
      ['thresholds', { thresholds: [0] }],
      ['thresholds', { thresholds: [80, 80] }],
      ['thresholds', { thresholds: [80.5] }],
      ['scope_value', { scope: 'all', scope_value: 'x' }],
      ['scope_value', { scope: 'alias' }],
      ['scope_value', { scope: 'alias', scope_value: 'not an alias' }],
      ['scope_value', { scope: 'tag', scope_value: 'no-colon' }],
      ['scope_value', { scope: 'token', scope_value: 'hub_api_0123456789' }],
      ['action', { action: 'explode' }],
    ];
    const path = `${BUDGETS}/${String((await saveBudget(hub))['id'])}`;
    for (const [field, fields] of wrong) {
      const refused = [
        await hub.request('post', BUDGETS).send(aBudget(fields)),
        await hub.request('put', path).send(fields),
      ];
      for (const { status, body } of refused) {
        expect([status, body]).toMatchObject([400, { code: 'validation_failed', errors: [{ field }] }]);
      }
    }
    expect((await hub.request('get', path).expect(200)).body).toMatchObject({ version: 1, limit_usd: 1 });
  });

  it('show what was spent of each scope, to the last digit, and how many calls had no price', async () => {
    const tags = { team: randomUUID() };
    const [dear, cheap] = [await model({ tags }), await model({ tags })];
    const token = await createToken();
    const tag = `team:${tags.team}`;
    const scopes: Json[] = [
      { scope: 'alias', scope_value: dear['alias'] },
      { scope: 'tag', scope_value: tag, period: 'day', time_zone: 'Asia/Kolkata' },
      { scope: 'token', scope_value: token.id },
      { scope: 'all', limit_usd: 1000 },
    ];
    const budgets = await Promise.all(scopes.map((fields) => saveBudget(hub, fields)));
    const before = (await spentOf(budgets[3] as Json))['spent_usd'] as number;
    await spend(30, dear, { token_id: token.id, source: 'playground' });
    await spend(3, dear, { output_price_per_million: null, input_price_per_million: null, source: 'test' });
    await spend(20, cheap, { output_price_per_million: 1000.1 });
    // Long ago is another period.
    await spend(70, cheap, { minute: Date.now() - (Date.now() % DAY) - 40 * DAY });
    const views = await Promise.all(budgets.map(spentOf));
    expect(views.map((view) => [view['spent_usd'], view['percent'], view['unpriced_calls']])).toEqual([
      [0.3, 30, 3],
      [0.50002, 50, 3],
      [0.3, 30, 0],
      [Number((before + 0.50002).toFixed(12)), expect.any(Number), 3],
    ]);
  });
});

describe('thresholds', () => {
  it('are told once each, by whoever looks and however often, and again in the next period', async () => {
    const spent = await model();
    const budget = await saveBudget(hub, {
      scope: 'alias',
      scope_value: spent['alias'],
      period: 'day',
      severity: 'critical',
    });
    await spend(79, spent);
    await look(Date.now());
    expect(await noticesOf(hub.database, budget)).toEqual([]);
    await spend(1, spent);
    // Nobody is asked to look: usage that comes in is looked at within a second.
    const [first] = await until(
      () => noticesOf(hub.database, budget),
      (notices) => notices.length > 0,
    );
    const about = { id: budget['id'], name: budget['name'], scope: `alias:${String(spent['alias'])}`, period: 'day' };
    expect(first).toEqual({
      event: 'budget',
      at: expect.stringMatching(/Z$/),
      budget: {
        ...about,
        from: budget['period_from'],
        to: budget['period_to'],
        limit_usd: 1,
        spent_usd: 0.8,
        threshold: 80,
        refuses: false,
      },
      severity: 'critical',
      language: null,
    });
    await spend(40, spent);
    for (const _again of [1, 2, 3]) await look(Date.now());
    const thresholds = async (): Promise<number[]> =>
      (await noticesOf(hub.database, budget)).map((notice) => notice.budget.threshold);
    expect(await thresholds()).toEqual([80, 100]);
    // Tomorrow nothing is spent yet, and what comes in late of today tells nothing any more.
    const tomorrow = Date.now() + DAY;
    await look(tomorrow);
    await spend(500, spent);
    await look(tomorrow);
    expect(await thresholds()).toEqual([80, 100]);
    await spend(100, spent, { minute: tomorrow - (tomorrow % 60_000) });
    await look(tomorrow);
    expect(await thresholds()).toEqual([80, 100, 100]);
  });

  it('that are reached while there is no channel are told when there is one', async () => {
    const spent = await model();
    await hub.database.query('UPDATE alert_channels SET is_enabled = false');
    const budget = await saveBudget(hub, { scope: 'alias', scope_value: spent['alias'] });
    await spend(85, spent);
    await look(Date.now());
    await hub.database.query('UPDATE alert_channels SET is_enabled = true');
    expect(await noticesOf(hub.database, budget)).toEqual([]);
    await look(Date.now());
    await look(Date.now());
    expect((await noticesOf(hub.database, budget)).map((notice) => notice.budget.threshold)).toEqual([80]);
    const said = hub
      .logs()
      .split('\n')
      .filter((line) => line.includes(String(budget['name'])) && line.includes('threshold'));
    expect(said).toHaveLength(1);
  });
});

describe('a budget that is used up', () => {
  it('refuses in every dialect, the official clients do not try again, and other tokens go on', async () => {
    const { alias } = await model();
    const embedder = await model({ model_name: 'text-embedding-x' });
    const [poor, rich] = [await createToken(), await createToken()];
    const budget = await saveBudget(hub, { name: 'poor-team', scope: 'token', scope_value: poor.id, action: 'refuse' });
    await spend(100, { id: randomUUID(), alias: 'any' }, { token_id: poor.id });
    await until(
      () => call(hub, aChat(alias), { token: poor.token }),
      ({ status }) => status === 429,
    );
    provider.calls.length = 0;
    let requests = 0;
    const counting: typeof fetch = (...request) => ((requests += 1), fetch(...request));
    const openai = (apiKey: string): OpenAI =>
      new OpenAI({ baseURL: `${hub.url}/v1`, apiKey, maxRetries: 3, fetch: counting });
    const anthropic = (authToken: string): Anthropic =>
      new Anthropic({ baseURL: hub.url, apiKey: null, authToken, maxRetries: 3, fetch: counting });
    const chat = { model: String(alias), messages: [{ role: 'user' as const, content: 'Hi' }] };
    const asks: ((token: string) => PromiseLike<unknown>)[] = [
      (token) => openai(token).chat.completions.create(chat),
      (token) => openai(token).chat.completions.create({ ...chat, stream: true }),
      (token) => openai(token).responses.create({ model: String(alias), input: 'Hi' }),
      (token) => openai(token).embeddings.create({ model: String(embedder['alias']), input: 'Hi' }),
      (token) => anthropic(token).messages.create({ ...chat, max_tokens: 10 }),
    ];
    for (const ask of asks) {
      requests = 0;
      const failure = await Promise.resolve(ask(poor.token)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ status: 429 });
      expect(requests).toBe(1);
      expect((failure as Error).message).toContain('poor-team');
      expect((failure as { headers?: Headers }).headers?.get('retry-after')).toBeNull();
    }
    expect(provider.calls).toHaveLength(0);
    for (const ask of asks) await ask(rich.token);
    expect(provider.calls).toHaveLength(asks.length);
    expect((await openai(poor.token).models.list()).data.map(({ id }) => id)).toContain(alias);
    const refused = await call(hub, aChat(alias), { token: poor.token });
    expect(refused.error).toMatchObject({ code: 'budget_exceeded', message: expect.stringContaining('of this token') });
    const metrics = (await hub.request('get', '/metrics').expect(200)).text;
    expect(Number(/hub_error_answers_total\{code="budget_exceeded"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(4);
    const lines = hub
      .logs()
      .split('\n')
      .filter((line) => line.includes('"budget":"poor-team"') && line.includes('"alias"'));
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ status: 429, token_id: poor.id, alias, outcome: null });
    expect((await spentOf(budget))['exhausted']).toBe(true);
  });

  it('over a model or a tag lets its fallbacks answer, and auto another one; a test of the connection is made', async () => {
    const tags = { team: randomUUID() };
    const open = await model({ priority: 500 });
    const closed = await model({ priority: 1000, tags, fallback_aliases: [open['alias']] });
    const alone = await model({ tags });
    await spend(200, closed);
    const budget = await saveBudget(hub, { scope: 'tag', scope_value: `team:${tags.team}`, action: 'refuse' });
    const told = ({ status, headers }: Answer): unknown[] => [
      status,
      headers['x-hub-model'],
      headers['x-hub-attempts'],
    ];
    expect(told(await call(hub, aChat(closed['alias'])))).toEqual([200, open['alias'], '1']);
    expect(told(await call(hub, aChat('auto')))).toEqual([200, open['alias'], '1']);
    const refused = await call(hub, aChat(alone['alias']));
    expect([refused.status, refused.error['code']]).toEqual([429, 'budget_exceeded']);
    expect(refused.error['message']).toContain(String(budget['name']));
    expect([refused.headers['x-should-retry'], refused.headers['retry-after']]).toEqual(['false', undefined]);
    provider.calls.length = 0;
    const tested = await hub.request('post', `${CONFIGS}/${String(alone['id'])}/test`).expect(200);
    expect([tested.body as unknown, provider.calls.length]).toEqual([
      expect.objectContaining({ status: 'success' }),
      1,
    ]);
    // Whoever only says that he tests is refused all the same.
    const headers = { 'x-hub-source': 'test' };
    expect((await call(hub, aChat(alone['alias']), { headers })).status).toBe(429);
  });

  it('opens with a raised limit and closes with a lowered one, as soon as the change is applied', async () => {
    const spent = await model();
    await spend(150, spent);
    const budget = await saveBudget(hub, { scope: 'alias', scope_value: spent['alias'], action: 'refuse' });
    const status = async (): Promise<number> => (await call(hub, aChat(spent['alias']))).status;
    expect(await status()).toBe(429);
    await change(budget, { limit_usd: 2 });
    expect(await status()).toBe(200);
    await change(budget, { limit_usd: 1.5 });
    expect(await status()).toBe(429);
    await change(budget, { action: 'notify' });
    expect(await status()).toBe(200);
    await change(budget, { action: 'refuse' });
    expect(await status()).toBe(429);
    await change(budget, { is_enabled: false });
    expect(await status()).toBe(200);
  });

  it('opens with the next period', async () => {
    const spent = await model();
    await spend(100, spent);
    await saveBudget(hub, { scope: 'alias', scope_value: spent['alias'], action: 'refuse', period: 'day' });
    expect((await call(hub, aChat(spent['alias']))).status).toBe(429);
    await look(Date.now() + DAY);
    await untilCalled(spent['alias'], 200);
  });

  it('opens by itself when the period ends, without storage', async () => {
    const { alias } = await model();
    const client = hub.application.nest.get(StorageServiceClient, { strict: false });
    const good = (await client.getSnapshot(null)) as Snapshot;
    const storage = await startScriptedStorage();
    const end = new Date(Date.now() + 2500).toISOString();
    const spent = { name: 'spent', scope: 'all', scope_value: null, until: end };
    storage.on('GET /internal/v1/snapshot', (response, nth) =>
      nth === 1 ? sendJson(response, 200, { ...good, budgets: [spent] }) : void response.destroy(),
    );
    const caller = await startCaller(hub, storage.url);
    try {
      const refused = await until(
        () => call(caller, aChat(alias)),
        ({ status }) => status !== 503,
      );
      expect([refused.status, refused.error['code']]).toEqual([429, 'budget_exceeded']);
      await sleep(Date.parse(end) - Date.now() + 50);
      expect((await call(caller, aChat(alias))).status).toBe(200);
    } finally {
      // It is there again at the end, to take the usage.
      storage.on('POST /internal/v1/usage', (response, _nth, { body }) =>
        sendJson(response, 200, { batch_id: body['batch_id'], accepted: 1, duplicate: false }),
      );
      await caller.stop();
      await storage.close();
    }
  });
});
