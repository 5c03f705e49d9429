import { getActiveResourcesInfo } from 'node:process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aChat, callsIn, openCall, saveModel, until, usageOf, type Json } from './support/calls.js';
import { chunk, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

const BATCHES = 10;
const BATCH = 50;
const MEGABYTE = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const sockets = (): number => getActiveResourcesInfo().filter((name) => /^TCP(?:Socket)?Wrap$/.test(name)).length;

/** Collected twice: what the first round finalizes is free for the second. */
const heapInUse = async (): Promise<number> => {
  for (let round = 0; round < 2; round += 1) {
    collectGarbage();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed;
};

describe('callers who leave in the middle of a stream', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let model: Json;
  beforeAll(async () => {
    hub = await startHub({ env: { LOG_LEVEL: 'error' } });
    // Speaks for as long as somebody is there; only the hub can end it.
    provider = await startFakeProvider(async (_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (!response.destroyed) {
        response.write(chunk('some more words of an answer that nobody will read'));
        await sleep(20 + Math.random() * 40);
      }
    });
    model = await saveModel(hub, { api_base: provider.url });
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  /** Leaves after a while; answers how long after that the provider's connection was gone, in milliseconds. */
  const abandon = async (): Promise<number> => {
    const user = randomUUID();
    const open = openCall(hub.url, hub.adminToken, aChat(model['alias'], { stream: true, user }));
    await open.head;
    await sleep(Math.random() * 200);
    const received = provider.calls.find((call) => call.body['user'] === user);
    const leftAt = performance.now();
    open.leave();
    await received?.closed;
    return received ? performance.now() - leftAt : Infinity;
  };

  const batch = async (): Promise<number[]> => {
    provider.calls.length = 0;
    return Promise.all(Array.from({ length: BATCH }, abandon));
  };

  it('end five hundred streams at the provider, each within a second, and leave nothing behind', async () => {
    await batch();
    const before = { heap: await heapInUse(), sockets: sockets() };
    const lateness: number[] = [];
    for (let round = 1; round < BATCHES; round += 1) lateness.push(...(await batch()));
    expect(lateness).toHaveLength(BATCH * (BATCHES - 1));
    expect(Math.max(...lateness)).toBeLessThan(1000);
    provider.calls.length = 0;
    // Connections that are kept open for the next call may be there; those of the abandoned ones may not.
    await until(sockets, (count) => count <= before.sockets + 10, 10_000);
    expect((await heapInUse()) - before.heap).toBeLessThan(8 * MEGABYTE);
    const rows = await until(
      () => usageOf(hub, model['id']),
      (counted) => callsIn(counted) >= BATCH * BATCHES,
      10_000,
    );
    expect(rows).toMatchObject([{ outcome: 'client_gone', calls: BATCH * BATCHES }]);
    expect(rows).toHaveLength(1);
  });
});
