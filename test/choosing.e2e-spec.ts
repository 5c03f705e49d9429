import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, openCall, saveModel, until, usageAfter, type Answer, type Json } from './support/calls.js';
import {
  chunk,
  politeScript,
  sendJson,
  startFakeProvider,
  wholeAnswer,
  type FakeProvider,
  type Script,
} from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { freePort } from './support/sockets.js';

const failing =
  (status: number, headers: Record<string, string> = {}, code: string | null = null): Script =>
  (_call, response) =>
    sendJson(response, status, { error: { message: 'No', type: 't', code } }, headers);

let hub: TestHub;
let first: FakeProvider;
let second: FakeProvider;
let third: FakeProvider;
beforeAll(async () => {
  hub = await startHub();
  [first, second, third] = await Promise.all([startFakeProvider(), startFakeProvider(), startFakeProvider()]);
});
beforeEach(() => {
  for (const provider of [first, second, third]) {
    provider.calls.length = 0;
    provider.answerWith(politeScript);
  }
});
afterAll(async () => {
  await hub.close();
  await Promise.all([first.close(), second.close(), third.close()]);
});

const model = async (provider: FakeProvider, fields: Json = {}): Promise<Json> =>
  saveModel(hub, { api_base: provider.url, ...fields });
const aliasOf = async (provider: FakeProvider, fields: Json = {}): Promise<string> =>
  String((await model(provider, fields))['alias']);
/** Calls until this very script is asked for the n-th time, then politely. */
const failTimes = (times: number, script: Script): Script => {
  let count = 0;
  return (received, response) => ((count += 1) > times ? politeScript : script)(received, response);
};
const toldBy = ({ status, headers }: Answer): unknown[] => [status, headers['x-hub-model'], headers['x-hub-attempts']];

describe('attempts at one model', () => {
  it('are repeated after a failure that may pass, and the answer says how many there were', async () => {
    const alias = await aliasOf(first, { max_retries: 3 });
    first.answerWith(failTimes(2, failing(503)));
    expect(toldBy(await call(hub, aChat(alias)))).toEqual([200, alias, '3']);
    expect(first.calls.map(({ raw }) => raw.toString())).toEqual(Array(3).fill(first.calls[0]?.raw.toString()));
  });

  it.each([
    [0, 1],
    [2, 3],
  ])('with max_retries %i a provider that always fails is asked %i times', async (retries, attempts) => {
    const { id, alias } = await model(first, { max_retries: retries });
    first.answerWith(failing(500));
    const answer = await call(hub, aChat(alias));
    expect(toldBy(answer)).toEqual([502, alias, String(attempts)]);
    expect(first.calls).toHaveLength(attempts);
    expect(answer.headers['x-should-retry']).toBe(retries > 0 ? 'false' : undefined);
    expect((await usageAfter(hub, id, 1)).map(({ outcome, calls }) => [outcome, calls])).toEqual([['server', 1]]);
  });

  it.each([
    ['a refused key', 401, 'invalid_api_key'],
    ['a used-up quota', 429, 'insufficient_quota'],
    ['a bad request', 400, null],
    ['a model that is not there', 404, 'model_not_found'],
  ])('are not repeated after %s', async (_name, status, code) => {
    const alias = await aliasOf(first, { max_retries: 5 });
    first.answerWith(failing(status, {}, code));
    await call(hub, aChat(alias));
    expect(first.calls).toHaveLength(1);
  });

  it('wait as long as the provider asks for, in milliseconds too', async () => {
    const alias = await aliasOf(first, { max_retries: 1 });
    first.answerWith(failTimes(1, failing(429, { 'retry-after-ms': '120' })));
    const startedAt = performance.now();
    expect((await call(hub, aChat(alias))).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);
  });

  it('end at once when the provider asks for more time than the call has', async () => {
    const alias = await aliasOf(first, { max_retries: 3, request_timeout: 2 });
    first.answerWith(failing(429, { 'retry-after': '30' }));
    const startedAt = performance.now();
    const answer = await call(hub, aChat(alias));
    expect([answer.status, first.calls.length]).toEqual([429, 1]);
    expect(performance.now() - startedAt).toBeLessThan(1500);
  });

  it('end with request_timeout, however many are left', async () => {
    const alias = await aliasOf(first, { max_retries: 10, request_timeout: 1 });
    first.answerWith(() => undefined);
    const startedAt = performance.now();
    expect((await call(hub, aChat(alias))).status).toBe(504);
    expect(performance.now() - startedAt).toBeLessThan(1500);
    expect(first.calls).toHaveLength(1);
  });

  it('have a budget per model: a provider that is down is not asked several times by every caller', async () => {
    const alias = await aliasOf(first, { max_retries: 2 });
    first.answerWith(failing(503, { 'retry-after-ms': '1' }));
    const callers = 40;
    await Promise.all(Array.from({ length: callers }, () => call(hub, aChat(alias))));
    expect(first.calls.length).toBeGreaterThan(callers);
    expect(first.calls.length).toBeLessThanOrEqual(callers + 10 + 0.1 * callers + 10);
  });

  it('stop when the caller leaves while the hub waits', async () => {
    const { id, alias } = await model(first, { max_retries: 5 });
    first.answerWith(failing(429, { 'retry-after-ms': '400' }));
    const open = openCall(hub.url, hub.adminToken, aChat(alias));
    await until(
      () => first.calls.length,
      (count) => count === 1,
    );
    open.leave();
    const rows = await usageAfter(hub, id, 1);
    expect(rows.map(({ outcome, calls }) => [outcome, calls])).toEqual([['client_gone', 1]]);
    expect(first.calls).toHaveLength(1);
  });
});

