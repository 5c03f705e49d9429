import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { aChat, call, elapsed, readModel, saveModel, until, usageOf, type Answer, type Json } from './support/calls.js';
import { chunk, DONE, usageChunk, wholeAnswer } from './support/fake-provider.js';
import { startFaultServer, type Fault, type FaultServer } from './support/fault-server.js';
import { startHub, type TestHub } from './support/hub.js';
import { freePort, startCanary, type Canary } from './support/sockets.js';

/** No eight characters of it occur by chance in what is hexadecimal. */
const KEY = 'key-of-the-provider-XwVjQyKzMpLs';
const MEGABYTE = 1024 * 1024;

/** What the caller is told: the status, the code, and what is counted. */
type Told = [status: number, code: string, outcome: string];

const SERVER: Told = [502, 'provider_error', 'server'];
const OVERLOADED: Told = [503, 'provider_overloaded', 'overloaded'];
const LIMITED: Told = [429, 'rate_limit_exceeded', 'rate_limit'];
const TIMEOUT: Told = [504, 'provider_timeout', 'timeout'];
const NETWORK: Told = [502, 'provider_unreachable', 'network'];
const BAD_ANSWER: Told = [502, 'provider_bad_answer', 'bad_answer'];
const AUTH: Told = [424, 'provider_auth_failed', 'auth'];
const refused = (status: number): Told => [status, 'provider_rejected_request', 'bad_request'];
const FINE: Told = [200, '', 'ok'];

const MAX_RETRIES = 1;

interface Story {
  name: string;
  fault: Fault;
  told: Told;
  /** 1 + `max_retries` when the class may pass, else 1. */
  attempts: number;
  stream?: true;
  /** The head of a stream is with the caller: he learns of it in an event. */
  inStream?: true;
  /** It takes the whole of `request_timeout`. */
  hangs?: true;
  config?: Json;
}

const REASONS: Record<number, string> = { 200: 'OK', 204: 'No Content' };
const head = (status: number, headers: Record<string, string | number> = {}): string =>
  [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Trouble'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n') + '\r\n\r\n';

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = head(200, { 'content-type': 'text/event-stream', connection: 'close' });

const CHUNKED = head(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });
const inChunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const says =
  (...pieces: (string | Buffer)[]): Fault =>
  (socket) => {
    for (const piece of pieces) socket.write(piece);
    socket.end();
  };
const answers = (status: number, body: string, headers: Record<string, string | number> = {}): Fault =>
  says(head(status, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body), ...headers }), body);
const fails = (status: number, fields: Json = {}, headers: Record<string, string | number> = {}): Fault =>
  answers(
    status,
    JSON.stringify({ error: { message: `It is ${KEY} that failed`, type: 't', code: null, ...fields } }),
    headers,
  );
const streams = (...events: (string | Buffer)[]): Fault => says(EVENTS, ...events);
/** Sends it and says nothing more. */
const stays =
  (...pieces: string[]): Fault =>
  (socket) => {
    for (const piece of pieces) socket.write(piece);
  };
const resets =
  (...pieces: string[]): Fault =>
  async (socket) => {
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 0) await sleep(50);
    socket.resetAndDestroy();
  };
/** One piece after the other for as long as the connection lives. */
const drips =
  (first: string, piece: string, milliseconds: number): Fault =>
  async (socket) => {
    socket.write(first);
    while (!socket.destroyed) {
      socket.write(piece);
      await sleep(milliseconds);
    }
  };
const pours = (first: string, piece: Buffer, times: number): Fault => {
  const pour = async (socket: Socket): Promise<void> => {
    socket.write(first);
    for (let sent = 0; sent < times && !socket.destroyed; sent += 1) {
      if (!socket.write(piece))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(200)]);
    }
    socket.end();
  };
  return pour;
};

const inFuture = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();
const whole = JSON.stringify(wholeAnswer('Hi'));
const start = chunk('Hel');
const rest = chunk('lo') + chunk('', 'stop') + usageChunk() + DONE;

