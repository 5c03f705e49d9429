// An embedded installation that is killed again and again in the middle of writes, stopped in the middle of calls, and
// started twice at once: what was acknowledged is there, and the next start works.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../src/contract/snapshot.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { sized } from './support/chaos.js';
import { databasePid, removeDataDirectory } from './support/embedded-database.js';
import { type FakeProvider, politeScript, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS } from './support/hub.js';
import { type HubProcess, startHubProcess } from './support/hub-process.js';
import { Ledger } from './support/ledger.js';
import { refusedStart } from './support/refused-start.js';

type Body = Record<string, unknown>;

interface Written {
  priority: number;
  description: string;
  api_key: string;
}

const ROUNDS = sized(6, 20, 200);
const WRITERS = 4;
const MIN_WRITES = 5;
/** Each so many rounds PostgreSQL is killed as well: then nothing of what the process had in memory is left. */
const KILL_DATABASE_EVERY = 3;
const READY_MILLISECONDS = 10_000;
/** About 30 s on a machine with nothing else to do. */
const ROUNDS_MILLISECONDS = 60_000 + ROUNDS * 12_000;
const EXIT_UNAVAILABLE = 69;
const SERVICE_TOKEN = 'service-token-of-the-durability-test';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

/** Mulberry32: the same numbers for the same seed. */
const randomNumbers = (start: number): (() => number) => {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

describe(`an embedded installation (TEST_SEED=${seed})`, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-durability-'));
  const env = { PORT: '0', DATA_DIR: dataDir, STORAGE_SERVICE_TOKEN: SERVICE_TOKEN };
  const random = randomNumbers(seed);
  const startTimes: number[] = [];
  let provider: FakeProvider;
  let hub: HubProcess;

  const start = async (): Promise<number> => {
    const startedAt = performance.now();
    hub = await startHubProcess(env);
    return performance.now() - startedAt;
  };

  const readFileOf = (name: string): string => readFileSync(join(dataDir, name), 'utf8');

  const send = async (
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Body; text: string }> => {
    const answer = await fetch(hub.url + path, {
      method,
      headers: {
        authorization: `Bearer ${path.startsWith('/internal') ? SERVICE_TOKEN : readFileOf('admin-token').trim()}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: text.startsWith('{') ? (JSON.parse(text) as Body) : {} };
  };

  const call = (alias: string, fields: Body = {}): Promise<{ status: number; text: string }> =>
    send('POST', '/v1/chat/completions', { model: alias, messages: [{ role: 'user', content: 'Hi' }], ...fields });

  const readModels = async (): Promise<Body[]> => {
    const answer = await send('GET', `${CONFIGS}?limit=1000&sort=alias`);
    expect(answer.status).toBe(200);
    return answer.body['models'] as Body[];
  };

  const readModel = async (alias: string): Promise<Body> => (await send('GET', `${CONFIGS}/by-alias/${alias}`)).body;

  /** What the database has and what of it opens, keys included. */
  const readWritten = async (): Promise<Map<string, Written>> => {
    const answer = await send('GET', '/internal/v1/snapshot');
    expect(answer.status).toBe(200);
    const { models } = answer.body as unknown as Snapshot;
    const listed = await readModels();
    expect(listed.map(({ alias }) => alias)).toEqual(models.map(({ alias }) => alias).sort());
    expect(listed.filter(({ status }) => status !== 'configured')).toEqual([]);
    return new Map(
      models.map(({ alias, priority, description, api_key }) => [
        alias,
        { priority, description: description ?? '', api_key: api_key ?? '' },
      ]),
    );
  };

  beforeAll(async () => {
    provider = await startFakeProvider();
    console.log(`first start: ${Math.round(await start())} ms`);
  });
  afterAll(async () => {
    // Also after a start that failed, when there is none.
    await (hub as HubProcess | undefined)?.stop('SIGTERM');
    await provider.close();
    removeDataDirectory(dataDir);
  });

  it(
    `loses no acknowledged write in ${ROUNDS} rounds of kill -9, and starts each time`,
    async () => {
      const ledger = new Ledger<Written>();
      const ids = new Map<string, string>();
      const files = ['admin-token', 'encryption-keys'].map(readFileOf);

      /** Creates and changes configs of its own, one after the other, until the process is gone. */
      const keepWriting = async (writer: number, round: number): Promise<void> => {
        for (let number = 0; ; number += 1) {
          const alias = `w${writer}-${(round * 3 + number) % 24}`;
          const fields = {
            priority: round * 1000 + number,
            description: `${alias} of round ${round}: ${'x'.repeat(number % 200)}`,
            api_key: `key-${writer}-${round}-${number}-${'k'.repeat(20)}`,
          };
          const id = ids.get(alias);
          try {
            await ledger.write(alias, fields, async () => {
              const answer = id
                ? await send('PUT', `${CONFIGS}/${id}`, fields)
                : await send('POST', CONFIGS, aModelConfig({ alias, api_base: provider.url, ...fields }));
              expect({ alias, status: answer.status, text: answer.text }).toMatchObject({ status: id ? 200 : 201 });
              ids.set(alias, String(answer.body['id']));
              return true;
            });
          } catch (error) {
            // fetch fails with a TypeError when the connection is gone; everything else is a failure of the story.
            if ((error as Error).name === 'TypeError') return;
            throw error;
          }
        }
      };

      for (let round = 1; round <= ROUNDS; round += 1) {
        const writers = Array.from({ length: WRITERS }, (_, writer) => keepWriting(writer, round));
        const goal = ledger.acknowledgements + MIN_WRITES + Math.floor(random() * 40);
        while (ledger.acknowledgements < goal && hub.child.exitCode === null) await sleep(2);
        await sleep(random() * 20);
        const pid = databasePid(dataDir);
        hub.child.kill('SIGKILL');
        if (round % KILL_DATABASE_EVERY === 0 && pid !== null) process.kill(pid, 'SIGKILL');
        await Promise.all(writers);

        startTimes.push(await start());
        const found = await readWritten();
        expect({ round, losses: ledger.settle(found) }).toEqual({ round, losses: [] });
        for (const { alias, id } of (await readModels()) as { alias: string; id: string }[]) ids.set(alias, id);
        const alias = ledger.names[Math.floor(random() * ledger.names.length)] as string;
        expect(await call(alias)).toMatchObject({ status: 200 });
        expect(provider.calls.at(-1)?.headers.authorization).toBe(`Bearer ${found.get(alias)?.api_key}`);
      }

      const sorted = [...startTimes].sort((one, other) => one - other);
      console.log(
        `${ledger.acknowledgements} acknowledged writes, 0 lost; start after kill -9: median ` +
          `${Math.round(sorted[ROUNDS / 2] as number)} ms, slowest ${Math.round(sorted.at(-1) as number)} ms`,
      );
      expect(ledger.acknowledgements).toBeGreaterThanOrEqual(ROUNDS * MIN_WRITES);
      expect(sorted.at(-1)).toBeLessThan(READY_MILLISECONDS);
      expect(['admin-token', 'encryption-keys'].map(readFileOf)).toEqual(files);
    },
    ROUNDS_MILLISECONDS,
  );

  it('turns a second process away while the first works on', async () => {
    await send('POST', CONFIGS, aModelConfig({ alias: 'first', api_base: provider.url }));
    const second = refusedStart(env);
    const statuses: number[] = [];
    const isOver = second.then(() => true);
    while (!(await Promise.race([isOver, sleep(100, false)]))) statuses.push((await call('first')).status);
    const refused = await second;
    expect(refused).toMatchObject({ code: EXIT_UNAVAILABLE });
    expect(refused.stderr).toMatch(
      new RegExp(`^ai-model-hub: [^\\n]*in use by another process \\(pid ${hub.child.pid}\\)[^\\n]*\\n$`),
    );
    expect(statuses.length).toBeGreaterThan(5);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await readModel('first')).toMatchObject({ alias: 'first' });
    expect(databasePid(dataDir)).not.toBeNull();
  });

  it('counts every call that was answered before and during a SIGTERM, and keeps everything', async () => {
    await send('POST', CONFIGS, aModelConfig({ alias: 'counted', api_base: provider.url, description: 'kept' }));
    const token = await send('POST', '/api/v1/tokens', { name: 'kept', scopes: ['invoke'] });
    const before = await readModels();
    const files = ['admin-token', 'encryption-keys'].map(readFileOf);
    const answered = await Promise.all(
      Array.from({ length: 40 }, (_, index) => call('counted', { stream: index % 2 === 0 })),
    );
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200]));

    // And calls that are under way when the signal comes.
    provider.answerWith(async (received, response) => {
      await sleep(300);
      await politeScript(received, response);
    });
    const arrivedBefore = provider.calls.length;
    const open = Promise.all(Array.from({ length: 20 }, (_, index) => call('counted', { stream: index % 2 === 0 })));
    while (provider.calls.length < arrivedBefore + 20) await sleep(5);
    const stoppedAt = performance.now();
    expect(await hub.stop('SIGTERM')).toBe(0);
    const stopMilliseconds = performance.now() - stoppedAt;
    const late = await open;
    provider.answerWith(politeScript);
    expect(late.filter(({ status, text }) => status !== 200 || text.includes('"error"'))).toEqual([]);
    expect(databasePid(dataDir)).toBeNull();

    const warm = await start();
    console.log(`stop with 20 calls under way: ${Math.round(stopMilliseconds)} ms; warm start: ${Math.round(warm)} ms`);
    expect(stopMilliseconds).toBeLessThan(5000);
    expect(warm).toBeLessThan(READY_MILLISECONDS);
    expect(await readModel('counted')).toMatchObject({ usage_count: 60, error_count: 0, last_error: null });
    expect(['admin-token', 'encryption-keys'].map(readFileOf)).toEqual(files);
    const withoutUsage = (models: Body[]): Body[] =>
      models.map(({ usage_count: _count, last_used_at: _time, ...rest }) => rest);
    expect(withoutUsage(await readModels())).toEqual(withoutUsage(before));
    const models = await fetch(`${hub.url}/v1/models`, {
      headers: { authorization: `Bearer ${String(token.body['token'])}` },
    });
    expect(models.status).toBe(200);
    expect(await call('counted')).toMatchObject({ status: 200 });
  });

  it('ends at once when it is told to just after its start, and leaves no server behind', async () => {
    await hub.stop('SIGTERM');
    await start();
    const stoppedAt = performance.now();
    expect(await hub.stop('SIGTERM')).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(3000);
    expect(databasePid(dataDir)).toBeNull();
    expect(hub.output()).not.toContain('"level":"error"');
  });
});
