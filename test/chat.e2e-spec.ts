import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, CHAT, openCall, readModel, saveModel, usageAfter, usageOf, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, wholeAnswer, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { startCanary } from './support/sockets.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const MEGABYTE = 1024 * 1024;

describe('calling a model by its alias', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub({ env: { MAX_CALL_BODY_MB: '10' } });
  });
  beforeEach(async () => {
    provider = await startFakeProvider();
  });
  afterEach(() => provider.close());
  afterAll(() => hub.close());

  const model = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const sentText = (): string => provider.calls.at(-1)?.raw.toString('utf8') ?? '';

  describe('what reaches the provider', () => {
    it("is the caller's bytes with the model's name in place of the alias and the defaults behind them", async () => {
      const { alias } = await model({
        model_name: 'real/"quoted" 模型',
        default_temperature: 0.3,
        custom_parameters: { seed: 7, service_tier: 'flex', nested: { a: [1, null] } },
      });
      const body = [
        `{ "invented_tomorrow" : {"deep":[1e400,-0,1.0,{"x":null}]},\r\n\t"\\u006dodel":  ${JSON.stringify(alias)} ,`,
        `"messages":[{"role":"user","content":"h\\u00e9 é 漢字 😀 \\"model\\": \\\\ \\/"}],`,
        `  "seed": 12345678901234567890, "user":"a","user":"b","" : 0.10000000000000000001 }\n`,
      ].join('\n');
      await call(hub, body);
      const named = body.replace(JSON.stringify(alias), JSON.stringify('real/"quoted" 模型'));
      // In the order in which PostgreSQL keeps the keys of a jsonb: shorter ones first.
      const added = ',"temperature":0.3,"nested":{"a":[1,null]},"service_tier":"flex"';
      expect(sentText()).toBe(named.replace('0.10000000000000000001', `0.10000000000000000001${added}`));
    });

    it('has the name wherever a model was named twice', async () => {
      const { alias } = await model();
      const answer = await call(
        hub,
        `{"model":"other","messages":[{"role":"user","content":"Hi"}],"model":"${String(alias)}"}`,
      );
      expect(answer.status).toBe(200);
      expect(sentText()).toBe(
        '{"model":"real-model","messages":[{"role":"user","content":"Hi"}],"model":"real-model"}',
      );
    });

    it("keeps the caller's value where a default is set, also null and 0", async () => {
      const { alias } = await model({
        default_temperature: 0.7,
        default_top_p: 0.9,
        custom_parameters: { max_tokens: 5, stop: ['x'] },
      });
      const body = `{"model":"${String(alias)}","messages":[{"role":"user"}],"temperature":0,"top_p":null,"max_tokens":1,"stop":null}`;
      await call(hub, body);
      expect(sentText()).toBe(body.replace(String(alias), 'real-model'));
    });

    it('has no temperature, top_p or max_tokens when nobody set one', async () => {
      const { alias } = await model();
      await call(hub, aChat(alias));
      expect(Object.keys(provider.calls[0]?.body ?? {})).toEqual(['model', 'messages']);
    });

    it('leaves out what custom_parameters sets to null, a default of ours included', async () => {
      const { alias } = await model({ default_temperature: 0.5, custom_parameters: { temperature: null, seed: null } });
      await call(hub, aChat(alias));
      expect(Object.keys(provider.calls[0]?.body ?? {})).toEqual(['model', 'messages']);
    });

    it("carries the stored key and headers, and nothing of the caller's own", async () => {
      const { alias } = await model({
        api_key: 'key-of-the-provider-1',
        auth_headers: { 'X-Org': 'org-7', 'Api-Key': 'second' },
      });
      await call(hub, aChat(alias), {
        headers: { cookie: 'a=b', 'x-org': 'mine', 'x-hub-source': 'test', 'x-forwarded-for': '1.2.3.4' },
      });
      const { headers = {}, path } = provider.calls[0] ?? {};
      expect(path).toBe('/v1/chat/completions');
      expect(headers).toMatchObject({
        authorization: 'Bearer key-of-the-provider-1',
        'x-org': 'org-7',
        'api-key': 'second',
      });
      expect(Object.keys(headers).sort()).toEqual([
        'accept-encoding',
        'api-key',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'x-org',
      ]);
      expect(JSON.stringify(headers)).not.toContain(hub.adminToken);
    });

    it('carries no key when the model is local and has none', async () => {
      const { alias } = await model({ provider: 'local', is_local: true, api_key: null });
      expect((await call(hub, aChat(alias))).status).toBe(200);
      expect(provider.calls[0]?.headers).not.toHaveProperty('authorization');
    });

    it('is the same for 8 MB of image as for a word', async () => {
      const { alias } = await model({ supports_images: true });
      const url = `data:image/png;base64,${Buffer.alloc(6 * MEGABYTE, 'pixels \0"').toString('base64')}`;
      const body = Buffer.from(
        JSON.stringify(
          aChat(alias, { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }),
        ),
      );
      expect(body.length).toBeGreaterThan(8 * MEGABYTE);
      expect((await call(hub, body)).status).toBe(200);
      const expected = Buffer.from(body.toString('utf8').replace(String(alias), 'real-model'));
      expect(sha256(provider.calls[0]?.raw ?? Buffer.alloc(0))).toBe(sha256(expected));
    });
  });

  describe('what comes back', () => {
    it('is the answer byte for byte, with who answered in the headers', async () => {
      const { alias } = await model({ provider: 'openai' });
      const bytes = Buffer.from(
        '{ "choices":[{"message":{"content":"é 漢 \\u00e9"}}],\n"id":12345678901234567890, "x":{"y":1.0}}\r\n',
      );
      provider.answerWith((_call, response) => {
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'x-ratelimit-remaining-requests': '41',
          'openai-processing-ms': '12',
          'set-cookie': 'session=1',
          'x-internal': 'secret',
        });
        response.end(bytes);
      });
      const answer = await call(hub, aChat(alias), { headers: { 'x-request-id': 'my-request.1' } });
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals(bytes)).toBe(true);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-request-id': 'my-request.1',
        'x-hub-model': alias,
        'x-hub-provider': 'openai',
        'x-hub-attempts': '1',
        'x-ratelimit-remaining-requests': '41',
        'openai-processing-ms': '12',
      });
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.headers).not.toHaveProperty('x-internal');
    });

    it("says the hub's own share of the time, not the provider's", async () => {
      const { alias } = await model({ request_timeout: 1 });
      provider.answerWith((received, response) => {
        const status = JSON.stringify(received.body).includes('fail') ? 500 : 200;
        setTimeout(() => sendJson(response, status, wholeAnswer('slow')), 400);
      });
      const [good, bad] = await Promise.all([call(hub, aChat(alias)), call(hub, aChat(alias, { user: 'fail' }))]);
      expect([good.status, bad.status]).toEqual([200, 502]);
      for (const { headers } of [good, bad]) {
        expect(headers['x-hub-overhead-ms']).toMatch(/^\d+(\.\d+)?$/);
        expect(Number(headers['x-hub-overhead-ms'])).toBeLessThan(300);
      }
    });

    it.each([CHAT, '/api/v1/chat/completions'])('comes over %s', async (path) => {
      const { alias } = await model();
      const answer = await call(hub, aChat(alias), { path });
      expect(answer.json).toEqual(wholeAnswer('Hello'));
    });

    it('comes always streamed over /api/v1/chat/completions/stream', async () => {
      const { alias } = await model();
      for (const fields of [{}, { stream: false }, { stream: true }]) {
        const answer = await call(hub, aChat(alias, fields), { path: '/api/v1/chat/completions/stream' });
        expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
        expect(answer.text).toMatch(/"content":"Hel".*"content":"lo".*data: \[DONE\]\n\n$/s);
        expect(provider.calls.at(-1)?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
      }
    });

    it('comes for an alias with slashes in it', async () => {
      const { alias } = await model({ alias: 'team/fast:v1.0/x' });
      expect((await call(hub, aChat(alias))).headers['x-hub-model']).toBe('team/fast:v1.0/x');
      await hub
        .request('get', '/v1/models/team/fast:v1.0/x')
        .expect(200)
        .expect(/"id":"team\/fast:v1.0\/x"/);
    });

    it('counts an estimate when the provider tells no usage', async () => {
      const { id, alias } = await model();
      provider.answerWith((_call, response) => sendJson(response, 200, wholeAnswer('12345678', null)));
      expect((await call(hub, aChat(alias, { messages: [{ role: 'user', content: 'x'.repeat(40) }] }))).status).toBe(
        200,
      );
      expect(await usageAfter(hub, id, 1)).toEqual([
        { source: 'api', outcome: 'ok', calls: 1, estimated: 1, input: 10, cached: 0, output: 2, reasoning: 0 },
      ]);
    });
  });

  describe('a model that cannot be called', () => {
    const stories: [string, Json, Json, number, string, string | undefined][] = [
      ['is switched off', { is_enabled: false }, {}, 404, 'model_disabled', undefined],
      ['has no key yet', { api_key: null }, {}, 503, 'credential_missing', 'false'],
      [
        'does not stream',
        { is_streaming_supported: false },
        { stream: true },
        400,
        'streaming_not_supported',
        undefined,
      ],
    ];
    it.each(stories)('%s: says so and sends nothing', async (_name, config, fields, status, code, shouldRetry) => {
      const { id, alias } = await model(config);
      const answer = await call(hub, aChat(alias, fields));
      expect(answer.status).toBe(status);
      expect(answer.error).toEqual({
        message: expect.stringMatching(/\w/),
        type: expect.any(String),
        param: answer.error['param'],
        code,
      });
      expect(answer.headers['x-should-retry']).toBe(shouldRetry);
      expect(provider.calls).toHaveLength(0);
      expect(await usageOf(hub, id)).toEqual([]);
    });

    it('answers without streaming when it does not stream and nobody asked for it', async () => {
      const { alias } = await model({ is_streaming_supported: false });
      expect((await call(hub, aChat(alias))).status).toBe(200);
      expect((await call(hub, aChat(alias, { stream: false }))).status).toBe(200);
    });

    it('is unknown: 404 model_not_found in the shape of OpenAI', async () => {
      const answer = await call(hub, aChat('nobody'));
      expect(answer.status).toBe(404);
      expect(answer.error).toEqual({
        message: 'There is no model with the alias nobody.',
        type: 'not_found_error',
        param: 'model',
        code: 'model_not_found',
      });
    });

    it('is callable again as soon as it is switched on', async () => {
      const { id, alias } = await model({ is_enabled: false });
      expect((await call(hub, aChat(alias))).status).toBe(404);
      await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send({ is_enabled: true })
        .expect(200);
      const start = Date.now();
      while ((await call(hub, aChat(alias))).status !== 200) expect(Date.now() - start).toBeLessThan(2500);
      expect(provider.calls).toHaveLength(1);
    });
  });

  describe('a body that is refused', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    const stories: [string, Json, string | null][] = [
      ['names no model', { messages: [{ role: 'user' }] }, 'model'],
      ['names a model that is no text', { model: 7, messages: [{ role: 'user' }] }, 'model'],
      ['names the empty model', { model: '', messages: [{ role: 'user' }] }, 'model'],
      ['has no messages', { model: 'ALIAS' }, 'messages'],
      ['has an empty list of messages', { model: 'ALIAS', messages: [] }, 'messages'],
      ['has messages that are no list', { model: 'ALIAS', messages: 'Hi' }, 'messages'],
      ['asks for a stream with a word', { model: 'ALIAS', messages: [{ role: 'user' }], stream: 'yes' }, 'stream'],
      ['sets api_base', { model: 'ALIAS', messages: [{ role: 'user' }], api_base: 'CANARY' }, 'api_base'],
      [
        'sets base_url deep inside',
        { model: 'ALIAS', messages: [{ role: 'user', a: [{ base_url: 'CANARY' }] }] },
        'base_url',
      ],
      [
        'sets api_key beside others',
        { model: 'ALIAS', messages: [{ role: 'user' }], extra_body: { x: { api_key: 'k' } } },
        'api_key',
      ],
      ['is too deep', { model: 'ALIAS', messages: [{ role: 'user', x: nested(62) }] }, null],
    ];
    it.each(stories)('%s: 400, and no connection is made', async (_name, body, param) => {
      const canary = await startCanary();
      const { id, alias } = await model({ api_base: `${canary.url}/v1` });
      const text = JSON.stringify(body).replace('ALIAS', String(alias)).replace('CANARY', canary.url);
      const answer = await call(hub, text);
      expect(answer.status).toBe(400);
      expect(answer.error).toMatchObject({ type: 'invalid_request_error', param });
      expect(canary.connections()).toBe(0);
      expect(await usageOf(hub, id)).toEqual([]);
      await canary.close();
    });

    it('is not refused for names inside schemas, nor for the deepest allowed nesting', async () => {
      const { alias } = await model();
      const schema = { type: 'object', properties: { api_key: {}, api_base: {}, base_url: {} } };
      const fields = {
        tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
        functions: [{ name: 'g', parameters: schema }],
        response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
        messages: [{ role: 'user', x: nested(61) }],
      };
      expect((await call(hub, aChat(alias, fields))).status).toBe(200);
      expect(provider.calls[0]?.body).toMatchObject(fields);
    });

    const unreadable: [string, Buffer | string, number, string][] = [
      ['no JSON', '{"model": ', 400, 'malformed_json'],
      ['a list', '[]', 400, 'malformed_request'],
      ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'malformed_json'],
      ['nothing', '', 400, 'validation_failed'],
      ['a million levels', `{"messages":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 400, 'malformed_request'],
    ];
    it.each(unreadable)('is %s', async (_name, body, status, code) => {
      const answer = await call(hub, body);
      expect([answer.status, answer.error['code']]).toEqual([status, code]);
    });

    it('is larger than MAX_CALL_BODY_MB: 413, announced or not, and the process lives on', async () => {
      const { alias } = await model();
      const body = JSON.stringify(aChat(alias, { user: 'x'.repeat(11 * MEGABYTE) }));
      // Refused by its announced length: the answer comes before the body is sent.
      const announced = openCall(hub.url, hub.adminToken, '', { headers: { 'content-length': String(body.length) } });
      expect((await announced.head).status).toBe(413);
      announced.leave();
      const chunked = openCall(hub.url, hub.adminToken, body, { headers: { 'transfer-encoding': 'chunked' } });
      expect((await chunked.head).status).toBe(413);
      chunked.leave();
      expect(provider.calls).toHaveLength(0);
      expect((await call(hub, aChat(alias))).status).toBe(200);
    });
  });

  it("ends the provider's work when the caller leaves, and counts one call that is nobody's fault", async () => {
    const { id, alias } = await model();
    provider.answerWith(() => undefined);
    const open = openCall(hub.url, hub.adminToken, aChat(alias));
    while (provider.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const leftAt = performance.now();
    open.leave();
    await provider.calls[0]?.closed;
    expect(performance.now() - leftAt).toBeLessThan(1000);
    await usageAfter(hub, id, 1);
    // Two more sendings of the buffer: a second record would be among them.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await usageOf(hub, id)).toMatchObject([{ outcome: 'client_gone', calls: 1 }]);
    expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0, last_error: null });
  });
});
