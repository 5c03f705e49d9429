import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, openCall, readModel, saveModel, until, usageAfter, usageOf, type Json } from './support/calls.js';
import { chunk, DONE, sendJson, startFakeProvider, usageChunk, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

const MEGABYTE = 1024 * 1024;

const startEvents = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
};

/** The error that a stream ended with. */
const errorIn = (text: string): Json => {
  const [last = ''] = text.trimEnd().split('\n\n').slice(-1);
  return ((JSON.parse(last.replace(/^data: /, '')) as Json)['error'] ?? {}) as Json;
};

describe('a streamed call', () => {
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
  const sends = (...pieces: (string | Buffer)[]): void =>
    provider.answerWith((_call, response) => {
      startEvents(response);
      for (const piece of pieces) response.write(piece);
      response.end();
    });
  const stream = (alias: unknown, fields: Json = {}): ReturnType<typeof call> =>
    call(hub, aChat(alias, { stream: true, ...fields }));

  describe('that goes well', () => {
    it('comes as the provider sent it, without the usage chunk nobody asked for, which is counted all the same', async () => {
      const { id, alias } = await model();
      const odd = 'data: {"choices": [ {"delta":{"content":"漢 \\u00e9"}} ],"obfuscation":"x","usage":null}\n\n';
      sends(': ping\n\n', odd, chunk('lo'), chunk('', 'stop'), usageChunk(), DONE);
      const answer = await stream(alias);
      expect(answer.status).toBe(200);
      expect(answer.text).toBe(`: ping\n\n${odd}${chunk('lo')}${chunk('', 'stop')}${DONE}`);
      expect(answer.headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'x-hub-model': alias,
        'x-hub-provider': 'openai_compatible',
        'x-hub-attempts': '1',
        'x-request-id': expect.stringMatching(/^[\w.-]{1,64}$/),
        'x-hub-overhead-ms': expect.stringMatching(/^\d+\.\d\d$/),
      });
      expect(answer.headers).not.toHaveProperty('content-length');
      expect(await usageAfter(hub, id, 1)).toMatchObject([
        { outcome: 'ok', calls: 1, estimated: 0, input: 11, output: 7 },
      ]);
    });

    it('has the usage chunk when the caller asked for it', async () => {
      const { alias } = await model();
      sends(chunk('Hi', 'stop'), usageChunk(), DONE);
      const answer = await stream(alias, { stream_options: { include_usage: true } });
      expect(answer.text).toBe(chunk('Hi', 'stop') + usageChunk() + DONE);
    });

    it('always asks the provider for usage, beside what the caller wants of the stream', async () => {
      const { alias } = await model();
      await stream(alias);
      expect(provider.calls[0]?.body['stream_options']).toEqual({ include_usage: true });
      const answer = await stream(alias, { stream_options: { include_usage: false, include_obfuscation: false } });
      expect(provider.calls[1]?.body['stream_options']).toEqual({ include_usage: true, include_obfuscation: false });
      expect(answer.text).not.toContain('usage');
    });

    it('does not ask where the config says that the server knows no stream_options', async () => {
      const { alias } = await model({ custom_parameters: { stream_options: null } });
      expect((await stream(alias)).text).toMatch(/\[DONE\]\n\n$/);
      expect(provider.calls[0]?.body).not.toHaveProperty('stream_options');
    });

    it('passes on usage that stands in a chunk with choices, and counts it once', async () => {
      const { id, alias } = await model();
      const both = `data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n`;
      sends(both, usageChunk({ prompt_tokens: 3, completion_tokens: 4 }), DONE);
      expect((await stream(alias)).text).toBe(both + DONE);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ calls: 1, input: 3, output: 4 }]);
    });

    it('arrives as it is made, not when it is complete', async () => {
      const { alias } = await model();
      provider.answerWith(async (_call, response) => {
        startEvents(response);
        for (const word of ['one', 'two', 'three']) {
          await sleep(200);
          response.write(chunk(word));
        }
        await sleep(200);
        response.end(chunk('', 'stop') + DONE);
      });
      const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
      const { text } = await open.done;
      expect(text).toBe(chunk('one') + chunk('two') + chunk('three') + chunk('', 'stop') + DONE);
      const words = open.pieces.slice(0, 3).map((piece) => piece.bytes.toString());
      expect(words).toEqual([chunk('one'), chunk('two'), chunk('three')]);
      const [first = 0, , third = 0] = open.pieces.map((piece) => piece.at);
      expect(third - first).toBeGreaterThan(300);
    });

    it('is the same however the network cut it: byte by byte, with CRLF, comments and wide characters', async () => {
      const { alias } = await model();
      const whole = Buffer.from(
        `: ping\r\n\r\n${chunk('漢字 😀').replaceAll('\n', '\r\n')}${chunk('é')}event: x\rdata: {"a":1}\r\r${chunk('', 'stop')}${DONE}`,
      );
      provider.answerWith(async (_call, response) => {
        response.socket?.setNoDelay(true);
        startEvents(response);
        for (const byte of whole) {
          response.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      });
      const answer = await stream(alias);
      expect(answer.text).toBe(whole.toString());
    });

    it('gets its [DONE] from the hub when the provider finished without one', async () => {
      const { id, alias } = await model();
      sends(chunk('Hi'), chunk('', 'stop'), usageChunk());
      expect((await stream(alias)).text).toBe(chunk('Hi') + chunk('', 'stop') + DONE);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', calls: 1, input: 11 }]);
    });

    it('ends with [DONE] even when the provider keeps its connection open', async () => {
      const { alias } = await model();
      provider.answerWith((_call, response) => {
        startEvents(response);
        response.write(chunk('Hi', 'stop') + DONE);
      });
      expect((await stream(alias)).text).toBe(chunk('Hi', 'stop') + DONE);
    });
  });

  describe('that fails on its way', () => {
    const expectFailure = async (alias: unknown, shown: string, code: string): Promise<Json> => {
      const answer = await stream(alias);
      expect(answer.status).toBe(200);
      expect(answer.text.startsWith(shown)).toBe(true);
      expect(answer.text).not.toContain('[DONE]');
      expect(answer.text.slice(shown.length)).toMatch(/^data: \{"error":\{[^\n]*\}\}\n\n$/);
      const error = errorIn(answer.text);
      expect(error).toMatchObject({ code, type: expect.any(String), message: expect.stringContaining(String(alias)) });
      // Nothing that was answered in part is asked again.
      expect(provider.calls).toHaveLength(1);
      return error;
    };

    it('tells the caller when the connection breaks, holds back the half event, and counts an estimate', async () => {
      const { id, alias } = await model();
      provider.answerWith(async (_call, response) => {
        startEvents(response);
        response.write(`${chunk('12345678')}data: {"choices":[{"delta":{"con`);
        await sleep(50);
        response.destroy();
      });
      await expectFailure(alias, chunk('12345678'), 'provider_unreachable');
      expect(await usageAfter(hub, id, 1)).toMatchObject([
        { outcome: 'network', calls: 1, estimated: 1, input: 1, output: 2 },
      ]);
      expect(await readModel(hub, id)).toMatchObject({
        usage_count: 1,
        error_count: 1,
        last_error: expect.stringContaining('network'),
      });
    });

    it('is no normal end when the provider stops without saying why', async () => {
      const { id, alias } = await model();
      sends(chunk('Hel'), chunk('lo'));
      await expectFailure(alias, chunk('Hel') + chunk('lo'), 'provider_bad_answer');
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'bad_answer', calls: 1, estimated: 1 }]);
    });

    it('is no normal end when the last event is only half there, whatever came before', async () => {
      const { alias } = await model();
      sends(chunk('Hi', 'stop'), 'data: {"choices":[{"delta":{"content":"more"}}]}');
      await expectFailure(alias, chunk('Hi', 'stop'), 'provider_bad_answer');
    });

    it.each([
      ['as data', 'data: {"error":{"message":"broken KEY","type":"server_error","code":null}}\n\n'],
      ['as an event', 'event: error\ndata: {"message":"broken KEY"}\n\n'],
      ['as a flat body', 'data: {"object":"error","message":"broken KEY","code":500}\n\n'],
    ])('hands on an error that comes %s, without the key, and counts one', async (_name, event) => {
      const key = 'key-abcdefgh-12345678';
      const { id, alias } = await model({ api_key: key });
      sends(chunk('Hel'), event.replace('KEY', key), chunk('never'), DONE);
      const error = await expectFailure(alias, chunk('Hel'), 'provider_error');
      expect(error['message']).toBe(`${String(alias)}: broken [redacted]`);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'server', calls: 1 }]);
      expect((await readModel(hub, id))['last_error']).not.toContain(key);
    });

    it('keeps the meaning of the error', async () => {
      const { alias } = await model();
      sends(chunk('Hel'), 'data: {"error":{"message":"too long","code":"context_length_exceeded"}}\n\n');
      await expectFailure(alias, chunk('Hel'), 'context_length_exceeded');
    });

    it('is cut off at an event larger than a megabyte', async () => {
      const { alias } = await model();
      sends(chunk('Hel'), `data: {"choices":[{"delta":{"content":"${'x'.repeat(MEGABYTE + 1)}"}}]}\n\n`, DONE);
      await expectFailure(alias, chunk('Hel'), 'provider_bad_answer');
    });

    it.each([
      ['an error', `: ping\n\n`, `data: {"error":{"message":"no","code":"context_length_exceeded"}}\n\n`, 400],
      ['a broken event', '', 'data: {"choices":[', 502],
      ['nothing', '', '', 502],
    ])('has a status of its own when the stream begins with %s', async (_name, comment, event, status) => {
      const { id, alias } = await model();
      sends(event);
      const answer = await stream(alias);
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(answer.error).toMatchObject({ code: expect.any(String), type: expect.any(String) });
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ calls: 1 }]);
      // Once something was sent, it is too late for a status.
      sends(comment || chunk('Hi'), event);
      expect((await stream(alias)).status).toBe(200);
    });

    it('has a status of its own when the answer is JSON instead of a stream', async () => {
      const { alias } = await model();
      provider.answerWith((_call, response) =>
        sendJson(response, 200, { error: { message: 'no', code: 'insufficient_quota' } }),
      );
      const refused = await stream(alias);
      expect([refused.status, refused.error['code']]).toEqual([429, 'insufficient_quota']);
      provider.answerWith((_call, response) => sendJson(response, 200, { choices: [] }));
      const odd = await stream(alias);
      expect([odd.status, odd.error['code']]).toEqual([502, 'provider_bad_answer']);
    });
  });

  describe('and time', () => {
    const withinTolerance = (milliseconds: number): void => {
      expect(milliseconds).toBeGreaterThan(950);
      expect(milliseconds).toBeLessThan(1300);
    };

    it('is 504 when the first event does not come within request_timeout, though its head did', async () => {
      const { id, alias } = await model({ request_timeout: 1 });
      provider.answerWith((_call, response) => startEvents(response));
      const startedAt = performance.now();
      const answer = await stream(alias);
      withinTolerance(performance.now() - startedAt);
      expect([answer.status, answer.error['code']]).toEqual([504, 'provider_timeout']);
      await provider.calls[0]?.closed;
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'timeout', calls: 1 }]);
    });

    it('may take longer as a whole, as long as something comes within request_timeout', async () => {
      const { alias } = await model({ request_timeout: 1 });
      provider.answerWith(async (_call, response) => {
        startEvents(response);
        for (const word of ['a', 'b', 'c']) {
          await sleep(500);
          response.write(chunk(word));
        }
        response.end(chunk('', 'stop') + DONE);
      });
      expect((await stream(alias)).text).toMatch(/\[DONE\]\n\n$/);
    });

    it('ends with an error when nothing comes between two events for that long', async () => {
      const { alias } = await model({ request_timeout: 1 });
      provider.answerWith((_call, response) => {
        startEvents(response);
        response.write(chunk('Hel'));
      });
      const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
      const { text } = await open.done;
      const [first, last] = open.pieces;
      withinTolerance((last?.at ?? 0) - (first?.at ?? 0));
      expect(text).not.toContain('[DONE]');
      expect(errorIn(text)).toMatchObject({ code: 'provider_timeout', type: 'server_error' });
      await provider.calls[0]?.closed;
    });
  });

  it('ends at the provider within a second when the caller leaves, and is counted once', async () => {
    const { id, alias } = await model();
    provider.answerWith(async (_call, response) => {
      startEvents(response);
      while (!response.destroyed) {
        response.write(chunk('12345678'));
        await sleep(20);
      }
    });
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await until(open.text, (text) => text.length > 0);
    const leftAt = performance.now();
    open.leave();
    await provider.calls[0]?.closed;
    expect(performance.now() - leftAt).toBeLessThan(1000);
    await usageAfter(hub, id, 1);
    // Two more sendings of the buffer: a second record would be among them.
    await sleep(2100);
    const [row, ...others] = await usageOf(hub, id);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ outcome: 'client_gone', calls: 1, estimated: 1, input: 1 });
    expect(row?.output).toBeGreaterThanOrEqual(2);
    expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0 });
  });

  it('holds the provider back while the caller does not read, and loses nothing', async () => {
    const { alias } = await model();
    const event = chunk('x'.repeat(64 * 1024));
    const events = Math.ceil((50 * MEGABYTE) / event.length);
    let sent = 0;
    provider.answerWith(async (_call, response) => {
      startEvents(response);
      for (let index = 0; index < events; index += 1) {
        const hasRoom = response.write(event);
        sent += event.length;
        if (!hasRoom) await once(response, 'drain');
      }
      response.end(chunk('', 'stop') + DONE);
    });
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await open.head;
    open.pause();
    // Until the provider's socket has stopped draining: what fits between the two ends is full.
    let before = -1;
    while (before !== sent) {
      before = sent;
      await sleep(300);
    }
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(25 * MEGABYTE);
    open.resume();
    const { bytes } = await open.done;
    expect(bytes.length).toBe(events * event.length + (chunk('', 'stop') + DONE).length);
  });

  it('is given up when the caller does not read for request_timeout, and that is no failure of the model', async () => {
    const { id, alias } = await model({ request_timeout: 1 });
    const event = chunk('x'.repeat(64 * 1024));
    provider.answerWith(async (_call, response) => {
      startEvents(response);
      while (!response.destroyed) {
        const hasRoom = response.write(event);
        await (hasRoom ? sleep(1) : Promise.race([once(response, 'drain'), once(response, 'close')]));
      }
    });
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await open.head;
    open.pause();
    await until(
      () => provider.calls[0],
      (received) => received !== undefined,
    );
    await provider.calls[0]?.closed;
    const rows = await usageAfter(hub, id, 1);
    expect(rows).toMatchObject([{ outcome: 'client_gone', calls: 1, estimated: 1, input: 1 }]);
    expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0, last_error: null });
    // Not done, whatever of it the caller reads later.
    open.resume();
    await open.done.catch(() => undefined);
    expect(open.text()).not.toContain('[DONE]');
  });
});
