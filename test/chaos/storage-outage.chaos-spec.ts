// A storage service that is away, slow, frozen or half there, as processes: what callers of models notice of it is nothing.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StorageServiceClient } from '../../src/ai-model/storage-client/storage-service.client.js';
import { MANAGEMENT_PATH, STATUS_PATH } from '../../src/contract/paths.js';
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
const OUTAGE_MILLISECONDS = rounds(60_000, 1_800_000);
const FAULT_MILLISECONDS = rounds(15_000, 120_000);
const RECOVERY_MILLISECONDS = 5000;
/** Those who want something of storage meanwhile. */
const MANAGERS = 30;
const MANAGER_PAUSE_MILLISECONDS = 1000;
/** All that callers may have under way at storage. */
const PLACES = 7;

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
  /** The same at the same moment with a storage service that is well: what it is slowed down by is the machine. */
  let control: HubProcess;
  let controlStorage: HubProcess;
  let model: Json;
  /** Calls of the model that were answered. */
  let made = 0;

  const common = (role: string, name = role): Record<string, string> => ({
    PORT: '0',
    SERVICE_ROLE: role,
    DATA_DIR: join(directory, name),
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
  const askKnown = async (asked = hub): Promise<Seen> => {
    const seen = await ask(asked, aChat(model['alias']));
    if (seen.status === 200) made += 1;
    return seen;
  };
  const askUnknown = (): Promise<Seen> => ask(hub, aChat('nobody-knows'));
  const read = async (path: string, asked = hub): Promise<Json> =>
    (await (await fetch(asked.url + path, authorized)).json()) as Json;
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
  /** Calls of both, until told to stop. */
  const startBoth = (): (() => Promise<{ during: Seen[]; beside: Seen[] }>) => {
    const stopOne = startLoad(CALLS_PER_SECOND, () => askKnown());
    const stopOther = startLoad(CALLS_PER_SECOND, () => askKnown(control));
    return async () => {
      const [during, beside] = await Promise.all([stopOne(), stopOther()]);
      return { during, beside };
    };
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
    for (const asked of [hub, control]) {
      await until(
        async () => (await read(`/${STATUS_PATH}/metrics`, asked))['unsent_calls'],
        (calls) => calls === 0,
        60_000,
      );
    }
    expect(callsIn(await usageOf({ database }, model['id']))).toBe(made);
    expect(spooled()).toEqual([]);
  };

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    const settings = { DATABASE_URL: database.url, ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: adminToken };
    storage = await startHubProcess({ ...common('storage'), ...settings });
    proxy = await startFaultProxy(storage.url);
    controlStorage = await startHubProcess({ ...common('storage', 'control-storage'), ...settings });
    hub = await startHubProcess({ ...common('ai-model'), STORAGE_SERVICE_URL: proxy.url });
    control = await startHubProcess({ ...common('ai-model', 'control'), STORAGE_SERVICE_URL: controlStorage.url });
    model = await save();
    for (const asked of [hub, control]) {
      await until(
        async () => (await askKnown(asked)).status,
        (status) => status === 200,
        10_000,
      );
    }
  });
  afterAll(async () => {
    await Promise.all([hub, control, storage, controlStorage].map((one) => one.stop()));
    await Promise.all([proxy.close(), provider.close()]);
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  it(`that is down for ${OUTAGE_MILLISECONDS / 1000} s costs no call, and no count of one`, async () => {
    proxy.set({ line: 'down' });
    // The first one may wait to be told that there is no telling.
    await askUnknown();
    const [stopBoth, stopUnknown] = [startBoth(), startLoad(2, askUnknown)];
    await sleep(OUTAGE_MILLISECONDS);
    const files = spooled().length;
    const [{ during, beside }, refused] = [await stopBoth(), await stopUnknown()];

    proxy.set({ line: 'open' });
    const openedAt = performance.now();
    await untilCurrent();
    const backAfter = Math.round(performance.now() - openedAt);
    await expectUsageExact();
    const countedAfter = Math.round(performance.now() - openedAt);
    console.log(
      `down: ${during.length} calls, ${100 * servedOf(during)} % served, p99 ${p99(during)} ms, ${p99(beside)} ms beside it; ` +
        `unknown alias: ${refused.length} times, p99 ${p99(refused)} ms; ${files} files of usage; ` +
        `fresh configuration after ${backAfter} ms, all ${made} calls counted after ${countedAfter} ms`,
    );
    expect(files).toBeGreaterThan(0);
    expect(servedOf(during)).toBeGreaterThanOrEqual(0.999);
    expect(p99(during)).toBeLessThanOrEqual(p99(beside) + 5);
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
    begin();
    const stopBoth = startBoth();
    const over = new AbortController();
    const answers = new Set<string>();
    let [wasOpen, most, wanted] = [false, 0, 0];
    const manage = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const url = `${hub.url}/${MANAGEMENT_PATH}/remove/${randomUUID()}`;
        wanted += 1;
        const answer = await fetch(url, { ...authorized, method: 'DELETE' });
        const { error } = (await answer.json()) as { error?: Json };
        answers.add(`${answer.status} ${String(error?.['code'])}`);
        await sleep(MANAGER_PAUSE_MILLISECONDS);
      }
    };
    const managers = Array.from({ length: MANAGERS }, manage);
    const counting = setInterval(() => (most = Math.max(most, proxy.connections())), 20);
    const stopAt = performance.now() + FAULT_MILLISECONDS;
    while (performance.now() < stopAt) {
      wasOpen ||= (await breaker()) === 'open';
      await sleep(100);
    }
    const { during, beside } = await stopBoth();
    clearInterval(counting);
    end();
    const endedAt = performance.now();
    over.abort();
    await until(breaker, (state) => state === 'closed', 20_000);
    await untilCurrent();
    const backAfter = Math.round(performance.now() - endedAt);
    await Promise.all(managers);
    await expectUsageExact();
    console.log(
      `storage ${name}: ${during.length} calls, ${100 * servedOf(during)} % served, p99 ${p99(during)} ms, ${p99(beside)} ms beside it; ` +
        `${wanted} requests wanted storage, ${most} connections at most; breaker ${wasOpen ? 'opened' : 'stayed closed'}; back after ${backAfter} ms`,
    );
    expect(servedOf(during)).toBe(1);
    expect(p99(during)).toBeLessThanOrEqual(p99(beside) + 10);
    // Ten, and the watch; and as many as may be, or nobody would have been held back.
    expect(most).toBeLessThanOrEqual(11);
    expect(most).toBeGreaterThanOrEqual(PLACES);
    // Storage itself says that there is no such config; another 404 would never have got there.
    for (const answer of answers) expect(['404 config_not_found', '503 storage_unavailable']).toContain(answer);
    expect(answers).toContain('503 storage_unavailable');
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
    let skip = 0;
    /** Answers how many requests were seen for so many that were wanted, none under way before or after. */
    const want = async (count: number): Promise<number> => {
      const before = scripted.countOf(LIST);
      const asked: Promise<unknown>[] = [];
      for (let nth = 0; nth < count; nth += 1) {
        skip += 1;
        asked.push(client.getAllModels({ skip }, me).catch(() => null));
        await sleep(1000 / CALLS_PER_SECOND);
      }
      await Promise.all(asked);
      return scripted.countOf(LIST) - before;
    };
    await want(200);
    // Whole tenths, or a part of a retry that was saved before would show as more than a tenth.
    const wanted = isLong ? 3000 : 200;
    const others = scripted.requests.length - scripted.countOf(LIST);
    const ratio = (await want(wanted)) / wanted;
    const byItself = scripted.requests.length - scripted.countOf(LIST) - others;
    console.log(`fails one of ${share}: sees ${ratio} requests for each one that was wanted, and ${byItself} others`);
    expect(ratio).toBeLessThanOrEqual(1.1);
    await caller.stop();
    await scripted.close();
  });
});
