// A storage service that is away, slow, frozen or half there, as processes: what callers of models notice of it is nothing.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StorageServiceClient } from '../../src/ai-model/storage-client/storage-service.client.js';
import { aModelConfig } from '../factories/model-config.js';
import { aChat, call, callsIn, until, usageOf, type Json } from '../support/calls.js';
import { isLong, percentile, rounds } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { sendJson, startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { startCaller, startScriptedStorage } from '../support/scripted-storage.js';

const CALLS_PER_SECOND = 50;
const BASELINE_MILLISECONDS = 8000;
const OUTAGE_MILLISECONDS = rounds(60_000, 1_800_000);
const FAULT_MILLISECONDS = rounds(8000, 120_000);
const RECOVERY_MILLISECONDS = 5000;
/** Those who want something of storage meanwhile. */
const MANAGERS = 12;

interface Seen {
  status: number;
  code: unknown;
  retryAfter: unknown;
  milliseconds: number;
}

const BROKEN: Seen = { status: 0, code: 'connection broke', retryAfter: undefined, milliseconds: Infinity };

const adminToken = `admin-${randomBytes(24).toString('hex')}`;
const serviceToken = `service-${randomBytes(24).toString('hex')}`;
const authorized = { headers: { authorization: `Bearer ${adminToken}` } };

const ask = async (hub: HubProcess, body: Json): Promise<Seen> => {
  const startedAt = performance.now();
  const { status, error, headers } = await call({ url: hub.url, adminToken }, body);
  const milliseconds = performance.now() - startedAt;
  return { status, code: error['code'], retryAfter: headers['retry-after'], milliseconds };
};

/** So many a second, whether or not the last ones were answered; stops when told, and answers what all of them saw. */
const startLoad = (perSecond: number, askOnce: () => Promise<Seen>): (() => Promise<Seen[]>) => {
  const asked: Promise<Seen>[] = [];
  const timer = setInterval(() => asked.push(askOnce().catch(() => BROKEN)), 1000 / perSecond);
  return () => {
    clearInterval(timer);
    return Promise.all(asked);
  };
};

const rounded = (value: number): number => Math.round(value * 100) / 100;
const p99 = (seen: readonly Seen[]): number =>
  rounded(
    percentile(
      seen.map(({ milliseconds }) => milliseconds),
      0.99,
    ),
  );
const servedOf = (seen: readonly Seen[]): number => seen.filter(({ status }) => status === 200).length / seen.length;

describe('a storage service in trouble', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-chaos-outage-'));
  let database: TestDatabase;
  let provider: FakeProvider;
  let storage: HubProcess;
  let proxy: FaultProxy;
  let hub: HubProcess;
  let model: Json;
  /** Calls of the model that were answered. */
  let made = 0;

  const common = (role: string): Record<string, string> => ({
    PORT: '0',
    SERVICE_ROLE: role,
    DATA_DIR: join(directory, role),
    STORAGE_SERVICE_TOKEN: serviceToken,
    ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
  });
  const save = async (): Promise<Json> => {
    const answer = await fetch(storage.url + CONFIGS, {
      method: 'POST',
      headers: { ...authorized.headers, 'content-type': 'application/json' },
      body: JSON.stringify(aModelConfig({ api_base: provider.url, max_retries: 0 })),
    });
    expect(answer.status).toBe(201);
    return (await answer.json()) as Json;
  };
  const askKnown = async (): Promise<Seen> => {
    const seen = await ask(hub, aChat(model['alias']));
    if (seen.status === 200) made += 1;
    return seen;
  };
  const askUnknown = (): Promise<Seen> => ask(hub, aChat('nobody-knows'));
  const read = async (path: string): Promise<Json> => (await (await fetch(hub.url + path, authorized)).json()) as Json;
  const breaker = async (): Promise<unknown> => {
    const { dependencies } = (await read('/health/ready')) as { dependencies: Record<string, Json> };
    return dependencies['storage_service']?.['breaker'];
  };
  const spooled = (): string[] => {
    try {
      return readdirSync(join(directory, 'ai-model', 'usage-spool'));
    } catch {
      return [];
    }
  };
  const baseline = async (): Promise<Seen[]> => {
    const stop = startLoad(CALLS_PER_SECOND, askKnown);
    await sleep(BASELINE_MILLISECONDS);
    return stop();
  };
  /** Until what was configured meanwhile can be called. */
  const untilCurrent = async (): Promise<void> => {
    const fresh = await save();
    await until(
      async () => (await ask(hub, aChat(fresh['alias']))).status,
      (status) => status === 200,
      20_000,
    );
  };
  const expectUsageExact = async (): Promise<void> => {
    await until(
      async () => (await read('/api/v1/models/metrics'))['unsent_calls'],
      (calls) => calls === 0,
      60_000,
    );
    expect(callsIn(await usageOf({ database }, model['id']))).toBe(made);
    expect(spooled()).toEqual([]);
  };

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    const settings = { DATABASE_URL: database.url, ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: adminToken };
    storage = await startHubProcess({ ...common('storage'), ...settings });
    proxy = await startFaultProxy(storage.url);
    hub = await startHubProcess({ ...common('ai-model'), STORAGE_SERVICE_URL: proxy.url });
    model = await save();
    await until(
      async () => (await askKnown()).status,
      (status) => status === 200,
      10_000,
    );
  });
  afterAll(async () => {
    await Promise.all([hub.stop(), storage.stop()]);
    await Promise.all([proxy.close(), provider.close()]);
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  it(`that is down for ${OUTAGE_MILLISECONDS / 1000} s costs no call, and no count of one`, async () => {
    const before = await baseline();
    proxy.set({ line: 'down' });
    // The first one may wait to be told that there is no telling.
    await askUnknown();
    const [stopKnown, stopUnknown] = [startLoad(CALLS_PER_SECOND, askKnown), startLoad(2, askUnknown)];
    await sleep(OUTAGE_MILLISECONDS);
    const files = spooled().length;
    const [during, refused] = [await stopKnown(), await stopUnknown()];

    proxy.set({ line: 'open' });
    const openedAt = performance.now();
    await untilCurrent();
    const backAfter = Math.round(performance.now() - openedAt);
    await expectUsageExact();
    const countedAfter = Math.round(performance.now() - openedAt);
    console.log(
      `down: ${during.length} calls, ${100 * servedOf(during)} % served, p99 ${p99(before)} ms before, ${p99(during)} ms during; ` +
        `unknown alias: ${refused.length} times, p99 ${p99(refused)} ms; ${files} files of usage; ` +
        `fresh configuration after ${backAfter} ms, all ${made} calls counted after ${countedAfter} ms`,
    );
    expect(files).toBeGreaterThan(0);
    expect(servedOf(during)).toBeGreaterThanOrEqual(0.999);
    expect(p99(during)).toBeLessThanOrEqual(p99(before) + 5);
    const answers = new Set(refused.map(({ status, code }) => `${status} ${String(code)}`));
    expect([...answers]).toEqual(['503 model_directory_unavailable']);
    expect(refused.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true);
    expect(p99(refused)).toBeLessThanOrEqual(100);
    expect(backAfter).toBeLessThanOrEqual(RECOVERY_MILLISECONDS);
  });

  const faults: { name: string; begin: () => void; end: () => void; opens: boolean }[] = [
    {
      name: 'takes 5 s for everything',
      begin: () => proxy.set({ latencyMs: 2500 }),
      end: () => proxy.set({ latencyMs: 0 }),
      opens: true,
    },
    {
      name: 'drips 1 KB/s',
      begin: () => proxy.set({ bytesPerSecond: 1024 }),
      end: () => proxy.set({ bytesPerSecond: 0 }),
      // Small answers get through.
      opens: false,
    },
    {
      name: 'is half open',
      begin: () => proxy.set({ line: 'silent' }),
      end: () => proxy.set({ line: 'open' }),
      opens: true,
    },
    {
      name: 'is frozen',
      begin: () => void storage.child.kill('SIGSTOP'),
      end: () => void storage.child.kill('SIGCONT'),
      opens: true,
    },
  ];

  it.each(faults)('that $name is asked by ten at most, and slows no call down', async ({ name, begin, end, opens }) => {
    const before = await baseline();
    begin();
    const stopKnown = startLoad(CALLS_PER_SECOND, askKnown);
    let [isOver, wasOpen, most, wanted] = [false, false, 0, 0];
    const manage = async (): Promise<void> => {
      while (!isOver) {
        const path = `/api/v1/models/management/${randomUUID()}`;
        wanted += 1;
        const { status } = await fetch(hub.url + path, { ...authorized, method: 'DELETE' });
        expect([404, 503]).toContain(status);
        await sleep(50);
      }
    };
    const managers = Array.from({ length: MANAGERS }, manage);
    const counting = setInterval(() => (most = Math.max(most, proxy.connections())), 20);
    const stopAt = performance.now() + FAULT_MILLISECONDS;
    while (performance.now() < stopAt) {
      wasOpen ||= (await breaker()) === 'open';
      await sleep(100);
    }
    const during = await stopKnown();
    clearInterval(counting);
    end();
    const endedAt = performance.now();
    isOver = true;
    await until(breaker, (state) => state === 'closed', 20_000);
    await untilCurrent();
    const backAfter = Math.round(performance.now() - endedAt);
    await Promise.all(managers);
    await expectUsageExact();
    console.log(
      `storage ${name}: ${during.length} calls, ${100 * servedOf(during)} % served, p99 ${p99(before)} ms before, ${p99(during)} ms during; ` +
        `${wanted} requests wanted storage, ${most} connections at most; breaker ${wasOpen ? 'opened' : 'stayed closed'}; back after ${backAfter} ms`,
    );
    expect(servedOf(during)).toBe(1);
    expect(p99(during)).toBeLessThanOrEqual(p99(before) + 10);
    // Ten, and the watch.
    expect(most).toBeLessThanOrEqual(11);
    if (opens) expect(wasOpen).toBe(true);
    expect(backAfter).toBeLessThanOrEqual(RECOVERY_MILLISECONDS);
  });

  it.each([5, 3, 2, 1])('that fails one request of %d sees at most a tenth more of them', async (share) => {
    const scripted = await startScriptedStorage();
    const caller = await startCaller({ adminToken, serviceToken, database }, scripted.url);
    const client = caller.application.nest.get(StorageServiceClient, { strict: false });
    const LIST = 'GET /api/v1/ai-models/configs';
    scripted.on(LIST, (response, nth) =>
      nth % share === 0
        ? void response.writeHead(503).end()
        : sendJson(response, 200, { models: [], total: 0, skip: 0, limit: 1 }),
    );
    const me = { authorization: `Bearer ${adminToken}`, requestId: 'chaos' };
    let wanted = 0;
    const pace = setInterval(() => {
      wanted += 1;
      client.getAllModels({ skip: wanted }, me).catch(() => undefined);
    }, 1000 / CALLS_PER_SECOND);
    await sleep(4000);
    const [seenBefore, wantedBefore] = [scripted.countOf(LIST), wanted];
    await sleep(isLong ? 60_000 : 4000);
    const ratio = (scripted.countOf(LIST) - seenBefore) / (wanted - wantedBefore);
    clearInterval(pace);
    console.log(`fails one of ${share}: sees ${rounded(ratio)} requests for each one that was wanted`);
    expect(ratio).toBeLessThanOrEqual(1.1);
    await caller.stop();
    await scripted.close();
  });
});