describe('a stream', () => {
  it('is begun anew as long as nothing of it is with the caller', async () => {
    const alias = await aliasOf(first, { max_retries: 2 });
    first.answerWith(
      failTimes(1, (_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end('data: {"error":{"message":"overloaded","code":503}}\n\n');
      }),
    );
    const answer = await call(hub, aChat(alias, { stream: true }));
    expect(toldBy(answer)).toEqual([200, alias, '2']);
    expect(answer.text).toContain('"content":"Hel"');
    expect(answer.text).not.toContain('overloaded');
  });

  it('is never asked for again after the first byte, neither of the model nor of another', async () => {
    const fallback = await aliasOf(second);
    const { id, alias } = await model(first, { max_retries: 3, fallback_aliases: [fallback] });
    first.answerWith((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk('Hel'));
      setTimeout(() => response.destroy(), 30);
    });
    const answer = await call(hub, aChat(alias, { stream: true }));
    expect(answer.text).toContain('"content":"Hel"');
    expect(answer.text).toContain('"error"');
    expect(answer.text).not.toContain('[DONE]');
    expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
    expect((await usageAfter(hub, id, 1)).map(({ outcome, calls }) => [outcome, calls])).toEqual([['network', 1]]);
  });

  it('goes to a fallback when the model cannot begin', async () => {
    const fallback = await aliasOf(second);
    const alias = await aliasOf(first, { fallback_aliases: [fallback] });
    first.answerWith(failing(529));
    expect(toldBy(await call(hub, aChat(alias, { stream: true })))).toEqual([200, fallback, '2']);
  });
});

