// Everything that a hub does, all the time, for minutes: what it holds on to does not grow.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { INSTANCES_PATH, MODELS_PATH, STORAGE_PREFIX } from '../../src/contract/paths.js';
import { aModelConfig } from '../factories/model-config.js';
import { aChat, openCall, until, type Answer, type Json } from '../support/calls.js';
import { percentile, rounds } from '../support/chaos.js';
import { connectToEmbedded, removeDataDirectory } from '../support/embedded-database.js';
import { chunk, politeScript, startFakeProvider, type FakeProvider } from '../support/fake-provider.js';
import { CONFIGS } from '../support/hub.js';
import { InspectedProcess, type Holdings } from '../support/inspected-process.js';
import { startSteadyLoad, type Entry } from '../support/steady-load.js';

const REQUESTS_PER_SECOND = 50;
/** Caches fill, code is compiled, the pool is opened. */
const WARM_UP_MILLISECONDS = rounds(10_000, 60_000);
const MILLISECONDS = rounds(30_000, 600_000);
const LOOKS = rounds(10, 40);
const POOL = 10;
/** Beside the pool there are those that have a name of their own: who listens, who looks whether the server lives. */
const COUNT_CONNECTIONS = `SELECT count(*)::int AS count FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND application_name NOT LIKE 'ai-model-hub %'`;
const PIECES = 200;
const READS = [
  `${CONFIGS}?limit=50`,
  `/${MODELS_PATH}`,
  `/${STORAGE_PREFIX}/statistics?interval=hour`,
  `/${INSTANCES_PATH}`,
  '/health/ready',
  '/metrics',
];

interface Look extends Holdings {
  /** Of the pool. */
  connections: number;
}

const median = (values: readonly number[]): number => percentile(values, 0.5);

// What a process holds open is read from /proc.
const onLinux = existsSync('/proc/self/fd') ? describe : describe.skip;

onLinux(`a hub under mixed load for ${MILLISECONDS / 1000} s`, () => {
  const adminToken = `admin-${randomBytes(24).toString('hex')}`;
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-soak-'));
  let provider: FakeProvider;
  let hub: InspectedProcess;
  let database: pg.Client;
  let model: Json;
  /** Streams that were left, and those of them that the provider saw end. */
  let left = 0;
  let ended = 0;

  beforeAll(async () => {
    provider = await startFakeProvider((asked, response) => {
      provider.calls.length = 0;
      if (asked.body['user'] !== 'leaves') return politeScript(asked, response);
      left += 1;
      void asked.closed.then(() => (ended += 1));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let count = 0;
      const timer = setInterval(() => {
        if (response.destroyed || (count += 1) > PIECES) clearInterval(timer);
        else response.write(chunk('12345678'));
      }, 50);
      return undefined;
    });
    hub = await InspectedProcess.start({ PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN: adminToken });
    database = await connectToEmbedded(dataDir);
    model = (await send('POST', CONFIGS, aModelConfig({ api_base: provider.url }))).json;
  });
  afterAll(async () => {
    await database.end();
    await hub.stop();
    await provider.close();
    removeDataDirectory(dataDir);
  });

  const send = (method: string, path: string, body: Json | string = ''): Promise<Answer> =>
    openCall(hub.hub.url, adminToken, body, { method, path }).done;
  const chat = (fields: Json = {}): Promise<Answer> =>
    openCall(hub.hub.url, adminToken, aChat(model['alias'], fields)).done;
  /** Leaves after the first piece of the answer. */
  const leave = async (): Promise<Answer> => {
    const open = openCall(hub.hub.url, adminToken, aChat(model['alias'], { stream: true, user: 'leaves' }));
    const { status, headers } = await open.head;
    await until(
      () => open.pieces.length,
      (count) => count > 0,
      10_000,
    );
    open.leave();
    return { status, headers, bytes: Buffer.alloc(0), text: '', json: {}, error: {} };
  };
  /** A config that comes, changes and goes, so that there are never more of them. */
  const write = async (): Promise<Answer> => {
    const made = await send('POST', CONFIGS, aModelConfig({ api_base: provider.url }));
    const path = `${CONFIGS}/${String(made.json['id'])}`;
    await send('PUT', path, { description: 'changed' });
    return send('DELETE', path);
  };
  /** Of twenty: one abandoned stream, two streams, four reads, a write, and calls. */
  const askNth = (nth: number): { kind: string; answer: Promise<Answer> } => {
    const place = nth % 20;
    if (place === 0) return { kind: 'abandoned stream', answer: leave() };
    if (place === 5 || place === 15) return { kind: 'stream', answer: chat({ stream: true }) };
    if (place === 10) return { kind: 'write', answer: write() };
    if (place % 5 === 2)
      return { kind: 'read', answer: send('GET', READS[Math.floor(nth / 5) % READS.length] as string) };
    return { kind: 'call', answer: chat() };
  };

  const connections = async (): Promise<number> => {
    const found = await database.query<{ count: number }>(COUNT_CONNECTIONS);
    return found.rows[0]?.count ?? 0;
  };
  const play = async (milliseconds: number): Promise<readonly Entry[]> => {
    const load = startSteadyLoad(REQUESTS_PER_SECOND, askNth);
    await sleep(milliseconds);
    return load.stop();
  };
  const look = async (): Promise<Look> => ({ ...(await hub.holdings()), connections: await connections() });

  it('holds on to no more at the end than in the middle', async () => {
    await play(WARM_UP_MILLISECONDS);
    const looks: Look[] = [];
    const entries: Entry[] = [];
    for (let nth = 0; nth < LOOKS; nth += 1) {
      entries.push(...(await play(MILLISECONDS / LOOKS)));
      looks.push(await look());
    }
    const halves = [looks.slice(0, LOOKS / 2), looks.slice(LOOKS / 2)];
    const table = Object.fromEntries(
      (['heap', 'resident', 'descriptors', 'sockets', 'connections'] as const).map((name) => {
        const [first = 0, second = 0] = halves.map((half) => median(half.map((one) => one[name])));
        return [name, { first, second, most: Math.max(...looks.map((one) => one[name])) }];
      }),
    ) as Record<keyof Look, { first: number; second: number; most: number }>;
    const lines = Object.entries(table).map(([name, row]) => [
      name,
      ...Object.values(row).map((one) => one.toFixed(1)),
    ]);
    console.log(
      [['median of', 'first half', 'second half', 'most'], ...lines]
        .map((cells) => cells.map((cell) => cell.padStart(12)).join(' '))
        .join('\n'),
    );
    const kinds = [...new Set(entries.map(({ kind }) => kind))].toSorted();
    for (const kind of kinds) {
      const times = entries.filter((entry) => entry.kind === kind).map(({ milliseconds }) => milliseconds);
      const [p50, p99] = [median(times), percentile(times, 0.99)].map(Math.round);
      console.log(`${kind}: ${times.length} times, p50 ${p50} ms, p99 ${p99} ms`);
    }
    expect(kinds).toEqual(['abandoned stream', 'call', 'read', 'stream', 'write']);
    expect(entries.filter(({ status }) => status < 200 || status > 299)).toEqual([]);
    const { heap, descriptors, connections: ofDatabase } = table;
    expect(heap.second).toBeLessThanOrEqual(heap.first * 1.1);
    expect(Math.abs(descriptors.second - descriptors.first)).toBeLessThanOrEqual(5);
    expect(ofDatabase.most).toBeLessThanOrEqual(POOL);
    // Nothing goes on at the provider that nobody waits for.
    await until(
      () => left - ended,
      (open) => open === 0,
      5000,
    );
    expect(left).toBeGreaterThan(0);
  });
});
