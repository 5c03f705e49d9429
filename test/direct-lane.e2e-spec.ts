import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, MESSAGES, saveModel, until, type Answer, type CallOptions, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, politeScript, type FakeProvider } from './support/fake-provider.js';
import { DirectLane } from '../src/platform/http/direct-lane.js';
import { startHub, type TestHub } from './support/hub.js';

let hub: TestHub;
let provider: FakeProvider;
let alias: string;
let token: string;
/** How many requests the lane took. */
let taken = 0;
beforeAll(async () => {
  hub = await startHub();
  const lane = hub.application.nest.get(DirectLane);
  const take = lane.take.bind(lane);
  lane.take = (request, response) => {
    const isTaken = take(request, response);
    if (isTaken) taken += 1;
    return isTaken;
  };
  provider = await startFakeProvider();
  alias = String((await saveModel(hub, { api_base: provider.url }))['alias']);
  token = await hub.createToken('invoke');
  // A token that is new to the directory goes the common way once.
  await call(hub, aChat(alias), { token });
});
beforeEach(() => {
  taken = 0;
  provider.calls.length = 0;
  provider.answerWith(politeScript);
});
afterAll(async () => {
  await hub.close();
  await provider.close();
});

/** Of a body whose length is not told the lane knows nothing: it goes the common way. */
const COMMON = { 'transfer-encoding': 'chunked' };
const both = async (body: Json | string, options: CallOptions = {}): Promise<[Answer, Answer]> => [
  await call(hub, body, { token, ...options }),
  await call(hub, body, { token, ...options, headers: { ...options.headers, ...COMMON } }),
];
const CHANGING = new Set([
  'date',
  'x-request-id',
  'request-id',
  'x-hub-overhead-ms',
  'connection',
  'keep-alive',
  'vary',
]);
const steady = ({ status, headers, text }: Answer): unknown => ({
  status,
  text: text.replaceAll(/"(id|created|created_at|item_id|request_id)": ?"?[\w-]+"?/g, ''),
  headers: Object.entries(headers)
    .filter(([name]) => !CHANGING.has(name))
    .sort(([a], [b]) => a.localeCompare(b)),
});
const linesOf = (id: string): Json[] =>
  hub
    .logs()
    .split('\n')
    .filter((line) => line.includes(id) && line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line) as Json);

describe('a call on the direct lane', () => {
  const STORIES: [string, string, Json][] = [
    ['a chat', '/v1/chat/completions', { messages: MESSAGES }],
    ['a chat under /api', '/api/v1/chat/completions', { messages: MESSAGES }],
    ['a stream', '/v1/chat/completions', { messages: MESSAGES, stream: true }],
    ['vectors', '/v1/embeddings', { input: 'x' }],
    ['a message', '/v1/messages', { messages: MESSAGES, max_tokens: 10 }],
    ['a response', '/v1/responses', { input: 'Hi' }],
    ['a refused field', '/v1/chat/completions', { messages: [] }],
    ['a refused message', '/v1/messages', { messages: MESSAGES }],
  ];
  it.each(STORIES)('is answered as on the common way: %s', async (_name, path, fields) => {
    const [direct, common] = await both({ model: alias, ...fields }, { path });
    expect(steady(direct)).toEqual(steady(common));
    expect(taken).toBe(1);
  });

  it('fails as on the common way, before an answer', async () => {
    provider.answerWith((_call, response) => sendJson(response, 500, { error: { message: 'No' } }));
    const [direct, common] = await both(aChat(alias));
    expect(direct.status).toBe(502);
    expect(steady(direct)).toEqual(steady(common));
    expect(direct.headers['cache-control']).toBe('no-store');
  });

  it('keeps the id it came with, tells a new one else, and leaves one line in the log', async () => {
    const id = `id-${Date.now()}`;
    const [direct, common] = await both(aChat(alias), { headers: { 'x-request-id': id } });
    expect([direct.headers['x-request-id'], common.headers['x-request-id']]).toEqual([id, id]);
    const lines = await until(
      () => linesOf(id),
      (found) => found.length === 2,
    );
    const measured = { time: 0, duration_ms: 0, first_byte_ms: 0, overhead_ms: 0 };
    const [first, second] = lines.map((line) => ({ ...line, ...measured }));
    expect(first).toEqual(second);
    expect(first).toMatchObject({ method: 'POST', path: '/v1/chat/completions', status: 200 });
    expect((await call(hub, aChat(alias))).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['without a scope for it', 403, (): Promise<string> => hub.createToken('models:read')],
    ['unknown', 401, (): Promise<string> => Promise.resolve('x'.repeat(40))],
  ])('is not for a token %s', async (_name, status, make) => {
    const [direct, common] = await both(aChat(alias), { token: await make() });
    expect([direct.status, common.status]).toEqual([status, status]);
    expect(provider.calls).toEqual([]);
  });

  it.each([
    ['a query', { path: '/v1/chat/completions?x=1' }, 200],
    ['another type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a type with blanks', { headers: { 'content-type': 'application/json;charset=utf-8' } }, 200],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
  ])('leaves %s to the common way', async (_name, options, status) => {
    expect((await call(hub, aChat(alias), { token, ...options })).status).toBe(status);
    expect(taken).toBe(0);
  });

  it('takes one call after the other on one connection', async () => {
    const body = JSON.stringify(aChat(alias));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (piece) => (received += piece.toString()));
    const answers = (): number => received.split('HTTP/1.1 200 OK').length - 1;
    for (let round = 1; round <= 3; round += 1) {
      socket.write(head + body);
      await until(answers, (count) => count === round);
    }
    // In two pieces, and then two at once.
    socket.write(head + body.slice(0, 10));
    setTimeout(() => socket.write(body.slice(10) + head + body), 30);
    await until(answers, (count) => count === 5);
    socket.destroy();
    expect(provider.calls).toHaveLength(5);
  });

  it('owes nothing to a caller who leaves in the middle of his body, and lives on', async () => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"model"`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await call(hub, aChat(alias), { token })).status).toBe(200);
    expect(provider.calls).toHaveLength(1);
  });
});
