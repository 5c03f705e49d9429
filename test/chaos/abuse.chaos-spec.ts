// Callers who take as long as they can: with the head of a request, with reading an answer.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aChat, CHAT, until } from '../support/calls.js';
import { percentile, rounds } from '../support/chaos.js';
import { chunk, politeScript, startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { InspectedProcess } from '../support/inspected-process.js';
import { watchLatency } from '../support/load.js';
import { startRemoteHub, type RemoteHub } from '../support/remote-hub.js';

const HEAD = 'GET / HTTP/1.1\r\nx: ';
const SLOW_CALLERS = rounds(300, 3000);
const READERS = 100;
const LATEST_SECONDS = 50;
const LIVE_MILLISECONDS = 250;
const MEGABYTES = READERS / 2;
const RESIDENT_MEGABYTES = 200;
const SETTLED_MILLISECONDS = 3000;

let inspected: InspectedProcess;
let hub: RemoteHub;
let provider: FakeProvider;
let alias: string;
beforeAll(async () => {
  provider = await startFakeProvider();
  hub = await startRemoteHub({}, async (env) => {
    inspected = await InspectedProcess.start(env);
    return inspected.hub;
  });
  alias = String((await hub.save({ api_base: provider.url, request_timeout: 25 }))['alias']);
  await until(
    async () => (await hub.ask('POST', CHAT, aChat(alias))).status,
    (status) => status === 200,
  );
});
afterAll(async () => {
  // A process waits at its end for whoever looks into it.
  await inspected.stop();
  await hub.close();
  await provider.close();
});

const open = (): Socket => {
  const { hostname, port } = new URL(hub.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  return socket;
};

describe('callers who send their head a byte a second, or nothing at all', () => {
  it('are all cut after half a minute, and keep nobody else waiting', async () => {
    const startedAt = performance.now();
    const watch = await watchLatency(`${hub.url}/health/live`);
    const sockets = Array.from({ length: SLOW_CALLERS }, open);
    let cut = 0;
    let sent = 0;
    for (const socket of sockets) socket.resume().once('close', () => (cut += 1));
    const dripping = setInterval(() => {
      // Every other one says nothing, ever.
      for (const [index, socket] of sockets.entries())
        if (index % 2 === 0 && socket.writable) socket.write(HEAD.charAt(sent) || 'x');
      sent += 1;
    }, 1000);
    await sleep(5000);
    expect((await hub.ask('POST', CHAT, aChat(alias))).status).toBe(200);
    const areOpen = (): boolean => cut < SLOW_CALLERS;
    while (areOpen() && performance.now() - startedAt < LATEST_SECONDS * 1000) await sleep(100);
    clearInterval(dripping);
    const seconds = (performance.now() - startedAt) / 1000;
    const { latencies, failures } = await watch.stop();
    const live = percentile(latencies, 0.99);
    console.log(
      `abuse: ${cut} of ${SLOW_CALLERS} slow heads cut in ${seconds.toFixed(1)} s, live p99 ${Math.round(live)} ms`,
    );
    expect(cut).toBe(SLOW_CALLERS);
    expect(seconds).toBeLessThan(LATEST_SECONDS);
    expect(failures).toBe(0);
    expect(live).toBeLessThan(4 * LIVE_MILLISECONDS);
  });
});

describe('a hundred callers who read nothing of an endless answer', () => {
  it('hold half a megabyte each at the most, and are cut after request_timeout', async () => {
    const event = chunk('x'.repeat(16 * 1024));
    let streams = 0;
    let begun = 0;
    provider.answerWith(async (call, response) => {
      if (call.body['stream'] !== true) return politeScript(call, response);
      streams += 1;
      begun += 1;
      response.once('close', () => (streams -= 1));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (!response.destroyed) {
        if (!response.write(event)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    });
    const before = await inspected.holdings();
    const body = JSON.stringify(aChat(alias, { stream: true }));
    const sockets = Array.from({ length: READERS }, () => {
      const socket = open();
      socket.pause();
      socket.write(
        `POST ${CHAT} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${hub.adminToken}\r\n` +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    await until(
      () => begun,
      (count) => count === READERS,
      24_000,
    );
    // By now all that fits between the two ends is full, and what went through is garbage.
    await sleep(SETTLED_MILLISECONDS);
    const during = await inspected.holdings();
    const grown = during.heap + during.buffers - before.heap - before.buffers;
    console.log(
      `abuse: ${READERS} readers that do not read hold ${grown.toFixed(1)} MB; ` +
        `${Math.round(during.resident - before.resident)} MB more are resident, with what was garbage`,
    );
    expect(streams).toBe(READERS);
    // The provider's connection is let go when the caller is given up.
    await until(
      () => streams,
      (count) => count === 0,
      60_000,
    );
    for (const socket of sockets) socket.destroy();
    expect(grown).toBeLessThan(MEGABYTES);
    expect(during.resident - before.resident).toBeLessThan(RESIDENT_MEGABYTES);
    expect((await hub.ask('POST', CHAT, aChat(alias))).status).toBe(200);
  });
});
