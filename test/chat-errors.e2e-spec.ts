import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aChat, call, elapsed, readModel, saveModel, usageAfter, type Answer, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, wholeAnswer, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { freePort, startCanary } from './support/sockets.js';

const KEY = 'key-of-the-provider-3f9a5c';
const error = (code: string | null, message = `no ${KEY}`): Json => ({
  error: { message, type: 'some_type', param: null, code },
});
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

/** What a provider does with a call, and what the caller is told. */
interface Story {
  name: string;
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  answer: [status: number, code: string, outcome: string];
  shouldRetry?: 'false';
  retryAfter?: string;
}

const html = '<html><head><title>502</title></head><body>Bad <b>gateway</b></body></html>';
const tooLong = "This model's maximum context length is 8192 tokens.";

const STORIES: Story[] = [
  {
    name: '401',
    status: 401,
    body: error('invalid_api_key'),
    answer: [424, 'provider_auth_failed', 'auth'],
    shouldRetry: 'false',
  },
  {
    name: '401 with a header of its own',
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
    body: {},
    answer: [424, 'provider_auth_failed', 'auth'],
    shouldRetry: 'false',
  },
  { name: '403', status: 403, body: error(null), answer: [424, 'provider_auth_failed', 'auth'], shouldRetry: 'false' },
  { name: '402', status: 402, body: error(null), answer: [429, 'insufficient_quota', 'quota'], shouldRetry: 'false' },
  {
    name: '404',
    status: 404,
    body: error('model_not_found'),
    answer: [404, 'provider_model_not_found', 'not_found'],
    shouldRetry: 'false',
  },
  {
    name: '429 in seconds',
    status: 429,
    headers: { 'retry-after': '7' },
    body: error('rate_limit_exceeded'),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
    retryAfter: '7',
  },
  {
    name: '429 in milliseconds',
    status: 429,
    headers: { 'retry-after-ms': '1500', 'retry-after': '9' },
    body: error(null),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
    retryAfter: '2',
  },
  {
    name: '429 at a date',
    status: 429,
    headers: { 'retry-after': inSeconds(3600) },
    body: error(null),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
    shouldRetry: 'false',
  },
  {
    name: '429 in an hour',
    status: 429,
    headers: { 'retry-after': '3600' },
    body: error(null),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
    shouldRetry: 'false',
  },
  {
    name: '429 in a minute',
    status: 429,
    headers: { 'retry-after': '60' },
    body: error(null),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
    retryAfter: '60',
  },
  {
    name: '429 with nonsense',
    status: 429,
    headers: { 'retry-after': 'soon' },
    body: error(null),
    answer: [429, 'rate_limit_exceeded', 'rate_limit'],
  },
  {
    name: '429 without quota',
    status: 429,
    headers: { 'retry-after': '7' },
    body: error('insufficient_quota'),
    answer: [429, 'insufficient_quota', 'quota'],
    shouldRetry: 'false',
  },
  {
    name: '400 too long',
    status: 400,
    body: error('context_length_exceeded'),
    answer: [400, 'context_length_exceeded', 'context_too_long'],
    shouldRetry: 'false',
  },
  {
    name: '400 too long by vLLM',
    status: 400,
    body: { object: 'error', message: tooLong, type: 'BadRequestError', param: null, code: 400 },
    answer: [400, 'context_length_exceeded', 'context_too_long'],
    shouldRetry: 'false',
  },
  {
    name: '400 filtered',
    status: 400,
    body: error('content_filter'),
    answer: [400, 'content_filter', 'content_filter'],
    shouldRetry: 'false',
  },
  {
    name: '400',
    status: 400,
    body: error('invalid_value'),
    answer: [400, 'provider_rejected_request', 'bad_request'],
    shouldRetry: 'false',
  },
  {
    name: '422',
    status: 422,
    body: { detail: 'no' },
    answer: [422, 'provider_rejected_request', 'bad_request'],
    shouldRetry: 'false',
  },
  { name: '408', status: 408, body: error(null), answer: [504, 'provider_timeout', 'timeout'] },
  { name: '500', status: 500, body: error(null), answer: [502, 'provider_error', 'server'] },
  {
    name: '502 with an HTML page',
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: html,
    answer: [502, 'provider_error', 'server'],
  },
  {
    name: '503 while it loads',
    status: 503,
    headers: { 'retry-after': '5' },
    body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
    answer: [503, 'provider_overloaded', 'overloaded'],
    retryAfter: '5',
  },
  { name: '504', status: 504, body: error(null), answer: [504, 'provider_timeout', 'timeout'] },
  { name: '529', status: 529, body: error('overloaded_error'), answer: [503, 'provider_overloaded', 'overloaded'] },
  { name: '500 without a body', status: 500, body: '', answer: [502, 'provider_error', 'server'] },
  {
    name: '500 in plain words',
    status: 500,
    headers: { 'content-type': 'text/plain' },
    body: `oh ${KEY}`,
    answer: [502, 'provider_error', 'server'],
  },
  {
    name: '500 with a bare string',
    status: 500,
    body: { error: `oh ${encodeURIComponent(KEY)}` },
    answer: [502, 'provider_error', 'server'],
  },
  {
    name: '200 with an HTML page',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: html,
    answer: [502, 'provider_bad_answer', 'bad_answer'],
    shouldRetry: 'false',
  },
  {
    name: '200 without a body',
    status: 200,
    body: '',
    answer: [502, 'provider_bad_answer', 'bad_answer'],
    shouldRetry: 'false',
  },
  {
    name: '200 with a list',
    status: 200,
    body: [],
    answer: [502, 'provider_bad_answer', 'bad_answer'],
    shouldRetry: 'false',
  },
  {
    name: '200 with an error inside',
    status: 200,
    body: error('context_length_exceeded'),
    answer: [400, 'context_length_exceeded', 'context_too_long'],
    shouldRetry: 'false',
  },
];

