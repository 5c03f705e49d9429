// Processes that are stopped while they are at work: nobody's request is lost, nothing is counted twice or not at all,
// and each of them ends in time.
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { generateToken } from '../../src/platform/auth/token-text.js';
import { aModelConfig } from '../factories/model-config.js';
import { ask, startLoad, type Asked, type CallerHabits, type Load } from '../support/caller-load.js';
import { aChat, callsIn, until, usageOf } from '../support/calls.js';
import { randomFrom, rounds, seedOf } from '../support/chaos.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { connectToEmbedded, databaseProcesses, removeDataDirectory } from '../support/embedded-database.js';
import {
  chunk,
  DONE,
  politeScript,
  startFakeProvider,
  type FakeProvider,
  type Script,
} from '../support/fake-provider.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { exitOf, launchHubProcess, startHubProcess, type HubProcess } from '../support/hub-process.js';
import { CONFIGS, randomKeyRing } from '../support/hub.js';
import { freePort } from '../support/sockets.js';

const STREAMS = 20;
const CALLERS = 20;
/** Of most stories; half of what is usual, since streams that never end take most of it. */
const LIMIT_SECONDS = 6;
const WARM_UP_MILLISECONDS = 500;
const adminToken = generateToken('admin').text;
const serviceToken = `service-${randomBytes(24).toString('hex')}`;
const keyRing = randomKeyRing();

const random = randomFrom(seedOf('shutdown'));
const directories: string[] = [];
const processes: HubProcess[] = [];
let provider: FakeProvider;
let database: TestDatabase;

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-chaos-shutdown-'));
  directories.push(directory);
  return directory;
};
type Settings = Record<string, string>;
const common = (limitSeconds = LIMIT_SECONDS): Settings => ({
  PORT: '0',
  DATA_DIR: newDirectory(),
  STORAGE_SERVICE_TOKEN: serviceToken,
  ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
  SHUTDOWN_TIMEOUT: String(limitSeconds),
});
const withStorage = (limitSeconds?: number): Settings => ({
  ...common(limitSeconds),
  ENCRYPTION_KEYS: keyRing,
  ADMIN_TOKEN: adminToken,
});
const onDatabase = (limitSeconds?: number): Settings => ({
  ...withStorage(limitSeconds),
  DATABASE_URL: database.url,
});
const start = async (env: Settings, options: { detached?: boolean } = {}): Promise<HubProcess> => {
  const hub = await startHubProcess(env, options);
  processes.push(hub);
  return hub;
};
const startStorage = (): Promise<HubProcess> => start({ ...onDatabase(), SERVICE_ROLE: 'storage' });
const callerOf = (storage: HubProcess): Settings => ({
  ...common(),
  SERVICE_ROLE: 'ai-model',
  STORAGE_SERVICE_URL: storage.url,
});
const untilReady = ({ url }: HubProcess): Promise<unknown> =>
  until(async () => (await fetch(`${url}/health/ready`)).ok, Boolean, 20_000);

const saveModel = async (hub: HubProcess): Promise<{ alias: string; id: unknown }> => {
  const answer = await fetch(hub.url + CONFIGS, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(aModelConfig({ api_base: provider.url, max_retries: 0 })),
  });
  expect(answer.status).toBe(201);
  return (await answer.json()) as { alias: string; id: unknown };
};

/** Whom the `user` calls endless is answered without end, whom it calls long for a second, the others soon. */
const script: Script = async (request, response) => {
  await sleep(random() * 40);
  const { user } = request.body;
  if (user !== 'endless' && user !== 'long') return politeScript(request, response);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const end = performance.now() + (user === 'long' ? 1000 : Infinity);
  while (!response.destroyed && performance.now() < end) {
    response.write(chunk('12345678'));
    await sleep(50);
  }
  response.end(chunk('', 'stop') + DONE);
};

const CALLER_HABITS: CallerHabits[] = Array.from({ length: CALLERS }, (_, index) => ({
  keepsAlive: index % 3 !== 0,
  streams: index % 2 === 0,
  thinks: () => (index % 4 === 0 ? random() * 400 : random() * 10),
}));

/** Open at the signal; half of them never end. */
const openStreams = (hub: HubProcess, alias: string): Promise<Asked>[] =>
  Array.from({ length: STREAMS }, (_, index) => {
    const body = aChat(alias, { stream: true, user: index % 2 === 0 ? 'endless' : 'long' });
    return ask(hub.url, adminToken, body, false);
  });

interface Stopped {
  hub: HubProcess;
  code: number | null;
  milliseconds: number;
  load: Load;
  streams: Asked[];
  /** What must be in the usage. */
  calls: number;
}

