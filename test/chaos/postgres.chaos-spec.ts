// PostgreSQL is killed, stopped, frozen, used up and locked under mixed load, and so is the process that owns it: what was
// acknowledged is there, once; whoever cannot be served is told so in time; calls of models notice nothing.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { aModelConfig } from '../factories/model-config.js';
import { until, type Json } from '../support/calls.js';
import { percentile, randomFrom, rounds, seedOf } from '../support/chaos.js';
import { createTestDatabase } from '../support/database.js';
import { connectToEmbedded, databasePid, removeDataDirectory } from '../support/embedded-database.js';
import { startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { startHubProcess, type HubProcess } from '../support/hub-process.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { countsOf, longestOf, MixedLoad, p99Of, wrongAnswers } from '../support/mixed-load.js';
import { freePort } from '../support/sockets.js';

const READY_MILLISECONDS = 5000;
/** One second for a connection or two and a half for a statement, and what it takes to say so. */
const DEADLINE_MILLISECONDS = 3500;
const FREEZE_MILLISECONDS = rounds(10_000, 60_000);
const MAX_CONNECTIONS = 120;

const adminToken = `admin-${randomBytes(24).toString('hex')}`;
const serviceToken = `service-${randomBytes(24).toString('hex')}`;
const random = randomFrom(seedOf('postgres'));
const directories: string[] = [];
let provider: FakeProvider;

type Settings = Record<string, string>;

const common = (): Settings => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-chaos-postgres-'));
  directories.push(directory);
  return {
    PORT: '0',
    DATA_DIR: directory,
    STORAGE_SERVICE_TOKEN: serviceToken,
    ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
  };
};

const manage = (url: string, method: string, path: string, body?: object): Promise<Response> =>
  fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });

const save = async (url: string): Promise<Json> => {
  const answer = await manage(url, 'POST', CONFIGS, aModelConfig({ api_base: provider.url, max_retries: 0 }));
  expect(answer.status).toBe(201);
  return (await answer.json()) as Json;
};

/** How long it takes until the process says that it is ready and a change is taken. */
const untilWritable = async (url: string): Promise<number> => {
  const startedAt = performance.now();
  const isWritable = async (): Promise<boolean> => {
    const { status } = (await (await manage(url, 'GET', '/health/ready')).json()) as Json;
    return status === 'ready' && (await manage(url, 'POST', CONFIGS, aModelConfig())).status === 201;
  };
  await until(isWritable, Boolean, 30_000);
  return performance.now() - startedAt;
};

const figures = (values: readonly number[]): string =>
  `median ${Math.round(percentile(values, 0.5))} ms, longest ${Math.round(Math.max(...values))} ms`;

const children = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);

const parentOf = (pid: string): number | null => {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // Gone since it was listed.
    return null;
  }
};

const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // A worker that ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
};

beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(async () => {
  await provider.close();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A hub of one container, which has to look after its PostgreSQL itself. */
class Container {
  private constructor(
    readonly hub: HubProcess,
    readonly dataDir: string,
    private readonly alias: unknown,
  ) {}

  static async start(): Promise<Container> {
    const settings: Settings = { ...common(), ADMIN_TOKEN: adminToken };
    const hub = await startHubProcess(settings);
    const { alias } = await save(hub.url);
    const container = new Container(hub, String(settings['DATA_DIR']), alias);
    const isCallable = async (): Promise<boolean> => {
      const load = container.load().start();
      await sleep(300);
      await load.stop();
      return wrongAnswers(load.take()).length === 0;
    };
    await until(isCallable, Boolean, 20_000);
    return container;
  }

  /** Of its own names each time: what an earlier one wrote is changed no more. */
  load(): MixedLoad {
    const { url } = this.hub;
    return new MixedLoad({ callsAt: url, managedAt: url, token: adminToken, alias: this.alias }, random);
  }

  get pid(): number {
    const pid = databasePid(this.dataDir);
    if (pid === null) throw new Error('PostgreSQL does not run');
    return pid;
  }

  async query<Row>(sql: string): Promise<Row[]> {
    const client = await connectToEmbedded(this.dataDir);
    const { rows } = await client.query(sql);
    await client.end();
    return rows as Row[];
  }

  /** Answers how long it was until everything was as before, under another server process. */
  async endDatabase(signal: NodeJS.Signals): Promise<number> {
    const startedAt = performance.now();
    const { pid } = this;
    process.kill(pid, signal);
    await until(
      () => databasePid(this.dataDir),
      (now) => now !== null && now !== pid,
      30_000,
    );
    await untilWritable(this.hub.url);
    return performance.now() - startedAt;
  }

  async stop(): Promise<void> {
    expect(this.hub.child.exitCode).toBeNull();
    expect(await this.hub.stop()).toBe(0);
    removeDataDirectory(this.dataDir);
  }
}

/** Each config was written as often as its version says, and the history tells of each time. */
const CONTRADICTIONS = `SELECT alias, version, told FROM (
  SELECT alias, version, (SELECT count(*)::int FROM change_history WHERE subject_id = config.id::text) AS told
  FROM ai_model_configs AS config WHERE alias LIKE 'written-%') AS both_counts WHERE version <> told`;

const DEADLOCKS = `SELECT deadlocks FROM pg_stat_database WHERE datname = 'ai_model_hub'`;

const OF_THE_POOL = `FROM pg_stat_activity WHERE application_name = 'ai-model-hub'`;

describe('a hub with its own PostgreSQL', () => {
  let container: Container;
  /** The same at the same moment, and nobody touches its database: what it is slowed down by is the machine. */
  let control: Container;
  beforeAll(async () => {
    container = await Container.start();
    control = await Container.start();
  });
  afterAll(async () => {
    await container.stop();
    await control.stop();
  });

  /** Ends the load, and looks whether it was told the truth. */
  const expectTruth = async (load: MixedLoad): Promise<void> => {
    await load.stop().catch((error: unknown) => {
      const errors = container.hub
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      throw new Error(`What the process says of it: ${errors.slice(-5).join('\n')}`, { cause: error });
    });
    expect(await load.losses()).toEqual([]);
    expect(await container.query(CONTRADICTIONS)).toEqual([]);
    expect(container.hub.child.exitCode).toBeNull();
    // Requests that it makes to itself, too.
    expect(container.hub.output()).not.toMatch(/unhandled|"code":"internal_error"/i);
  };
  /** The longest that a request takes while nothing is wrong. */
  const usualLongest = async (load: MixedLoad): Promise<number> => {
    await sleep(2000);
    const seen = load.take();
    expect(wrongAnswers(seen)).toEqual([]);
    return Math.max(longestOf(seen, 'read'), longestOf(seen, 'write'));
  };

  it.each([
    { name: 'killed', signal: 'SIGKILL', count: rounds(20, 200) },
    { name: 'stopped in a hurry', signal: 'SIGINT', count: rounds(5, 50) },
  ] as const)('that is $name $count times loses nothing, does nothing twice, and is back', async (story) => {
    const load = container.load().start();
    const usual = await usualLongest(load);
    const back: number[] = [];
    for (let round = 0; round < story.count; round += 1) {
      await sleep(150 + random() * 250);
      back.push(await container.endDatabase(story.signal));
    }
    await expectTruth(load);
    const seen = load.take();
    console.log(
      `${story.name} ${story.count} times: ready again ${figures(back)}; ${countsOf(seen)}; ` +
        `${load.ledger.acknowledgements} acknowledged writes, 0 lost; longest read ${longestOf(seen, 'read')} ms, ` +
        `write ${longestOf(seen, 'write')} ms, usually ${usual} ms; calls p99 ${p99Of(seen, 'call')} ms, live p99 ${p99Of(seen, 'live')} ms`,
    );
    expect(wrongAnswers(seen)).toEqual([]);
    expect(Math.max(longestOf(seen, 'read'), longestOf(seen, 'write'))).toBeLessThan(DEADLINE_MILLISECONDS + usual);
    expect(Math.max(...back)).toBeLessThan(READY_MILLISECONDS);
  });

  it(`that is frozen for ${FREEZE_MILLISECONDS / 1000} s is noticed by nobody who calls, and hangs nobody else`, async () => {
    const [load, beside] = [container.load().start(), control.load().start()];
    const usual = await usualLongest(load);
    beside.take();
    const postmaster = container.pid;
    signalAll([postmaster], 'SIGSTOP');
    const frozen = children(postmaster);
    signalAll(frozen, 'SIGSTOP');
    await sleep(FREEZE_MILLISECONDS);
    const [during, besideIt] = [load.take(), beside.take()];
    signalAll([...frozen, postmaster], 'SIGCONT');
    const back = await untilWritable(container.hub.url);
    await expectTruth(load);
    await beside.stop();
    const after = load.take();
    console.log(
      `frozen: ${countsOf(during)}; longest read ${longestOf(during, 'read')} ms, write ${longestOf(during, 'write')} ms, usually ${usual} ms; ` +
        `calls p99 ${p99Of(during, 'call')} ms, ${p99Of(besideIt, 'call')} ms beside it; live p99 ${p99Of(during, 'live')} ms, ` +
        `${p99Of(besideIt, 'live')} ms beside it; back after ${Math.round(back)} ms`,
    );
    expect(wrongAnswers([...during, ...after])).toEqual([]);
    const longest = (kind: 'read' | 'write'): number => longestOf([...during, ...after], kind);
    expect(Math.max(longest('read'), longest('write'))).toBeLessThan(DEADLINE_MILLISECONDS + usual);
    // Those who came after it was known did not wait for it.
    const waited = during.filter(({ kind, milliseconds }) => kind === 'read' && milliseconds > 900 + usual);
    expect(waited.length).toBeLessThan(during.filter(({ kind }) => kind === 'read').length / 2);
    expect(p99Of(during, 'call')).toBeLessThanOrEqual(p99Of(besideIt, 'call') + 10);
    expect(p99Of(during, 'live')).toBeLessThanOrEqual(Math.max(100, p99Of(besideIt, 'live') + 10));
    expect(back).toBeLessThan(READY_MILLISECONDS);
    await expectTidyPool();
  });

  /** What was given up on the way is gone from the server too. */
  const expectTidyPool = async (): Promise<void> => {
    const find = `SELECT count(*)::int AS all, count(*) FILTER (WHERE state LIKE 'idle in transaction%')::int AS open ${OF_THE_POOL}`;
    await until(
      async () => (await container.query<{ all: number; open: number }>(find))[0],
      (found) => found !== undefined && found.all <= 10 && found.open === 0,
      READY_MILLISECONDS,
    );
  };

  it('that has no connection left says so, and takes the first one that is free', async () => {
    const load = container.load().start();
    await usualLongest(load);
    const held: pg.Client[] = [];
    const takeAll = async (): Promise<unknown> => {
      try {
        while (held.length < MAX_CONNECTIONS) held.push(await connectToEmbedded(container.dataDir));
        return null;
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    expect(await takeAll()).toBe('53300');
    // The hub's own go too, until somebody else was faster than the hub each time.
    const takeFromHub = async (): Promise<number> => {
      await held[0]?.query(`SELECT pg_terminate_backend(pid) ${OF_THE_POOL}`);
      await takeAll();
      const found = await held[0]?.query<{ left: number }>(`SELECT count(*)::int AS left ${OF_THE_POOL}`);
      return found?.rows[0]?.left ?? Number.NaN;
    };
    await until(takeFromHub, (left) => left === 0, 10_000);
    load.take();
    await sleep(2000);
    const during = load.take();
    await Promise.all(held.map((client) => client.end()));
    const back = await untilWritable(container.hub.url);
    await expectTruth(load);
    console.log(`used up by ${held.length}: ${countsOf(during)}; back after ${Math.round(back)} ms`);
    expect(wrongAnswers(during)).toEqual([]);
    expect(during.some(({ status }) => status === 503)).toBe(true);
    expect(back).toBeLessThan(READY_MILLISECONDS);
  });

  it('with deadlocks and long locks in it lets nobody hang, and does every write once', async () => {
    const load = container.load().start();
    const usual = await usualLongest(load);
    const [before] = await container.query<{ deadlocks: string }>(DEADLOCKS);
    for (let round = 0; round < rounds(6, 60); round += 1) {
      const locker = await connectToEmbedded(container.dataDir);
      await locker.query('BEGIN');
      // Writes take these two the other way round.
      await locker.query('SELECT 1 FROM hub_revision FOR UPDATE');
      await sleep(300);
      await locker
        .query(`SELECT 1 FROM ai_model_configs WHERE alias LIKE 'written-%' FOR UPDATE`)
        .catch(() => undefined);
      await sleep(random() * 3000);
      await locker.end();
      await sleep(200);
    }
    await expectTruth(load);
    const [after] = await container.query<{ deadlocks: string }>(DEADLOCKS);
    const deadlocks = Number(after?.deadlocks) - Number(before?.deadlocks);
    const seen = load.take();
    console.log(
      `locks: ${deadlocks} deadlocks; ${countsOf(seen)}; longest write ${longestOf(seen, 'write')} ms, usually ${usual} ms`,
    );
    expect(deadlocks).toBeGreaterThan(0);
    expect(seen.some(({ kind, status }) => kind === 'write' && status === 503)).toBe(true);
    expect(wrongAnswers(seen)).toEqual([]);
    expect(longestOf(seen, 'write')).toBeLessThan(DEADLINE_MILLISECONDS + usual);
  });
});

describe('a storage process', () => {
  const count = rounds(10, 100);

  it(`that is killed ${count} times loses nothing, does nothing twice, and calls go on`, async () => {
    const database = await createTestDatabase();
    const port = await freePort();
    const own = common();
    const settings: Settings = {
      ...own,
      PORT: String(port),
      SERVICE_ROLE: 'storage',
      DATABASE_URL: database.url,
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: adminToken,
    };
    let storage = await startHubProcess(settings);
    const { alias } = await save(storage.url);
    const caller = await startHubProcess({ ...common(), SERVICE_ROLE: 'ai-model', STORAGE_SERVICE_URL: storage.url });
    await until(
      async () => (await manage(caller.url, 'GET', '/health/ready')).status,
      (status) => status === 200,
      20_000,
    );
    const load = new MixedLoad(
      { callsAt: caller.url, managedAt: storage.url, token: adminToken, alias },
      random,
    ).start();
    const starts: number[] = [];
    for (let round = 0; round < count; round += 1) {
      await sleep(300 + random() * 500);
      await storage.stop('SIGKILL');
      const startedAt = performance.now();
      storage = await startHubProcess(settings);
      starts.push(performance.now() - startedAt);
    }
    await load.stop();
    const seen = load.take();
    const losses = await load.losses();
    const contradictions = await database.query(CONTRADICTIONS);
    console.log(
      `storage killed ${count} times: there again ${figures(starts)}; ${countsOf(seen)}; ${load.ledger.acknowledgements} acknowledged writes`,
    );
    await Promise.all([storage.stop(), caller.stop()]);
    await database.drop();
    expect(losses).toEqual([]);
    expect(contradictions).toEqual([]);
    expect(seen.filter(({ kind, status }) => kind === 'call' && status !== 200)).toEqual([]);
    // Status 0 is a process that is not there; while it is, it never answers with a failure of its own.
    expect(wrongAnswers(seen.filter(({ kind, status }) => kind !== 'live' && status !== 0))).toEqual([]);
    expect(Math.max(...starts)).toBeLessThan(2 * READY_MILLISECONDS);
  });
});