describe('a provider that fails', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { api_base: provider.url, api_key: KEY, ...fields });

  const expectError = (answer: Answer, alias: unknown, [status, code]: Story['answer']): void => {
    expect([answer.status, answer.error['code']]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(Object.keys(answer.json)).toEqual(['error']);
    expect(Object.keys(answer.error)).toEqual(['message', 'type', 'param', 'code']);
    expect(answer.error['message']).toMatch(/\w/);
    expect(answer.error['type']).toMatch(/^\w+$/);
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain(KEY);
    expect(answer.text).not.toContain('<');
    expect(answer.headers).toMatchObject({
      'x-hub-model': alias,
      'x-hub-provider': 'openai_compatible',
      'x-hub-attempts': '1',
    });
    expect(answer.headers['x-request-id']).toMatch(/^[\w.-]{1,64}$/);
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  };

  const tell = ({ status, headers, body }: Story, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  it.each(STORIES)('$name', async (story) => {
    const { answer: expected, shouldRetry, retryAfter } = story;
    provider.answerWith((_call, response) => tell(story, response));
    const { alias } = await model();
    const whole = await call(hub, aChat(alias));
    const streamed = await call(hub, aChat(alias, { stream: true }));
    for (const answer of [whole, streamed]) {
      expectError(answer, alias, expected);
      expect(answer.headers['retry-after']).toBe(retryAfter);
      expect(answer.headers['x-should-retry']).toBe(shouldRetry);
    }
  });

  it('is counted under the class of its error, in words without the key', async () => {
    provider.answerWith((received, response) => tell(STORIES[Number(received.body['user'])] as Story, response));
    await Promise.all(
      STORIES.map(async ({ name, answer }, index) => {
        const { id, alias } = await model();
        await call(hub, aChat(alias, { user: String(index) }));
        const counted = await usageAfter(hub, id, 1);
        expect({ name, counted }).toMatchObject({ counted: [{ outcome: answer[2], calls: 1, input: 0, output: 0 }] });
        const { last_error: lastError, usage_count: calls, error_count: errors } = await readModel(hub, id);
        expect([calls, errors]).toEqual([1, 1]);
        expect(lastError).toMatch(new RegExp(`^${answer[2]}`));
        expect(lastError).not.toContain(KEY);
      }),
    );
  });

  it('passes on the words, the type and the parameter of a refused request', async () => {
    provider.answerWith((_call, response) =>
      sendJson(response, 400, {
        error: {
          message: 'temperature must be 1',
          type: 'invalid_request_error',
          param: 'temperature',
          code: 'unsupported_value',
        },
      }),
    );
    const { alias } = await model();
    expect((await call(hub, aChat(alias))).error).toEqual({
      message: `${String(alias)}: temperature must be 1`,
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'provider_rejected_request',
    });
  });

  it('never sends a caller to wait longer than a minute for a date', async () => {
    provider.answerWith((_call, response) => sendJson(response, 429, error(null), { 'retry-after': inSeconds(30) }));
    const { alias } = await model();
    const { headers } = await call(hub, aChat(alias));
    expect(Number(headers['retry-after'])).toBeGreaterThan(25);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(31);
  });

  it.each([301, 302, 307, 308])('redirects (%d): never followed', async (status) => {
    const canary = await startCanary();
    provider.answerWith((_call, response) => {
      response.writeHead(status, { location: `${canary.url}/v1/chat/completions` });
      response.end();
    });
    const { alias } = await model();
    expectError(await call(hub, aChat(alias)), alias, [502, 'provider_bad_answer', 'bad_answer']);
    expect(canary.connections()).toBe(0);
    await canary.close();
  });

  it('compresses although nobody asked: refused', async () => {
    provider.answerWith((_call, response) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      response.writeHead(200, headers).end(gzipSync(JSON.stringify(wholeAnswer('Hi'))));
    });
    const { alias } = await model();
    expectError(await call(hub, aChat(alias)), alias, [502, 'provider_bad_answer', 'bad_answer']);
    expect(provider.calls.at(-1)?.headers['accept-encoding']).toBe('identity');
  });

  const sendMuch = async (response: ServerResponse, announce: boolean): Promise<void> => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(announce && { 'content-length': String(30 * piece.length) }),
    });
    for (let sent = 0; sent < 30 && !response.destroyed; sent += 1) {
      if (!response.write(piece))
        await Promise.race([new Promise((resolve) => response.once('drain', resolve)), sleep(500)]);
    }
    response.end();
  };

  it.each([true, false])(
    'answers with 30 MB (announced: %p): refused, and its connection is ended',
    async (announce) => {
      provider.answerWith((_call, response) => sendMuch(response, announce));
      const { alias } = await model();
      expectError(await call(hub, aChat(alias)), alias, [502, 'provider_bad_answer', 'bad_answer']);
      await provider.calls.at(-1)?.closed;
    },
  );

  it('does not listen: 502', async () => {
    const { id, alias } = await model({ api_base: `http://127.0.0.1:${await freePort()}/v1` });
    expectError(await call(hub, aChat(alias)), alias, [502, 'provider_unreachable', 'network']);
    expectError(await call(hub, aChat(alias, { stream: true })), alias, [502, 'provider_unreachable', 'network']);
    expect(await usageAfter(hub, id, 2)).toMatchObject([{ outcome: 'network', calls: 2 }]);
  });

  it('breaks before it answers, or in the middle of a whole answer: 502', async () => {
    const { alias } = await model();
    provider.answerWith((_call, response) => void response.destroy());
    expectError(await call(hub, aChat(alias)), alias, [502, 'provider_unreachable', 'network']);
    provider.answerWith(async (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"choices":[');
      await sleep(50);
      response.destroy();
    });
    expectError(await call(hub, aChat(alias)), alias, [502, 'provider_unreachable', 'network']);
  });

  it('says nothing, or never comes to an end: 504 after request_timeout', async () => {
    const { id, alias } = await model({ request_timeout: 1 });
    const scripts = [
      (): void => undefined,
      async (_call: unknown, response: ServerResponse): Promise<void> => {
        response.writeHead(200, { 'content-type': 'application/json' });
        while (!response.destroyed) {
          response.write(' ');
          await sleep(100);
        }
      },
    ];
    for (const script of scripts) {
      provider.answerWith(script);
      const { value, milliseconds } = await elapsed(() => call(hub, aChat(alias)));
      expectError(value, alias, [504, 'provider_timeout', 'timeout']);
      expect(milliseconds).toBeGreaterThan(950);
      expect(milliseconds).toBeLessThan(1300);
      await provider.calls.at(-1)?.closed;
    }
    expect(await usageAfter(hub, id, 2)).toMatchObject([{ outcome: 'timeout', calls: 2 }]);
  });
});
