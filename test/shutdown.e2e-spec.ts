// The end of a process, step by step: what its callers see of it, that they all get an answer, and that it ends in time.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelDirectory } from '../src/ai-model/model-directory/model-directory.js';
import {
  aChat,
  call,
  CHAT,
  elapsed,
  MESSAGES,
  openCall,
  saveModel,
  until,
  usageOf,
  type Answer,
  type Json,
} from './support/calls.js';
import { createTestDatabase } from './support/database.js';
import { chunk, DONE, politeScript, sendJson, startFakeProvider, wholeAnswer } from './support/fake-provider.js';
import type { FakeProvider, Script } from './support/fake-provider.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { CONFIGS, startHub, type TestHub, type TestHubOptions } from './support/hub.js';
import { startCaller } from './support/scripted-storage.js';

/** Without a limit they would not end at all; figures are in the chaos stories. */
const BUSY_MACHINE_MILLISECONDS = 2000;
const SECOND = 1000;
const DIALECTS = [
  { path: CHAT, body: (alias: string): Json => aChat(alias) },
  { path: '/v1/responses', body: (alias: string): Json => ({ model: alias, input: 'Hi' }) },
  { path: '/v1/messages', body: (alias: string): Json => ({ model: alias, max_tokens: 9, messages: MESSAGES }) },
];
const CODES: Record<string, (error: Json) => unknown> = {
  [CHAT]: ({ error }) => (error as Json)['code'],
  '/v1/responses': ({ error }) => (error as Json)['code'],
  '/v1/messages': ({ type, error }) => type === 'error' && (error as Json)['code'],
};

let provider: FakeProvider;
const hubs: TestHub[] = [];
const aHub = async (options: TestHubOptions = {}): Promise<{ hub: TestHub; alias: string; id: unknown }> => {
  const hub = await startHub(options);
  hubs.push(hub);
  const { alias, id } = await saveModel(hub, { api_base: provider.url });
  return { hub, alias: String(alias), id };
};

beforeAll(async () => {
  provider = await startFakeProvider();
});
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
  provider.answerWith(politeScript);
});
afterAll(() => provider.close());

/** One piece, then silence until somebody leaves. */
const hanging: Script = (_call, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk('12345678'));
};
const hangingUnlessWhole: Script = (request, response) => {
  if (request.body['stream'] === true) return hanging(request, response);
};

interface Wire {
  socket: Socket;
  text: () => string;
  isClosed: () => boolean;
}
const wire = async ({ url }: Pick<TestHub, 'url'>): Promise<Wire> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  let isClosed = false;
  socket.on('data', (piece: Buffer) => (text += piece.toString()));
  socket.on('close', () => (isClosed = true));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, text: () => text, isClosed: () => isClosed };
};
const rawCall = ({ adminToken }: TestHub, body: Json): { head: string; text: string } => {
  const text = JSON.stringify(body);
  const head =
    `POST ${CHAT} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${adminToken}\r\n` +
    `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n`;
  return { head, text };
};
const GET_HEALTH = 'GET /health HTTP/1.1\r\nhost: hub\r\n\r\n';
const lastEvent = ({ text }: Answer): Json =>
  JSON.parse(text.trimEnd().split('data: ').at(-1)?.split('\n')[0] ?? '') as Json;

describe('the notice', () => {
  it('says not ready, serves everything, and sends everybody away with the answer', async () => {
    const { hub, alias } = await aHub();
    const idle = await wire(hub);
    idle.socket.write(GET_HEALTH);
    await until(idle.text, (text) => text.includes('{"status":"ok"}'));
    expect(idle.text()).toMatch(/connection: keep-alive/i);

    const closing = hub.application.close({ milliseconds: 10 * SECOND, notice: true });
    const answers = await Promise.all([
      hub.request('get', '/health/ready', null).expect(503),
      hub.request('get', CONFIGS).expect(200),
      call(hub, aChat(alias)),
      call(hub, aChat(alias), { headers: { 'transfer-encoding': 'chunked' } }),
      call(hub, aChat(alias, { stream: true })),
    ]);
    expect(answers[0].body).toMatchObject({ status: 'not_ready' });
    expect(answers.slice(2).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ headers }) => (headers as Json)['connection'])).toEqual(answers.map(() => 'close'));
    // Who had a connection is served on it once more.
    idle.socket.write(GET_HEALTH);
    await until(idle.isClosed, Boolean);
    expect(idle.text().match(/\{"status":"ok"\}/g)).toHaveLength(2);
    expect(idle.text().match(/connection: close/gi)).toHaveLength(1);

    expect(await closing).toEqual([]);
    await expect(fetch(`${hub.url}/health`)).rejects.toThrow();
  });
});