describe('fallbacks', () => {
  it('are asked in their order, each with attempts of its own, and each is counted', async () => {
    const last = await model(third);
    const middle = await model(second, { max_retries: 1 });
    const asked = await model(first, { max_retries: 1, fallback_aliases: [middle['alias'], last['alias']] });
    first.answerWith(failing(500));
    second.answerWith(failing(503));
    expect(toldBy(await call(hub, aChat(asked['alias'])))).toEqual([200, last['alias'], '5']);
    expect([first, second, third].map(({ calls }) => calls.length)).toEqual([2, 2, 1]);
    const outcomes = await Promise.all([asked, middle, last].map(({ id }) => usageAfter(hub, id, 1)));
    expect(outcomes.map((rows) => rows.map(({ outcome, calls }) => [outcome, calls]))).toEqual([
      [['server', 1]],
      [['overloaded', 1]],
      [['ok', 1]],
    ]);
  });

  const COVERED: [string, Json, (provider: FakeProvider) => void][] = [
    ['refuses the key', {}, (provider) => provider.answerWith(failing(401))],
    ['has no quota left', {}, (provider) => provider.answerWith(failing(429, {}, 'insufficient_quota'))],
    [
      'asks to wait longer than the call may last',
      { max_retries: 3 },
      (provider) => provider.answerWith(failing(429, { 'retry-after': '3600' })),
    ],
    ['does not answer in time', { request_timeout: 1 }, (provider) => provider.answerWith(() => undefined)],
    ['has no key', { api_key: null }, () => undefined],
  ];
  it.each(COVERED)('stand in for a model that %s', async (_name, fields, arrange) => {
    const fallback = await aliasOf(second);
    const alias = await aliasOf(first, { fallback_aliases: [fallback], ...fields });
    arrange(first);
    const answer = await call(hub, aChat(alias));
    expect([answer.status, answer.headers['x-hub-model']]).toEqual([200, fallback]);
  });

  it('stand in for a server that is not there', async () => {
    const fallback = await aliasOf(second);
    const alias = await aliasOf(first, {
      api_base: `http://127.0.0.1:${await freePort()}/v1`,
      fallback_aliases: [fallback],
    });
    expect(toldBy(await call(hub, aChat(alias)))).toEqual([200, fallback, '2']);
  });

  it.each([
    ['the request is bad', 400, null],
    ['a content filter refuses it', 400, 'content_filter'],
  ])('are not asked when %s: another model would be asked the same', async (_name, status, code) => {
    const alias = await aliasOf(first, { fallback_aliases: [await aliasOf(second)] });
    first.answerWith(failing(status, {}, code));
    expect((await call(hub, aChat(alias))).status).toBe(400);
    expect(second.calls).toEqual([]);
  });

  it('with a larger window are asked what was too long for the model, others are not', async () => {
    const small = await aliasOf(second, { context_window: 4096 });
    const large = await aliasOf(third, { context_window: 128_000 });
    const alias = await aliasOf(first, { context_window: 8192, fallback_aliases: [small, large] });
    first.answerWith(failing(400, {}, 'context_length_exceeded'));
    expect(toldBy(await call(hub, aChat(alias)))).toEqual([200, large, '2']);
    expect(second.calls).toEqual([]);
  });

  it('that fail too: the caller hears of the model he asked for, and of the others, and need not try again', async () => {
    const fallback = await aliasOf(second);
    const alias = await aliasOf(first, { fallback_aliases: [fallback] });
    first.answerWith(failing(503));
    second.answerWith(failing(401));
    const answer = await call(hub, aChat(alias));
    expect(toldBy(answer)).toEqual([503, alias, '2']);
    expect(answer.error['message']).toContain(`${fallback}: auth (401)`);
    expect(answer.headers['x-should-retry']).toBe('false');
  });

  it('that are switched off, gone or without a key are passed over', async () => {
    const off = await aliasOf(second, { is_enabled: false });
    const keyless = await aliasOf(second, { api_key: null });
    const good = await aliasOf(third);
    const alias = await aliasOf(first, { fallback_aliases: [off, 'never-there', keyless, good] });
    first.answerWith(failing(500));
    expect(toldBy(await call(hub, aChat(alias)))).toEqual([200, good, '2']);
  });

  it('are not asked for a model that is switched off: somebody wanted that', async () => {
    const alias = await aliasOf(first, { is_enabled: false, fallback_aliases: [await aliasOf(second)] });
    expect((await call(hub, aChat(alias))).error['code']).toBe('model_disabled');
    expect(second.calls).toEqual([]);
  });
});

