// Two hubs that share a real Redis: what they share through it, and that nothing of it is missed when it is away.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import type { Redis } from 'ioredis';
import { HealthRegistry } from '../src/platform/health/health-registry.js';
import { redisAddressOf } from '../src/platform/redis/redis-address.js';
import { RedisConnection } from '../src/platform/redis/redis-connection.js';
import { Secret } from '../src/platform/secrets/secret.js';
import { aChat, call, elapsed, saveModel, until, type Json } from './support/calls.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { randomFrom, seedOf } from './support/chaos.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { describeWithRedis, startRedisServer, type RedisServer } from './support/redis-server.js';
import { freePort } from './support/sockets.js';

const STATISTICS = '/api/v1/ai-models/statistics';
const RANGE = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z';
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
  /** Of the same database, without Redis. */
  let plain: TestHub;
  let shared: Record<string, string>;
  const ring = randomKeyRing();
  beforeAll(async () => {
    redis = await startRedisServer({ password: PASSWORD });
    provider = await startFakeProvider();
    first = await startHub({ env: { ENCRYPTION_KEYS: ring, REDIS_URL: redis.url } });
    const { adminToken, serviceToken } = first;
    shared = {
      ENCRYPTION_KEYS: ring,
      ADMIN_TOKEN: adminToken,
      STORAGE_SERVICE_TOKEN: serviceToken,
      REDIS_URL: redis.url,
    };
    const { database } = first;
    second = await startHub({ env: shared, database });
    plain = await startHub({ env: { ...shared, REDIS_URL: undefined }, database });
    await Promise.all([untilUp(first), untilUp(second)]);
  });
  afterAll(async () => {
    await Promise.all([second.stop(), plain.stop()]);
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
  const now = (): number => Math.floor(Date.now() / 1000);
  const sharedCount = async (id: unknown): Promise<number> =>
    (await redis.client.hvals(`hub:rate:${String(id)}`)).reduce((sum, count) => sum + Number(count), 0);
  const hits = async (): Promise<number> =>
    Number(/keyspace_hits:(\d+)/.exec(await redis.client.info('stats'))?.[1] ?? 0);
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

  it('count for themselves while it is away, and know what they have let through before', async () => {
    const { alias } = await limited(10);
    expect(await callTimes(first, alias, 6)).toEqual(Array(6).fill(200));
    expect(await callTimes(second, alias, 2)).toEqual(Array(2).fill(200));
    await redis.kill();
    await until(
      () => redisState(first),
      ({ status }) => status === 'degraded',
    );
    expect(countOf(await callTimes(first, alias, 10), 200)).toBe(4);
    expect(countOf(await callTimes(second, alias, 10), 200)).toBe(8);
    expect((await first.request('get', '/health/ready', null)).status).toBe(200);
    await redis.start();
    await Promise.all([untilUp(first), untilUp(second)]);
    // Redis has forgotten everything; the processes have not.
    expect(await callTimes(first, alias, 2)).toEqual([429, 429]);
    expect(await callTimes(second, alias, 2)).toEqual([429, 429]);
  });

  it('keep the limit when the window is overwritten with something else', async () => {
    const { id, alias } = await limited(2);
    const name = `hub:rate:${String(id)}`;
    const crowd = Array.from({ length: 500 }, (_, index) => [`x${index}`, '1']).flat();
    const poisons: (() => Promise<unknown>)[] = [
      () => redis.client.set(name, 'not a hash'),
      () => redis.client.rpush(name, 'a', 'b'),
      () =>
        redis.client.hset(name, 'soon', '1', '1e9', '5', '12', '-7', String(now()), 'many', String(now() - 70), '9'),
      () => redis.client.hset(name, ...crowd),
    ];
    for (const poison of poisons) {
      await redis.client.del(name);
      await poison();
      // The process's own count would stand in for the shared one, so each is asked only once.
      const { alias: fresh, id: freshId } = await limited(2);
      await redis.client.rename(name, `hub:rate:${String(freshId)}`);
      expect([...(await callTimes(first, fresh, 1)), ...(await callTimes(second, fresh, 1))]).toEqual([200, 200]);
      expect(await callTimes(first, fresh, 1)).toEqual([429]);
      expect(await sharedCount(freshId)).toBe(2);
    }
    expect(await callTimes(first, alias, 1)).toEqual([200]);
    expect((await redisState(first))['status']).toBe('up');
  });

  it('answer from the cache what they would answer without it, whoever wrote', async () => {
    const random = randomFrom(seedOf('cache equals no cache'));
    const pick = <Value>(list: readonly Value[]): Value => list[Math.floor(random() * list.length)] as Value;
    const { id, alias } = await saveModel(first, { alias: 'cached-1', priority: 5 });
    const questions = [
      `${CONFIGS}?limit=5&q=cached-`,
      `${CONFIGS}/by-alias/${String(alias)}`,
      `${STATISTICS}?group_by=model&${RANGE}`,
    ];
    const ask = async (hub: TestHub): Promise<string[]> =>
      Promise.all(questions.map(async (path) => (await hub.request('get', path).buffer()).text));
    const writes: ((hub: TestHub) => PromiseLike<{ status: number }>)[] = [
      (hub) => hub.request('put', `${CONFIGS}/${String(id)}`).send({ description: `text ${random()}` }),
      (hub) => hub.request('put', `${CONFIGS}/${String(id)}`).send({ priority: Math.floor(random() * 100) }),
      (hub) => hub.request('post', CONFIGS).send(aModelConfig({ alias: `cached-${random()}`, priority: 50 })),
      (hub) => hub.request('put', `${CONFIGS}/${String(id)}`).send({ is_enabled: random() < 0.5 }),
    ];
    const hitsBefore = await hits();
    for (let round = 0; round < 4; round += 1) {
      const [writer, other] = pick([[first, second] as const, [second, first] as const]);
      expect((await pick(writes)(writer)).status).toBeLessThan(300);
      const truth = await ask(plain);
      // The one who wrote sees it at once, the other one as soon as the change has come to him.
      expect(await ask(writer)).toEqual(truth);
      expect(await ask(writer)).toEqual(truth);
      await until(
        () => ask(other),
        (answers) => JSON.stringify(answers) === JSON.stringify(truth),
        5000,
      );
    }
    expect(await hits()).toBeGreaterThan(hitsBefore + 4);
  });

  it('serve nothing that somebody else has put into the cache', async () => {
    const path = `${CONFIGS}?limit=3`;
    const truth = (await first.request('get', path)).text;
    const names = await redis.client.keys('hub:answer:*');
    expect(names.length).toBeGreaterThan(0);
    const forged = Buffer.concat([Buffer.alloc(32), Buffer.from('{"models":[],"total":0}')]);
    const poisons: ((name: string) => Promise<unknown>)[] = [
      (name) => redis.client.set(name, forged),
      (name) => redis.client.set(name, ''),
      (name) => redis.client.set(name, 'x'.repeat(2_000_000)),
      async (name) => {
        await redis.client.del(name);
        await redis.client.rpush(name, forged);
      },
    ];
    for (const poison of poisons) {
      for (const name of await redis.client.keys('hub:answer:*')) await poison(name);
      const answer = await first.request('get', path);
      expect([answer.status, answer.text]).toEqual([200, truth]);
    }
    expect((await redisState(first))['status']).toBe('up');
  });

  it('answer with the same head as without it, and 304 to who has it already', async () => {
    const { alias } = await saveModel(first);
    const path = `${CONFIGS}/by-alias/${String(alias)}`;
    const answers = [await first.request('get', path), await first.request('get', path)];
    expect(answers.map(({ headers }) => [headers['etag'], headers['content-type']])).toEqual(
      Array.from({ length: 2 }, () => ['"1"', 'application/json; charset=utf-8']),
    );
    expect((await first.request('get', path).set('if-none-match', '"1"')).status).toBe(304);
    const list = await first.request('get', CONFIGS);
    expect(list.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(list.body).toMatchObject({ skip: 0, limit: 100 });
    expect((await first.request('get', `${CONFIGS}/by-alias/nobody`)).status).toBe(404);
    const reader = await first.createToken('invoke');
    expect((await first.request('get', CONFIGS, reader)).status).toBe(403);
  });

  it('leave no secret in it, nor its password in a log', async () => {
    const key = `sk-canary-${'Zq7+/'.repeat(6)}`;
    const { alias } = await saveModel(first, { api_base: provider.url, api_key: key, rate_limit_per_minute: 5 });
    expect((await call(first, aChat(alias))).status).toBe(200);
    await first.request('get', `${CONFIGS}/by-alias/${String(alias)}`).expect(200);
    await first.request('get', `${CONFIGS}?q=${String(alias)}`).expect(200);
    const dump = await redis.dump();
    expect(dump).toContain(String(alias));
    expect(dump).toContain('hub:rate:');
    const secrets = { key, admin: first.adminToken, service: first.serviceToken, ring: ring.split(':')[1] ?? '' };
    const scanner = new CanaryScanner(Object.entries(secrets).map(([name, text]) => ({ name, text })));
    expect(scanner.scan('redis', dump)).toEqual([]);
    const password = new CanaryScanner([{ name: 'password', text: PASSWORD }]);
    expect(password.scan('logs', [first, second, plain].map((hub) => hub.logs()).join(''))).toEqual([]);
  });
});

/** A connection without a hub. */
const connectTo = (url: string): { connection: RedisConnection; state: () => Promise<Json> } => {
  const health = new HealthRegistry();
  const connection = new RedisConnection(redisAddressOf(Secret.of(url)), health);
  return { connection, state: async () => (await health.readiness()).dependencies['redis'] as Json };
};

describeWithRedis('a Redis that cannot do what is needed', () => {
  type Step = (client: Redis) => Promise<unknown>;
  const set =
    (name: string, value: string): Step =>
    (client) =>
      client.config('SET', name, value);
  const user =
    (rule: string): Step =>
    (client) =>
      client.call('ACL', 'SETUSER', 'default', rule);
  const faults: [what: string, begin: Step, end: Step, reason: RegExp][] = [
    [
      'is a replica',
      (client) => client.replicaof('127.0.0.1', 1),
      (client) => client.replicaof('NO', 'ONE'),
      /replica/,
    ],
    ['has no memory left', set('maxmemory', '1'), set('maxmemory', '0'), /memory is full/],
    ['may not run scripts', user('-eval'), user('+eval'), /user may not/],
    ['wants a password', set('requirepass', 'x'), set('requirepass', ''), /user or the password/],
  ];

  // Each on a Redis of its own, at the same time: most of it is waiting until trust is won back.
  it.concurrent.each(faults)(
    '%s: is left alone, the reason is said, and it is used again when it can',
    async (_what, begin, end, reason) => {
      const redis = await startRedisServer();
      const { connection, state } = connectTo(redis.url);
      await begin(redis.client);
      connection.onApplicationBootstrap();
      try {
        const seen = await until(state, ({ reason: said }) => reason.test(String(said)), 10_000);
        expect(seen['status']).toBe('degraded');
        expect(await connection.run((client) => client.get('x'))).toBeUndefined();
        await end(redis.client);
        await until(state, ({ status }) => status === 'up', 10_000);
        expect(await connection.run((client) => client.set('hub:x', 'y'))).toBe('OK');
      } finally {
        connection.onApplicationShutdown();
        await redis.close();
      }
    },
  );

  it.concurrent('falls silent: is waited for once, and not at all from then on', async () => {
    const redis = await startRedisServer();
    const { connection } = connectTo(redis.url);
    connection.onApplicationBootstrap();
    await until(() => connection.isUsable, Boolean, 10_000);
    redis.freeze();
    try {
      const { value, milliseconds } = await elapsed(() => connection.run((client) => client.get('x')));
      expect(value).toBeUndefined();
      expect(milliseconds).toBeGreaterThan(45);
      const asked = connection.run((client) => client.get('x'));
      const nextTurn = new Promise((resolve) => setImmediate(() => resolve('waited')));
      expect(await Promise.race([asked, nextTurn])).toBeUndefined();
    } finally {
      redis.thaw();
      connection.onApplicationShutdown();
      await redis.close();
    }
  });
});

describeWithRedis('a hub whose Redis comes and goes', () => {
  it('says once that it is lost, and once that it is used', async () => {
    const port = await freePort();
    const hub = await startHub({ env: { REDIS_URL: `redis://127.0.0.1:${port}` } });
    const lines = (): string[] =>
      [...hub.logs().matchAll(/Redis (?:is used|cannot be used: [^.]*)/g)].map(([line]) => line);
    const untilSaid = (count: number): Promise<string[]> => until(lines, ({ length }) => length === count, 10_000);
    await untilSaid(1);
    const redis = await startRedisServer({ atPort: port });
    await untilSaid(2);
    await redis.kill();
    await untilSaid(4);
    const away = 'Redis cannot be used: it cannot be reached (ECONNREFUSED)';
    const broken: unknown = expect.stringMatching(/^Redis cannot be used: it .*(?:closed the connection|ECONNRESET)/);
    expect(lines()).toEqual([away, 'Redis is used', broken, away]);
    await hub.close();
    await redis.close();
  });
});

describe('a hub whose Redis is not there', () => {
  it('starts, calls and answers as one without, and says so', async () => {
    const hub = await startHub({ env: { REDIS_URL: `redis://someone:hidden-word@127.0.0.1:${await freePort()}/0` } });
    const provider = await startFakeProvider();
    const { alias } = await saveModel(hub, { api_base: provider.url, rate_limit_per_minute: 1 });
    expect([(await call(hub, aChat(alias))).status, (await call(hub, aChat(alias))).status]).toEqual([200, 429]);
    expect((await hub.request('get', CONFIGS)).status).toBe(200);
    const { status, body } = await hub.request('get', '/health/ready', null);
    expect([status, (body as Json)['status']]).toEqual([200, 'degraded']);
    expect(await redisState(hub)).toEqual({ status: 'degraded', reason: 'it cannot be reached (ECONNREFUSED)' });
    await hub.close();
    await provider.close();
    expect(hub.logs().match(/Redis cannot be used/g)).toHaveLength(1);
    expect(hub.logs()).not.toContain('hidden-word');
  });
});