describe('the calls', () => {
  it('that are open may end, new ones are told to come again in their own words, and all usage is there', async () => {
    const { hub, alias, id } = await aHub();
    let finish = (): void => undefined;
    provider.answerWith(async (request, response) => {
      await hanging(request, response);
      finish = () => {
        response.end(chunk('', 'stop') + DONE);
      };
    });
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await until(open.text, (text) => text.includes('12345678'));
    const closing = hub.application.close();
    for (const { path, body } of DIALECTS) {
      const { status, headers, json } = await call(hub, body(alias), { path });
      expect({ path, status, code: CODES[path]?.(json) }).toEqual({ path, status: 503, code: 'shutting_down' });
      expect(headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
    }
    finish();
    expect((await open.done).text).toContain('[DONE]');
    expect(await closing).toEqual([]);
    expect(await usageOf(hub, id)).toMatchObject([{ outcome: 'ok', calls: 1 }]);
  });

  it('that do not end in time are told so in their own words, and are counted', async () => {
    const { hub, alias, id } = await aHub();
    provider.answerWith(hangingUnlessWhole);
    const before = provider.calls.length;
    const streams = DIALECTS.map(({ path, body }) =>
      openCall(hub.url, hub.adminToken, { ...body(alias), stream: true }, { path }),
    );
    const whole = DIALECTS.map(({ path, body }) => openCall(hub.url, hub.adminToken, body(alias), { path }));
    for (const { text } of streams) await until(text, (sent) => sent.includes('12345678'));
    await until(
      () => provider.calls.length,
      (calls) => calls === before + 6,
    );

    expect(await hub.application.close({ milliseconds: 1500 })).toEqual([]);
    const ends = await Promise.all(streams.map(({ done }) => done));
    const [chat, response, message] = ends.map(lastEvent);
    expect(chat).toMatchObject({ error: { code: 'shutting_down' } });
    expect(response).toMatchObject({ type: 'error', code: 'shutting_down' });
    expect(message).toMatchObject({ type: 'error', error: { code: 'shutting_down' } });
    for (const { text } of ends) expect(text).not.toMatch(/\[DONE\]|response\.completed|message_stop/);
    for (const { status, headers, json } of await Promise.all(whole.map(({ done }) => done))) {
      expect({ status, connection: headers.connection }).toEqual({ status: 503, connection: 'close' });
      expect(json['error']).toMatchObject({ code: 'shutting_down' });
    }
    const rows = await usageOf(hub, id);
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(6);
    expect(hub.logs()).toMatch(/"open":6,"ended":6,"stuck":0,[^\n]*"msg":"The open calls are over"/);
  });

  it('are told at once when somebody asks again', async () => {
    const { hub, alias, id } = await aHub();
    provider.answerWith(hanging);
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await until(open.text, (text) => text.includes('12345678'));
    const { milliseconds } = await elapsed(async () => {
      const closing = hub.application.close({ milliseconds: 60 * SECOND, notice: true });
      hub.application.hurry();
      hub.application.hurry();
      expect(await closing).toEqual([]);
    });
    expect(milliseconds).toBeLessThan(10 * SECOND);
    expect(lastEvent(await open.done)).toMatchObject({ error: { code: 'shutting_down' } });
    expect(await usageOf(hub, id)).toMatchObject([{ calls: 1 }]);
  });
});

describe('a connection', () => {
  it('gets every answer it is owed: pipelined, half asked, half written; a silent one is closed', async () => {
    const { hub, alias } = await aHub();
    const large = 'x'.repeat(8 * 1024 * 1024);
    provider.answerWith(async (request, response) => {
      const isLarge = request.raw.includes('large');
      if (!isLarge) await sleep(150);
      sendJson(response, 200, wholeAnswer(isLarge ? large : 'Hello'));
    });
    const [pipelined, half, silent, slow] = await Promise.all([wire(hub), wire(hub), wire(hub), wire(hub)]);
    // Its answer fits neither into his buffers nor into ours: the rest waits in this process.
    slow.socket.pause();
    const wanted = rawCall(hub, aChat(alias, { user: 'large' }));
    slow.socket.write(wanted.head + wanted.text);
    await until(
      () => provider.calls.at(-1)?.raw.includes('large'),
      (isAsked) => isAsked === true,
    );
    await sleep(200);
    const closing = hub.application.close({ milliseconds: 10 * SECOND, notice: true });
    const { head, text } = rawCall(hub, aChat(alias));
    pipelined.socket.write(head + text + GET_HEALTH + head + text);
    half.socket.write(head + text.slice(0, 10));
    await sleep(1300);
    half.socket.write(text.slice(10));
    slow.socket.resume();
    expect(await closing).toEqual([]);

    expect(pipelined.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(pipelined.text().match(/connection: close/gi)).toHaveLength(1);
    expect(pipelined.text().lastIndexOf('HTTP/1.1')).toBeLessThan(pipelined.text().search(/connection: close/i));
    // Its call began when no new one was taken any more.
    expect(half.text()).toMatch(/^HTTP\/1\.1 503 .*\r\n[^]*"shutting_down"/);
    await until(slow.isClosed, Boolean);
    expect(slow.text().length).toBeGreaterThan(large.length);
    expect(silent.isClosed()).toBe(true);
    expect(silent.text()).toBe('');
  });

  it('on which a request does not end gets an answer at the limit, and is closed', async () => {
    const { hub, alias } = await aHub();
    const { head, text } = rawCall(hub, aChat(alias));
    const stuck = await wire(hub);
    stuck.socket.write(head + text.slice(0, 10));
    await sleep(50);
    expect(await hub.application.close({ milliseconds: 1000 })).toEqual([]);
    await until(stuck.isClosed, Boolean);
    expect(stuck.text()).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n[^]*"code":"shutting_down"/);
    expect(hub.logs()).toContain('Requests did not end in time and were refused or cut');
  });
});

describe('the limit', () => {
  it('holds while storage takes requests and answers none', async () => {
    const { hub: storage, alias } = await aHub();
    const line = await startFaultProxy(storage.url);
    const caller = await startCaller(storage, line.url);
    expect((await call(caller, aChat(alias))).status).toBe(200);
    line.set({ line: 'silent' });
    expect((await call(caller, aChat(alias))).status).toBe(200);
    const { value, milliseconds } = await elapsed(() => caller.application.close({ milliseconds: 1500 }));
    await line.close();
    expect(value).toEqual([]);
    expect(milliseconds).toBeLessThan(1500 + BUSY_MACHINE_MILLISECONDS);
  });

  it('holds while a part of the application does not end, and the connections are closed in order even so', async () => {
    const { hub, alias } = await aHub();
    hub.application.nest.get(ModelDirectory).stop = () => new Promise(() => undefined);
    const { head, text } = rawCall(hub, aChat(alias));
    const [stuck, idle] = await Promise.all([wire(hub), wire(hub)]);
    stuck.socket.write(head + text.slice(0, 10));
    idle.socket.write(GET_HEALTH);
    await until(idle.text, (answer) => answer.includes('{"status":"ok"}'));
    expect(await hub.application.close({ milliseconds: 1000 })).toEqual([
      expect.stringContaining('closing the application'),
    ]);
    await until(() => stuck.isClosed() && idle.isClosed(), Boolean);
    expect(stuck.text()).toMatch(/^HTTP\/1\.1 503 [^]*"code":"shutting_down"/);
  });

  it('holds while the database does not answer, and what is still open is said', async () => {
    const database = await createTestDatabase();
    const place = new URL(database.url);
    const line = await startFaultProxy({
      path: `${place.searchParams.get('host')}/.s.PGSQL.${place.searchParams.get('port')}`,
    });
    const env = { DATABASE_URL: `postgresql://${place.username}@127.0.0.1:${line.port}/${database.name}` };
    const { hub } = await aHub({ database, env });
    line.set({ line: 'silent' });
    const asked = hub.request('get', CONFIGS).then(
      ({ status }) => status,
      () => 'cut',
    );
    await sleep(50);
    const { value, milliseconds } = await elapsed(() => hub.application.close({ milliseconds: 1000 }));
    expect(milliseconds).toBeLessThan(1000 + BUSY_MACHINE_MILLISECONDS);
    expect(value).toEqual(expect.arrayContaining([expect.stringMatching(/^closing/)]));
    expect(await asked).toBe(503);
    await line.close();
  });
});