describe('rate_limit_per_minute', () => {
  it('lets so many attempts through, then says when the next one may come', async () => {
    const { id, alias } = await model(first, { rate_limit_per_minute: 3 });
    const answers = [];
    for (let round = 0; round < 5; round += 1) answers.push(await call(hub, aChat(alias)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect(first.calls).toHaveLength(3);
    const refused = answers.at(-1);
    expect(refused?.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect(refused?.error['message']).toContain('3 calls per minute');
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(50);
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(60);
    const rows = await usageAfter(hub, id, 3);
    expect(rows.map(({ outcome, calls }) => [outcome, calls])).toEqual([['ok', 3]]);
  });

  it('sends a call on to a fallback when it is reached', async () => {
    const fallback = await aliasOf(second);
    const alias = await aliasOf(first, { rate_limit_per_minute: 1, fallback_aliases: [fallback] });
    await call(hub, aChat(alias));
    expect(toldBy(await call(hub, aChat(alias)))).toEqual([200, fallback, '1']);
    expect(first.calls).toHaveLength(1);
  });

  it('counts every attempt, since the provider does', async () => {
    const alias = await aliasOf(first, { rate_limit_per_minute: 2, max_retries: 5 });
    first.answerWith(failing(503, { 'retry-after-ms': '1' }));
    expect((await call(hub, aChat(alias))).error['code']).toBe('rate_limit_exceeded');
    expect(first.calls).toHaveLength(2);
  });
});

describe('auto', () => {
  let fresh: TestHub;
  beforeAll(async () => {
    fresh = await startHub();
  });
  afterAll(() => fresh.close());
  const save = (provider: FakeProvider, fields: Json): Promise<Json> =>
    saveModel(fresh, { api_base: provider.url, ...fields });
  const ask = (fields: Json = {}): Promise<Answer> => call(fresh, aChat('auto', fields));

  it('says so when there is nothing to choose from', async () => {
    expect((await ask()).error).toMatchObject({ code: 'no_model_available', param: 'model' });
  });

  it('takes the one of the highest priority that can take the call, and goes on to the next when it fails', async () => {
    await save(first, { alias: 'low', priority: 1 });
    await save(second, { alias: 'high', priority: 9 });
    await save(third, { alias: 'off', priority: 99, is_enabled: false });
    await save(third, { alias: 'keyless', priority: 99, api_key: null });
    await save(third, { alias: 'vectors', priority: 99, model_name: 'text-embedding-3-small' });
    const mute = await save(third, { alias: 'mute', priority: 50, is_streaming_supported: false });
    await until(ask, ({ headers }) => headers['x-hub-model'] === 'mute');
    expect((await ask({ stream: true })).headers['x-hub-model']).toBe('high');
    await fresh.request('delete', `${CONFIGS}/${String(mute['id'])}`).expect(204);
    await until(ask, ({ headers }) => headers['x-hub-model'] === 'high');
    second.answerWith(failing(500));
    expect(toldBy(await ask())).toEqual([200, 'low', '2']);
  });

  it('goes round a model that keeps failing, without asking it first', async () => {
    second.answerWith(failing(500));
    for (let round = 0; round < 3; round += 1) await ask();
    second.calls.length = 0;
    expect(toldBy(await ask())).toEqual([200, 'low', '1']);
    expect(second.calls).toEqual([]);
  });

  it('is no name for embeddings: vectors of different models cannot be compared', async () => {
    const answer = await call(fresh, { model: 'auto', input: 'x' }, { path: '/v1/embeddings' });
    expect([answer.status, answer.error['param']]).toEqual([400, 'model']);
  });
});

describe('x-hub-overhead-ms', () => {
  const SLOW = 600;
  const late =
    (script: Script): Script =>
    (received, response) =>
      void setTimeout(() => void script(received, response), SLOW);

  it.each<[string, Json, () => void]>([
    ['a slow answer', {}, () => first.answerWith(late(politeScript))],
    ['a slow failure before a fallback', {}, () => first.answerWith(late(failing(503)))],
    [
      'the wait before another attempt',
      { max_retries: 1 },
      () => first.answerWith(failTimes(1, failing(429, { 'retry-after-ms': String(SLOW) }))),
    ],
    [
      'the first event of a stream',
      { stream: true },
      () =>
        first.answerWith((_call, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.flushHeaders();
          setTimeout(() => response.end(chunk('Hi', 'stop')), SLOW);
        }),
    ],
  ])("is the hub's own time: %s is none of it", async (_name, { stream, ...fields }, arrange) => {
    const alias = await aliasOf(first, { fallback_aliases: [await aliasOf(second)], ...fields });
    arrange();
    const answer = await call(hub, aChat(alias, stream ? { stream } : {}));
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['x-hub-overhead-ms'])).toBeLessThan(SLOW / 2);
  });
});

it('hands the answer of a fallback on byte for byte', async () => {
  const alias = await aliasOf(first, { fallback_aliases: [await aliasOf(second)] });
  first.answerWith(failing(500));
  second.answerWith((_call, response) => sendJson(response, 200, wholeAnswer('from the second')));
  expect((await call(hub, aChat(alias))).text).toBe(JSON.stringify(wholeAnswer('from the second')));
});