/** Load and open streams, then the signal; everything that came of it. */
const stopUnderLoad = async (
  hub: HubProcess,
  alias: string,
  stop: () => Promise<number | null> = () => hub.stop(),
): Promise<Stopped> => {
  const before = provider.calls.length;
  const load = startLoad((body, agent) => ask(hub.url, adminToken, body, agent), alias, CALLER_HABITS);
  const streams = openStreams(hub, alias);
  await sleep(WARM_UP_MILLISECONDS + random() * 300);
  const signalledAt = performance.now();
  const code = await stop();
  const milliseconds = performance.now() - signalledAt;
  await load.stop();
  const ended = await Promise.all(streams);
  return { hub, code, milliseconds, load, streams: ended, calls: provider.calls.length - before };
};

const streamsThat = ({ streams }: Stopped, outcome: Asked['outcome']): number =>
  streams.filter((stream) => stream.outcome === outcome).length;

const expectNothingLost = (stopped: Stopped, limitSeconds = LIMIT_SECONDS): void => {
  const { hub, code, milliseconds, load, streams } = stopped;
  const ended = `${streamsThat(stopped, 'answered')} streams ended, ${streamsThat(stopped, 'told')} were told`;
  console.log(`${JSON.stringify(load.counts)}; ${ended}; exit ${code} after ${Math.round(milliseconds)} ms`);
  const lost = streams.filter(({ outcome }) => outcome !== 'answered' && outcome !== 'told');
  const said = code === 0 ? [] : hub.output().match(/.*"(?:context":"Shutdown|still_open)".*/g);
  expect({ lost, details: load.details, code, said }).toEqual({ lost: [], details: [], code: 0, said: [] });
  expect(milliseconds).toBeLessThan(limitSeconds * 1000);
  expect(load.counts.answered).toBeGreaterThan(CALLERS);
};

