import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { Redis } from 'ioredis';
import { freePort } from './sockets.js';

const PROGRAM = 'redis-server';
const START_MILLISECONDS = 10_000;

const hasRedisServer = spawnSync(PROGRAM, ['--version']).status === 0;

/** Where there is no `redis-server` on the machine, each test in it is listed as skipped. */
export const describeWithRedis = hasRedisServer ? describe : describe.skip;

export interface RedisServer {
  /** For `REDIS_URL`. */
  readonly url: string;
  readonly port: number;
  /** A client of the test's own. */
  readonly client: Redis;
  /** Ends it at once, without a word to its clients; what it knew is lost. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
  /** Stops it in the middle of whatever it does: connections stay open, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Everything in it, as text: names and values of whatever type. */
  dump(): Promise<string>;
  close(): Promise<void>;
}

const isUp = async (client: Redis): Promise<boolean> => {
  try {
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  }
};

const readKey = async (client: Redis, key: string): Promise<unknown> => {
  const type = await client.type(key);
  if (type === 'string') return client.get(key);
  if (type === 'hash') return client.hgetall(key);
  if (type === 'list') return client.lrange(key, 0, -1);
  return type;
};

/** A real Redis of this test's own, which writes nothing to a disk. */
export async function startRedisServer({ password = '', atPort = 0 } = {}): Promise<RedisServer> {
  const port = atPort || (await freePort());
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-redis-'));
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...(password && { password }),
    lazyConnect: true,
    retryStrategy: () => 20,
  });
  client.on('error', () => undefined);
  let child: ChildProcess;

  const start = async (): Promise<void> => {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory];
    if (password) settings.push('--requirepass', password);
    child = spawn(PROGRAM, settings, { stdio: 'ignore' });
    const end = Date.now() + START_MILLISECONDS;
    while (!(await isUp(client))) {
      if (Date.now() > end) throw new Error(`${PROGRAM} did not start on port ${port}`);
      await sleep(20);
    }
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `redis://${password && `:${encodeURIComponent(password)}@`}127.0.0.1:${port}/0`,
    port,
    client,
    kill,
    start,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    dump: async () => {
      const keys = await client.keys('*');
      const values = await Promise.all(keys.map((key) => readKey(client, key)));
      return keys.map((key, index) => `${key} ${JSON.stringify(values[index])}`).join('\n');
    },
    close: async () => {
      client.disconnect();
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
