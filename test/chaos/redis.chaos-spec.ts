// Several processes and a Redis that is killed, frozen, and comes and goes: what they share holds, and what they lose with
// it costs no call.
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { generateToken } from '../../src/platform/auth/token-text.js';
import { aModelConfig } from '../factories/model-config.js';
import { aChat, call, until, type Json } from '../support/calls.js';
import { percentile, randomFrom, rounds, seedOf } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { removeDataDirectory } from '../support/embedded-database.js';
import { startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { startFaultProxy, type FaultProxy, type Line } from '../support/fault-proxy.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';

const CALLS_PER_SECOND = 50;
/** What a timer of the test itself may be late: below it a factor says nothing. */
const NOISE_MILLISECONDS = 10;
const UNLIMITED = 1_000_000;
const MINUTE_MILLISECONDS = 60_000;

const adminToken = generateToken('admin').text;
const serviceToken = `service-${randomBytes(24).toString('hex')}`;

interface Call {
  at: number;
  status: number;
  milliseconds: number;
}

describeWithRedis('Redis', () => {
  const directories: string[] = [];
  const processes: HubProcess[] = [];
  let database: TestDatabase;
  let provider: FakeProvider;
  let redis: RedisServer;
  let proxy: FaultProxy;
  let storage: HubProcess;
  /** Its Redis is behind the proxy. */
  let shaken: HubProcess;
  /** The same without Redis, for comparison. */
  let plain: HubProcess;

  const start = async (env: Record<string, string>): Promise<HubProcess> => {
    const directory = mkdtempSync(join(tmpdir(), 'hub-chaos-redis-'));
    directories.push(directory);
    const settings = { PORT: '0', DATA_DIR: directory, STORAGE_SERVICE_TOKEN: serviceToken };
    const hub = await startHubProcess({ ...settings, ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*', ...env });
    processes.push(hub);
    return hub;
  };
  const startCaller = (redisUrl?: string): Promise<HubProcess> =>
    start({
      SERVICE_ROLE: 'ai-model',
      STORAGE_SERVICE_URL: storage.url,
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    });
  const redisStatus = async ({ url }: HubProcess): Promise<unknown> => {
    const body = (await (await fetch(`${url}/health/ready`)).json()) as { dependencies: Record<string, Json> };
    return body.dependencies['redis']?.['status'];
  };
  /** The longest trial is half a minute, and a new connection may be two seconds away. */
  const untilRedisIs = (status: string, hub: HubProcess): Promise<unknown> =>
    until(
      () => redisStatus(hub),
      (seen) => seen === status,
      40_000,
    );
  const saveModel = async (limit: number, callers: readonly HubProcess[]): Promise<string> => {
    const answer = await fetch(storage.url + CONFIGS, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(aModelConfig({ api_base: provider.url, max_retries: 0, rate_limit_per_minute: limit })),
    });
    expect(answer.status).toBe(201);
    const { alias } = (await answer.json()) as { alias: string };
    const isKnown = async ({ url }: HubProcess): Promise<boolean> =>
      (await fetch(`${url}/v1/models/${alias}`, { headers: { authorization: `Bearer ${adminToken}` } })).ok;
    for (const caller of callers) await until(() => isKnown(caller), Boolean, 10_000);
    return alias;
  };

  const timed = async ({ url }: HubProcess, alias: string): Promise<Call> => {
    const at = performance.now();
    const { status } = await call({ url, adminToken }, aChat(alias));
    return { at, status, milliseconds: performance.now() - at };
  };
  /** So many calls a second to each, whatever becomes of those before. */
  const load = async (hubs: readonly HubProcess[], alias: string, rate: number, seconds: number): Promise<Call[][]> => {
    const calls: Promise<Call>[][] = hubs.map(() => []);
    const begin = performance.now();
    for (let nth = 0; nth < rate * seconds; nth += 1) {
      await sleep(Math.max(0, begin + (nth * 1000) / rate - performance.now()));
      for (const [index, hub] of hubs.entries()) calls[index]?.push(timed(hub, alias));
    }
    return Promise.all(calls.map((list) => Promise.all(list)));
  };
  const p99Of = (calls: readonly Call[]): number =>
    percentile(
      calls.map(({ milliseconds }) => milliseconds),
      0.99,
    );

  /** Both under the same load, while something is done to the Redis of one. */
  const underLoad = async (story: string, seconds: number, disturb: () => Promise<void>): Promise<void> => {
    const alias = await saveModel(UNLIMITED, [plain, shaken]);
    const disturbing = disturb();
    const [without = [], withRedis = []] = await load([plain, shaken], alias, CALLS_PER_SECOND, seconds);
    await disturbing;
    const [base, p99] = [p99Of(without), p99Of(withRedis)];
    console.log(`${story}: ${withRedis.length} calls, p99 ${p99.toFixed(1)} ms, without Redis ${base.toFixed(1)} ms`);
    expect(withRedis.filter(({ status }) => status !== 200)).toEqual([]);
    expect(p99).toBeLessThanOrEqual(2 * Math.max(base, NOISE_MILLISECONDS));
  };

  beforeAll(async () => {
    [database, provider, redis] = await Promise.all([createTestDatabase(), startFakeProvider(), startRedisServer()]);
    proxy = await startFaultProxy(`http://127.0.0.1:${redis.port}`);
    const own = { ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: adminToken, DATABASE_URL: database.url };
    storage = await start({ SERVICE_ROLE: 'storage', ...own });
    [plain, shaken] = await Promise.all([startCaller(), startCaller(`redis://127.0.0.1:${proxy.port}`)]);
    await untilRedisIs('up', shaken);
  });
  afterAll(async () => {
    await Promise.all(processes.map((hub) => hub.stop()));
    await proxy.close();
    await redis.close();
    await provider.close();
    await database.drop();
    directories.forEach(removeDataDirectory);
  });

  it('killed and started again costs no call, and is shared again', async () => {
    await underLoad('killed', 8, async () => {
      await sleep(2000);
      await redis.kill();
      await untilRedisIs('degraded', shaken);
      await sleep(1500);
      await redis.start();
      await untilRedisIs('up', shaken);
    });
  });

  it('frozen costs no call, and is shared again once it is not', async () => {
    await underLoad('frozen', 12, async () => {
      await sleep(2000);
      redis.freeze();
      await untilRedisIs('degraded', shaken);
      await sleep(2000);
      redis.thaw();
      await untilRedisIs('up', shaken);
    });
  });

  it('that comes and goes costs no call', async () => {
    const seconds = rounds(20, 60);
    const random = randomFrom(seedOf('a flapping Redis'));
    const lines: Line[] = ['down', 'silent', 'deaf'];
    await underLoad('flapping', seconds, async () => {
      for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
        proxy.set({ line: lines[Math.floor(random() * lines.length)] ?? 'down' });
        await sleep(200 + random() * 1800);
        proxy.set({ line: 'open' });
        await sleep(200 + random() * 1800);
      }
    });
    await untilRedisIs('up', shaken);
  });

  it('lets 600 calls per minute of one model pass, whichever of four processes they come to', async () => {
    const callers = await Promise.all(Array.from({ length: 4 }, () => startCaller(redis.url)));
    for (const caller of callers) await untilRedisIs('up', caller);
    const alias = await saveModel(600, callers);
    const calls = (await load(callers, alias, 15, rounds(20, 130))).flat();
    // Whoever loses Redis on a machine that is too busy counts for himself: then the figures say nothing.
    expect(callers.filter((caller) => caller.output().includes('Redis cannot be used'))).toEqual([]);
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([200, 429]));
    const passed = calls.filter(({ status }) => status === 200).map(({ at }) => at);
    // The window moves by whole seconds.
    const from = (start: number): number =>
      passed.filter((at) => at >= start && at < start + MINUTE_MILLISECONDS - 1000).length;
    const first = from(Math.min(...passed));
    const most = Math.max(...passed.map(from));
    console.log(`shared limit: ${calls.length} calls, ${first} passed in the first minute, ${most} at most in any`);
    expect(first).toBeGreaterThanOrEqual(590);
    expect(most).toBeLessThanOrEqual(610);
  });
});