beforeAll(async () => {
  provider = await startFakeProvider(script);
  database = await createTestDatabase();
});
afterEach(() => {
  for (const { child } of processes.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await provider.close();
  await database.drop();
  directories.forEach(removeDataDirectory);
});

describe('a signal under load, with open streams,', () => {
  it('leaves nothing unanswered and nothing uncounted, every time', async () => {
    const env = onDatabase();
    for (let round = rounds(6, 100); round > 0; round -= 1) {
      const hub = await start(env);
      const { alias, id } = await saveModel(hub);
      const stopped = await stopUnderLoad(hub, alias);
      expectNothingLost(stopped);
      expect(streamsThat(stopped, 'told')).toBe(STREAMS / 2);
      expect(callsIn(await usageOf({ database }, id))).toBe(stopped.calls);
    }
  });

  it('that is sent twice ends it sooner, and as safely; a third one changes nothing', async () => {
    const env = onDatabase(60);
    for (let round = rounds(1, 10); round > 0; round -= 1) {
      const hub = await start(env);
      const { alias, id } = await saveModel(hub);
      const stopped = await stopUnderLoad(hub, alias, async () => {
        for (let sent = 0; sent < 2; sent += 1) {
          hub.child.kill('SIGTERM');
          await sleep(400);
        }
        return hub.stop('SIGINT');
      });
      expectNothingLost(stopped, 20);
      expect(callsIn(await usageOf({ database }, id))).toBe(stopped.calls);
    }
  });

  it('to the process group of a hub with its own database, stops that last, with all usage in it', async () => {
    const env = withStorage();
    const dataDir = env['DATA_DIR'] ?? '';
    let expected = 0;
    for (let round = rounds(1, 10); round > 0; round -= 1) {
      const hub = await start(env, { detached: true });
      const { alias } = await saveModel(hub);
      const stopped = await stopUnderLoad(hub, alias, () => {
        // As a terminal and npm do: that is one signal.
        for (let sent = 0; sent < 2; sent += 1) process.kill(-Number(hub.child.pid), 'SIGINT');
        return exitOf(hub.child);
      });
      expectNothingLost(stopped);
      expect(streamsThat(stopped, 'answered')).toBe(STREAMS / 2);
      expect(databaseProcesses(dataDir)).toEqual([]);
      expected += stopped.calls;
    }
    const again = await start(env);
    const client = await connectToEmbedded(dataDir);
    const { rows } = await client.query('SELECT sum(usage_count)::int AS calls FROM ai_model_configs');
    await client.end();
    expect(rows).toEqual([{ calls: expected }]);
    expect(await again.stop()).toBe(0);
  });

  it('to an AI model process, leaves its usage with storage', async () => {
    const storage = await startStorage();
    const { alias, id } = await saveModel(storage);
    const env = callerOf(storage);
    let expected = 0;
    for (let round = rounds(2, 50); round > 0; round -= 1) {
      const hub = await start(env);
      await untilReady(hub);
      const stopped = await stopUnderLoad(hub, alias);
      expectNothingLost(stopped);
      expected += stopped.calls;
      expect(callsIn(await usageOf({ database }, id))).toBe(expected);
    }
    expect(await storage.stop()).toBe(0);
  });
});

describe('a signal to the process group', () => {
  it('at any moment of a first start ends it in order, and the next start works', async () => {
    for (let round = rounds(2, 30); round > 0; round -= 1) {
      const env: Settings = { ...common(30), ADMIN_TOKEN: adminToken };
      const dataDir = env['DATA_DIR'] ?? '';
      const { child, output } = launchHubProcess(env, { detached: true });
      await until(
        () => databaseProcesses(dataDir).length,
        (count) => count > 0,
        20_000,
      );
      await sleep(random() * 1500);
      process.kill(-Number(child.pid), 'SIGINT');
      const code = await exitOf(child);
      expect({ code, left: databaseProcesses(dataDir), output: output() }).toMatchObject({ code: 0, left: [] });
      const hub = await start(env);
      expect(await hub.stop()).toBe(0);
      expect(databaseProcesses(dataDir)).toEqual([]);
    }
  });
});

describe('a signal in a migration', () => {
  it('leaves each of them done or not begun, and the next start does the rest', async () => {
    for (let round = rounds(2, 40); round > 0; round -= 1) {
      const empty = await createTestDatabase({ empty: true });
      const env: Settings = { ...onDatabase(30), DATABASE_URL: empty.url };
      const { child, output } = launchHubProcess(env);
      await until(output, (text) => text.includes('Migrated the database'), 20_000);
      await sleep(random() * 300);
      child.kill('SIGTERM');
      expect({ code: await exitOf(child), output: output() }).toMatchObject({ code: 0 });
      const hub = await start(env);
      await untilReady(hub);
      await saveModel(hub);
      expect(await hub.stop()).toBe(0);
      await empty.drop();
    }
  });
});

describe('a process that cannot end', () => {
  it('exits at its limit with the code for that and one line that says what was open', async () => {
    const place = new URL(database.url);
    const line = await startFaultProxy({
      path: `${place.searchParams.get('host')}/.s.PGSQL.${place.searchParams.get('port')}`,
    });
    const url = `postgresql://${place.username}@127.0.0.1:${line.port}/${database.name}`;
    const hub = await start({ ...onDatabase(2), DATABASE_URL: url });
    await saveModel(hub);
    line.set({ line: 'silent' });
    const asked = fetch(hub.url + CONFIGS, { headers: { authorization: `Bearer ${adminToken}` } });
    await sleep(100);
    const signalledAt = performance.now();
    expect(await hub.stop()).toBe(75);
    expect(performance.now() - signalledAt).toBeLessThan(2500);
    expect((await asked).status).toBe(503);
    const lines = hub.output().match(/[^\n]*"still_open":\[[^\n]*/g) ?? [];
    expect(lines).toEqual([
      expect.stringMatching(/"level":"error".*SHUTDOWN_TIMEOUT.*"closing the application [^"]+"/),
    ]);
    await line.close();
  });
});

describe('a rolling restart', () => {
  it('of two AI model processes fails no request of a client that asks the other where one does not listen', async () => {
    const storage = await startStorage();
    const { alias, id } = await saveModel(storage);
    const ports = [await freePort(), await freePort()];
    const envs = ports.map((port) => ({ ...callerOf(storage), PORT: String(port) }));
    const hubs = await Promise.all(envs.map((env) => start(env)));
    await Promise.all(hubs.map(untilReady));

    const before = provider.calls.length;
    let next = 0;
    const askEither: Parameters<typeof startLoad>[0] = async (body, agent) => {
      const turn = (next += 1);
      for (let attempt = 0; ; attempt += 1) {
        const port = ports[(turn + attempt) % ports.length];
        const answer = await ask(`http://127.0.0.1:${port}`, adminToken, body, agent);
        if (answer.outcome !== 'unconnected' || attempt === ports.length) return answer;
      }
    };
    const load = startLoad(askEither, alias, CALLER_HABITS);
    for (let round = rounds(2, 40); round > 0; round -= 1) {
      await sleep(500);
      const index = round % 2;
      expect(await hubs[index]?.stop()).toBe(0);
      const hub = await start(envs[index] ?? {});
      hubs[index] = hub;
      await untilReady(hub);
    }
    await load.stop();
    console.log(JSON.stringify(load.counts));
    const { answered, ...others } = load.counts;
    expect({ ...others, details: load.details }).toEqual({
      told: 0,
      refused: 0,
      unconnected: 0,
      failed: 0,
      lost: 0,
      details: [],
    });
    expect(answered).toBeGreaterThan(200);
    for (const hub of hubs) expect(await hub.stop()).toBe(0);
    expect(callsIn(await usageOf({ database }, id))).toBe(provider.calls.length - before);
    expect(await storage.stop()).toBe(0);
  });
});