const once = (name: string, fault: Fault, told: Told, more: Partial<Story> = {}): Story => ({
  name,
  fault,
  told,
  attempts: 1,
  ...more,
});
const again = (name: string, fault: Fault, told: Told, more: Partial<Story> = {}): Story =>
  once(name, fault, told, { attempts: 1 + MAX_RETRIES, ...more });
const streamed = (name: string, fault: Fault, told: Told, more: Partial<Story> = {}): Story =>
  once(name, fault, told, { stream: true, ...more });

const STATUSES: Story[] = [
  once('400', fails(400), refused(400)),
  once('401', fails(401), AUTH),
  once('402', fails(402), [429, 'insufficient_quota', 'quota']),
  once('403', fails(403), AUTH),
  once('404', fails(404), [404, 'provider_model_not_found', 'not_found']),
  again('408', fails(408), TIMEOUT),
  once('409', fails(409), refused(409)),
  once('413', fails(413), refused(413)),
  once('418', fails(418), refused(418)),
  once('422', fails(422), refused(422)),
  again('429', fails(429), LIMITED),
  again('429, at once', fails(429, {}, { 'retry-after': 0 }), LIMITED),
  again('429, in 50 ms', fails(429, {}, { 'retry-after-ms': 50 }), LIMITED),
  again('429, Azure in 60 ms', fails(429, {}, { 'x-ms-retry-after-ms': 60, 'retry-after': 30 }), LIMITED),
  again('429, at a date that is over', fails(429, {}, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), LIMITED),
  once('429, at a date far off', fails(429, {}, { 'retry-after': inFuture(3600) }), LIMITED),
  once('429, in an hour', fails(429, {}, { 'retry-after': 3600 }), LIMITED),
  once('429, in ages', fails(429, {}, { 'retry-after': 999_999_999 }), LIMITED),
  again('429, in less than no time', fails(429, {}, { 'retry-after': -5 }), LIMITED),
  once('429 without quota', fails(429, { code: 'insufficient_quota' }, { 'retry-after-ms': 1 }), [
    429,
    'insufficient_quota',
    'quota',
  ]),
  again('500', fails(500), SERVER),
  again('502 as a page', answers(502, '<html>Bad gateway</html>', { 'content-type': 'text/html' }), SERVER),
  again('503', fails(503), OVERLOADED),
  again('503, loading the model', fails(503, { message: 'Loading model' }), OVERLOADED),
  again('504', fails(504), TIMEOUT),
  again('529', fails(529), OVERLOADED),
  again('500 without a body', answers(500, ''), SERVER),
  again('500, flat', answers(500, '{"object":"error","message":"out of memory"}'), SERVER),
  again('500 for a stream', fails(500), SERVER, { stream: true }),
  once(
    "Azure's content filter",
    fails(400, { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    [400, 'content_filter', 'content_filter'],
    { config: { provider: 'azure_openai', api_version: '2024-10-21' } },
  ),
];

const CONNECTIONS: Story[] = [
  again('reset before the head', resets(), NETWORK),
  again('closed before the head', says(), NETWORK),
  again('reset behind the head', resets(head(200, { ...JSON_TYPE, 'content-length': 500 })), NETWORK),
  again('reset in the middle', resets(head(200, { ...JSON_TYPE, 'content-length': 500 }), '{"choices":'), NETWORK),
  once('half a body', says(head(200, { ...JSON_TYPE, 'content-length': 500 }), '{"choices":'), NETWORK, {
    attempts: 1 + MAX_RETRIES,
  }),
  once('no HTTP', says('SSH-2.0-OpenSSH_9.6\r\n'), BAD_ANSWER),
  once('a head of 64 KB', says(head(200, { 'x-long': 'x'.repeat(65_536) })), BAD_ANSWER),
  once(
    'broken chunks',
    says(head(200, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }), 'zz\r\n{}\r\n0\r\n\r\n'),
    BAD_ANSWER,
  ),
  streamed('reset in the stream', resets(CHUNKED, inChunk(start)), NETWORK, { inStream: true }),
  // Without chunks the end of the connection is the end of the answer, however it came about.
  streamed('reset in a stream without chunks', resets(EVENTS, start), BAD_ANSWER, { inStream: true }),
  again('reset behind the head of a stream', resets(CHUNKED), NETWORK, { stream: true }),
];

const STREAMS: Story[] = [
  streamed('no [DONE]', streams(start, chunk('', 'stop')), FINE),
  streamed('no [DONE] and no reason', streams(start), BAD_ANSWER, { inStream: true }),
  streamed('nothing in it', streams(), BAD_ANSWER),
  streamed('CRLF, CR and LF mixed', streams((start + rest).replace('\n\n', '\r\n\r\n').replace('\n\n', '\r\r')), FINE),
  streamed('a mark of the byte order and comments', streams(`\uFEFF: hi\n\n`, start, ': ping\n\n', rest), FINE),
  streamed('an event that is no JSON', streams('data: {"choices": [\n\n', start, rest), FINE),
  streamed('an event behind the end', streams(start, rest, chunk('never')), FINE),
  streamed('an error first', streams('data: {"error":{"message":"no","code":"invalid_api_key"}}\n\n'), AUTH),
  again('an error of the server first', streams('event: error\ndata: {"error":{"message":"no"}}\n\n'), SERVER, {
    stream: true,
  }),
  streamed('an error on the way', streams(start, 'data: {"error":{"message":"no","code":503}}\n\n', DONE), OVERLOADED, {
    inStream: true,
  }),
  streamed('a bare error on the way', streams(start, '{"error":{"message":"no","code":429}}'), LIMITED, {
    inStream: true,
  }),
  streamed('JSON instead', answers(200, whole), BAD_ANSWER),
  streamed('an error as JSON instead', answers(200, '{"error":{"message":"no","code":"content_filter"}}'), [
    400,
    'content_filter',
    'content_filter',
  ]),
  streamed('an event of 50 MB', pours(`${EVENTS}data: "`, Buffer.alloc(MEGABYTE, 'x'), 50), BAD_ANSWER),
];

const BOMBS: Story[] = [
  once(
    'gzip',
    says(
      head(200, { ...JSON_TYPE, 'content-encoding': 'gzip', connection: 'close' }),
      gzipSync(Buffer.alloc(MEGABYTE)),
    ),
    BAD_ANSWER,
  ),
  once('gzip in gzip', says(head(200, { 'content-encoding': 'gzip, gzip' })), BAD_ANSWER),
  streamed(
    'a compressed stream',
    says(head(200, { 'content-type': 'text/event-stream', 'content-encoding': 'br' })),
    BAD_ANSWER,
  ),
  once('30 MB', pours(head(200, { ...JSON_TYPE, connection: 'close' }), Buffer.alloc(MEGABYTE, ' '), 30), BAD_ANSWER),
  once('longer than announced', says(head(200, { ...JSON_TYPE, 'content-length': 20 }), whole), BAD_ANSWER),
  once(
    'two ideas of its length',
    says(head(200, { ...JSON_TYPE, 'content-length': 5, 'transfer-encoding': 'chunked' }), '{}'),
    BAD_ANSWER,
  ),
  once('a page', answers(200, '<html>Welcome</html>', { 'content-type': 'text/html' }), BAD_ANSWER),
  once('an empty body', answers(200, ''), BAD_ANSWER),
  once('204', says(head(204)), BAD_ANSWER),
  once('half a JSON', answers(200, whole.slice(0, 40)), BAD_ANSWER),
  once('a list', answers(200, '[]'), BAD_ANSWER),
  once('an error in a 200', answers(200, '{"error":{"message":"no","code":"insufficient_quota"}}'), [
    429,
    'insufficient_quota',
    'quota',
  ]),
];

const HANGS: Story[] = [
  once('nothing at all', stays(), TIMEOUT),
  once('hints without end', drips('', head(103, { link: '</x>' }), 100), TIMEOUT),
  once('a head and no body', stays(head(200, { ...JSON_TYPE, 'content-length': 500 })), TIMEOUT),
  once('a byte now and then', drips(head(200, { ...JSON_TYPE, 'content-length': 500 }), ' ', 200), TIMEOUT),
  streamed('no head of a stream', stays(), TIMEOUT),
  streamed('a head and no event', stays(EVENTS), TIMEOUT),
  streamed('half an event', stays(EVENTS, 'data: {"cho'), TIMEOUT),
  streamed('silence between two events', stays(EVENTS, start), TIMEOUT, { inStream: true }),
].map((story) => ({ ...story, hangs: true }));

/** The error that a stream ended with. */
const errorIn = (text: string): Json => {
  const [last = ''] = text.trimEnd().split('\n\n').slice(-1);
  return ((JSON.parse(last.replace(/^data: /, '')) as Json)['error'] ?? {}) as Json;
};

interface Prepared {
  story: Story;
  model: Json;
  server: FaultServer;
}

interface Played extends Prepared {
  answer: Answer;
  milliseconds: number;
}

describe('a provider in trouble', () => {
  let hub: TestHub;
  let canary: Canary;
  const prepared: Prepared[] = [];
  const played = new Map<Story, Played>();
  const redirects: Story[] = [];

  const prepare = async (story: Story): Promise<void> => {
    const server = await startFaultServer(story.fault);
    const model = await saveModel(hub, {
      api_base: server.url,
      api_key: KEY,
      max_retries: MAX_RETRIES,
      request_timeout: story.hangs ? 1 : 10,
      ...story.config,
    });
    prepared.push({ story, server, model });
  };
  const play = async ({ story, server, model }: Prepared): Promise<void> => {
    const body = aChat(model['alias'], story.stream ? { stream: true } : {});
    const { value: answer, milliseconds } = await elapsed(() => call(hub, body));
    played.set(story, { story, model, server, answer, milliseconds });
  };
  const playedOf = (story: Story): Played => {
    const found = played.get(story);
    if (!found) throw new Error(`${story.name} was not played`);
    return found;
  };

  const STORIES = [...STATUSES, ...CONNECTIONS, ...STREAMS, ...BOMBS, ...HANGS];
  const delay = monitorEventLoopDelay({ resolution: 5 });

  beforeAll(async () => {
    hub = await startHub();
    canary = await startCanary();
    for (const status of [301, 302, 303, 307, 308]) {
      const fault = says(head(status, { location: `${canary.url}/v1/chat/completions`, 'content-length': 0 }));
      redirects.push(once(`${status}`, fault, BAD_ANSWER), streamed(`${status}, streamed`, fault, BAD_ANSWER));
    }
    const all = [...STORIES, ...redirects];
    for (let at = 0; at < all.length; at += 8) await Promise.all(all.slice(at, at + 8).map(prepare));
    const { model } = prepared.at(-1) as Prepared;
    await until(
      () => call(hub, '', { method: 'GET', path: `/v1/models/${String(model['alias'])}` }),
      ({ status }) => status === 200,
      10_000,
    );
    await Promise.all(prepared.filter(({ story }) => !story.hangs).map(play));
    // By themselves: what else the machine has to do would be counted as lateness of the hub's.
    delay.enable();
    await Promise.all(prepared.filter(({ story }) => story.hangs).map(play));
    delay.disable();
  });
  afterAll(async () => {
    await hub.close();
    await canary.close();
    await Promise.all(prepared.map(({ server }) => server.close()));
  });

  it.each(STORIES)('$name: told and counted as $told', async (story) => {
    const { model, server, answer } = playedOf(story);
    const [status, code, outcome] = story.told;
    expect(answer.status).toBe(story.inStream ? 200 : status);
    const error = story.inStream ? errorIn(answer.text) : answer.error;
    if (outcome === 'ok') expect(answer.text).toContain(DONE);
    else expect(error).toMatchObject({ code });
    if (story.inStream) expect(answer.text).toContain(start);
    else if (outcome !== 'ok') expect(answer.headers['x-should-retry']).toBe('false');
    expect(server.requests()).toBe(story.attempts);
    if (!story.inStream) expect(answer.headers['x-hub-attempts']).toBe(String(story.attempts));
    const rows = await until(
      () => usageOf(hub, model['id']),
      (counted) => counted.length > 0,
      10_000,
    );
    expect(rows).toMatchObject([{ outcome, calls: 1 }]);
    expect(rows).toHaveLength(1);
  });

  // It is some 10 ms late where nothing else runs. Of the pauses of a busy machine the longest is known, not how many there were.
  it.each(HANGS)('$name: over soon after request_timeout', (story) => {
    const { milliseconds } = playedOf(story);
    const stoodStill = delay.max / 1e6;
    expect(milliseconds).toBeGreaterThan(990);
    expect(milliseconds).toBeLessThan(1100 + 5 * stoodStill);
  });

  it('sends nobody anywhere else: no redirect is followed, streamed or not', () => {
    expect(redirects).toHaveLength(10);
    for (const story of redirects) {
      const { answer, server } = playedOf(story);
      expect([story.name, answer.status, answer.error['code'], server.requests()]).toEqual([
        story.name,
        502,
        'provider_bad_answer',
        1,
      ]);
    }
    expect(canary.connections()).toBe(0);
  });

  it('that does not listen is tried again, and is unreachable', async () => {
    const model = await saveModel(hub, { api_base: `http://127.0.0.1:${await freePort()}/v1`, max_retries: 1 });
    const answer = await call(hub, aChat(model['alias']));
    expect([answer.status, answer.error['code'], answer.headers['x-hub-attempts']]).toEqual([
      502,
      'provider_unreachable',
      '2',
    ]);
  });

  it('never makes a caller wait for an hour', () => {
    for (const name of ['429, in an hour', '429, in ages', '429, at a date far off']) {
      const { answer } = [...played.values()].find(({ story }) => story.name === name) as Played;
      expect(answer.headers).not.toHaveProperty('retry-after');
      expect(answer.headers['x-should-retry']).toBe('false');
    }
  });

  it('is not asked more often because the client tries again as well', async () => {
    for (const fault of [fails(500), fails(429, {}, { 'retry-after-ms': 10 }), resets()]) {
      const server = await startFaultServer(fault);
      const { alias } = await saveModel(hub, { api_base: server.url, api_key: KEY, max_retries: 2 });
      const client = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: hub.adminToken });
      const ask = client.chat.completions.create({ model: String(alias), messages: [{ role: 'user', content: 'Hi' }] });
      await expect(ask).rejects.toThrow();
      expect(server.requests()).toBe(3);
      await server.close();
    }
  });

  it('may repeat its key: nobody is shown it, and no log, counter or record keeps it', async () => {
    const texts = [...played.values()].map(({ answer }) => answer.text + JSON.stringify(answer.headers));
    expect(texts.filter((text) => text.includes('that failed')).length).toBeGreaterThan(20);
    const { model } = playedOf(STATUSES[0] as Story);
    const { last_error: lastError } = await until(
      () => readModel(hub, model['id']),
      (seen) => seen['last_error'] !== null,
    );
    expect(lastError).toContain('that failed');
    const stored = await hub.database.query('SELECT * FROM ai_model_configs');
    const told = [...texts, hub.logs(), JSON.stringify(stored)];
    expect(told.map((text) => text.indexOf(KEY.slice(-12, -4)))).toEqual(told.map(() => -1));
  });
});
