// Two hubs that share a real Redis: what they share through it, and that nothing of it is missed when it is away.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HealthRegistry } from '../src/platform/health/health-registry.js';
import { redisAddressOf } from '../src/platform/redis/redis-address.js';
import { RedisConnection } from '../src/platform/redis/redis-connection.js';
import { Secret } from '../src/platform/secrets/secret.js';
import { aChat, call, elapsed, saveModel, until, type Json } from './support/calls.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { describeWithRedis, startRedisServer, type RedisServer } from './support/redis-server.js';
import { freePort } from "./support/sockets.js";

const PASSWORD = 'pass-of-redis/9%';

const redisState = async (hub: TestHub): Promise<Json> => {
  const { body } = await hub.request('get', '/health/ready', null);
  return (body as { dependencies: Record<string, Json> }).dependencies['redis'] ?? {};
};
const untilUp = (hub: TestHub): Promise<Json> =>
  until(
    () => redisState(hub),
    ({ status }) => status === 'up',
    10_000,
  );

describeWithRedis('two hubs with one Redis', () => {
  let redis: RedisServer;
  let provider: FakeProvider;
  let first: TestHub;
  let second: TestHub;
  beforeAll(async () => {
    redis = await startRedisServer([], PASSWORD);
    provider = await startFakeProvider();
    const env = { ENCRYPTION_KEYS: randomKeyRing(), REDIS_URL: redis.url };
    first = await startHub({ env });
    const tokens = { ADMIN_TOKEN: first.adminToken, STORAGE_SERVICE_TOKEN: first.serviceToken };
    second = await startHub({ env: { ...env, ...tokens }, database: first.database });
    await Promise.all([untilUp(first), untilUp(second)]);
  });
  afterAll(async () => {
    await second.stop();
    await first.close();
    await provider.close();
    await redis.close();
  });

  const limited = async (limit: number): Promise<Json> => {
    const model = await saveModel(first, { api_base: provider.url, rate_limit_per_minute: limit });
    await until(
      async () => (await second.request('get', `/v1/models/${String(model['alias'])}`)).status,
      (status) => status === 200,
    );
    return model;
  };
  const callTimes = async (hub: TestHub, alias: unknown, times: number): Promise<number[]> => {
    const answers = await Promise.all(Array.from({ length: times }, () => call(hub, aChat(alias))));
    return answers.map(({ status }) => status);
  };
  const countOf = (statuses: number[], status: number): number => statuses.filter((other) => other === status).length;

  it('let through together what one of them would', async () => {
    const { id, alias } = await limited(10);
    const statuses = [...(await callTimes(first, alias, 8)), ...(await callTimes(second, alias, 8))];
    expect([countOf(statuses, 200), countOf(statuses, 429)]).toEqual([10, 6]);
    const refused = await call(second, aChat(alias));
    expect(refused.error['code']).toBe('rate_limit_exceeded');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(40);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    const life = await redis.client.pttl(`hub:rate:${String(id)}`);
    expect(life).toBeGreaterThan(40_000);
    expect(life).toBeLessThanOrEqual(61_000);
  });
});
