// Encryption keys are rotated ten times under constant reads, writes and calls, by two processes that share a file; and
// a process is killed again and again in the middle of it: no request fails, every rotation goes on, every secret opens.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EncryptionKeyStatus, RewrapResult } from '../src/contract/encryption-key.contract.js';
import type { Snapshot } from '../src/contract/snapshot.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { sized } from './support/chaos.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { dumpTables } from './support/dump.js';
import { type FakeProvider, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS } from './support/hub.js';
import { type HubProcess, startHubProcess } from './support/hub-process.js';
import { KeyFile } from './support/key-file.js';

type Body = Record<string, unknown>;

interface Answer {
  status: number;
  text: string;
  body: Body;
  retryAfter: string | null;
}

const KEYS = '/api/v1/encryption-keys';
const TABLE = 'ai_model_configs';
/** After so long a process that was killed does not count any more. */
const GONE_MILLISECONDS = 40_000;
const ADMIN_TOKEN = 'admin-token-of-the-key-rotation-test';
const SERVICE_TOKEN = 'service-token-of-the-key-rotation-test';

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

const aKey = (): string => `key-${randomBytes(15).toString('hex')}`;

const send = async (url: string, method: string, path: string, body?: unknown): Promise<Answer> => {
  const token = path.startsWith('/internal') ? SERVICE_TOKEN : ADMIN_TOKEN;
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    body: text.startsWith('{') ? (JSON.parse(text) as Body) : {},
    retryAfter: answer.headers.get('retry-after'),
  };
};

/** What an operator, or a program of his, does for a rotation, wherever the last one was left. */
class Rotation {
  constructor(
    private readonly urlOf: () => string,
    private readonly batch: number,
    private readonly onBatch: (result: RewrapResult) => void = () => undefined,
  ) {}

  /** Goes on with the rotation that was begun, or with a new one, until the ring has one key again. */
  async run(): Promise<void> {
    const { keys } = await this.status();
    if (keys.length === 1) await this.step('POST', '');
    for (;;) {
      const { active_key_id: activeId, keys: found } = await this.status();
      if (found.length === 1) return;
      const active = found.find(({ id }) => id === activeId);
      const other = found.find(({ id }) => id !== activeId);
      // The newer one is to be activated, the older one to go.
      if (String(other?.created_at) > String(active?.created_at)) {
        await this.step('PUT', '/active', { key_id: other?.id });
      } else {
        await this.rewrapAll();
        await this.step('DELETE', `/${other?.id}`);
      }
    }
  }

  private async rewrapAll(): Promise<void> {
    for (;;) {
      const { body } = await this.step('POST', '/rewrap', { limit: this.batch });
      const result = body as unknown as RewrapResult;
      expect(result).toMatchObject({ unreadable: [], unreadable_total: 0 });
      this.onBatch(result);
      if (result.remaining === 0) return;
    }
  }

  private async status(): Promise<EncryptionKeyStatus> {
    return (await this.step('GET', '')).body as unknown as EncryptionKeyStatus;
  }

  /** What is refused only because another process has not followed, or was killed, is asked again as the answer says. */
  private async step(method: string, path: string, body?: Body): Promise<Answer> {
    for (const end = Date.now() + GONE_MILLISECONDS; ; await sleep(1000)) {
      const answer = await send(this.urlOf(), method, KEYS + path, body);
      if (answer.status < 300) return answer;
      const isForLater = answer.status === 409 && answer.retryAfter !== null && Date.now() < end;
      if (!isForLater) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    }
  }
}

const readSecrets = async (url: string): Promise<Map<string, string | null>> => {
  const { status, body } = await send(url, 'GET', '/internal/v1/snapshot');
  expect(status).toBe(200);
  return new Map((body as unknown as Snapshot).models.map((model) => [model.alias, model.api_key]));
};

describe('keys that are rotated ten times while everything goes on', () => {
  const ROTATIONS = sized(4, 10, 10);
  const MODELS = 60;
  const ROTATIONS_MILLISECONDS = 240_000;
  const file = new KeyFile();
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
  let database: TestDatabase;
  let provider: FakeProvider;
  let hubs: HubProcess[] = [];

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    const env = {
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS_FILE: file.path,
      ADMIN_TOKEN,
      STORAGE_SERVICE_TOKEN: SERVICE_TOKEN,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
      LOG_LEVEL: 'debug',
    };
    hubs = await Promise.all([startHubProcess(env), startHubProcess(env)]);
  });
  afterAll(async () => {
    await Promise.all(hubs.map((hub) => hub.stop()));
    await Promise.all([database.drop(), provider.close()]);
    file.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it(
    'no request fails, no secret is lost, and none of the old keys is needed afterwards',
    async () => {
      const urlAt = (number: number): string => (hubs[number % hubs.length] as HubProcess).url;
      const models = Array.from({ length: MODELS }, (_, number) => ({
        alias: `model-${number}`,
        id: '',
        keys: [aKey()],
      }));
      for (const [number, model] of models.entries()) {
        const body = aModelConfig({ alias: model.alias, api_base: provider.url, api_key: model.keys[0] });
        const headers = number % 3 === 0 ? { auth_headers: { 'x-number': `header-${number}` } } : {};
        const saved = await send(urlAt(number), 'POST', CONFIGS, { ...body, ...headers });
        expect(saved.status).toBe(201);
        model.id = String(saved.body['id']);
      }
      await sleep(3000);

      const failures: string[] = [];
      const counts: Record<string, number> = {};
      const over = new AbortController();
      const note = (what: string, answer: Answer, right: number): Answer => {
        counts[what] = (counts[what] ?? 0) + 1;
        if (answer.status !== right) failures.push(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
        return answer;
      };
      const pick = <Item>(list: readonly Item[], number: number): Item => list[number % list.length] as Item;
      const worker = async (pause: number, work: (number: number) => Promise<void>): Promise<void> => {
        for (let number = 0; !over.signal.aborted; number += 1) {
          await work(number).catch((error: unknown) => failures.push(String(error)));
          await sleep(pause);
        }
      };

      const caller = (start: number) => async (number: number) => {
        const { alias, keys } = pick(models, start + number * 7);
        const chat = { model: alias, messages: [{ role: 'user', content: alias }] };
        note('call', await send(urlAt(number + start), 'POST', '/v1/chat/completions', chat), 200);
        const sent = provider.calls.findLast(({ body }) => JSON.stringify(body['messages']).includes(`"${alias}"`));
        const key = sent?.headers.authorization?.slice('Bearer '.length) ?? '';
        if (!keys.includes(key)) failures.push(`call of ${alias}: the provider got a key that is none of it`);
      };
      const reader = async (number: number): Promise<void> => {
        note('list', await send(urlAt(number), 'GET', `${CONFIGS}?limit=100`), 200);
        note('read', await send(urlAt(number + 1), 'GET', `${CONFIGS}/${pick(models, number * 11).id}`), 200);
        const broken = await send(urlAt(number), 'GET', `${CONFIGS}?status=error&limit=1`);
        if (note('list of errors', broken, 200).body['total'] !== 0) failures.push(`in error: ${broken.text}`);
      };
      /** Each writer has models of its own, so that it knows which key was the last. */
      const writer = (own: typeof models) => async (number: number) => {
        const model = pick(own, number);
        const key = aKey();
        model.keys.push(key);
        note('new key', await send(urlAt(number), 'PUT', `${CONFIGS}/${model.id}`, { api_key: key }), 200);
        note('change', await send(urlAt(number + 1), 'PUT', `${CONFIGS}/${model.id}`, { priority: number }), 200);
      };
      const creator = async (number: number): Promise<void> => {
        const body = aModelConfig({ api_base: provider.url, auth_headers: { 'x-passing': 'by' } });
        const created = note('create', await send(urlAt(number), 'POST', CONFIGS, body), 201);
        note('delete', await send(urlAt(number + 1), 'DELETE', `${CONFIGS}/${String(created.body['id'])}`), 204);
      };
      const load = Promise.all([
        worker(20, caller(0)),
        worker(20, caller(13)),
        worker(20, caller(29)),
        worker(50, reader),
        worker(40, writer(models.slice(0, 15))),
        worker(40, writer(models.slice(15, 30))),
        worker(60, creator),
      ]);

      const startedAt = performance.now();
      const everActive = new Set<string>();
      for (let round = 0; round < ROTATIONS; round += 1) {
        // Each step asks another of the two, as a load balancer would.
        let asked = round;
        await new Rotation(() => urlAt((asked += 1)), 20).run();
        expect(file.keyIds).toHaveLength(1);
        everActive.add(String(file.keyIds[0]));
        await sleep(500);
      }
      const seconds = (performance.now() - startedAt) / 1000;
      over.abort();
      await load;

      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      console.log(
        `${ROTATIONS} rotations in ${seconds.toFixed(1)} s; ${total} requests, ${failures.length} failed: ${JSON.stringify(counts)}`,
      );
      expect(failures).toEqual([]);
      expect(everActive.size).toBe(ROTATIONS);
      expect(counts['call']).toBeGreaterThan(200);
      for (const what of ['new key', 'create', 'read']) expect(counts[what]).toBeGreaterThan(20);

      const secrets = [await readSecrets(urlAt(0)), await readSecrets(urlAt(1))];
      for (const { alias, keys } of models) {
        expect(secrets.map((found) => found.get(alias))).toEqual([keys.at(-1), keys.at(-1)]);
      }
      const [used] = await database.query<{ ids: string[] }>(
        `SELECT array_agg(DISTINCT split_part(text, '.', 2)) AS ids
         FROM (SELECT api_key AS text FROM ${TABLE} UNION ALL SELECT auth_headers FROM ${TABLE}) AS texts
         WHERE text IS NOT NULL`,
      );
      expect(used?.ids).toEqual(file.keyIds);

      const output = hubs.map((hub) => hub.output()).join('\n');
      expect(output.split('\n').filter((line) => /"level":"(?:error|fatal)"/.test(line))).toEqual([]);
      const scanner = new CanaryScanner([...file.everSeen].map((text, index) => ({ name: `key ${index}`, text })));
      const dump = await dumpTables((text) => database.query(text));
      expect(scanner.scan('log', output)).toEqual([]);
      for (const [table, rows] of Object.entries(dump)) expect(scanner.scan(table, rows.join('\n'))).toEqual([]);
    },
    ROTATIONS_MILLISECONDS,
  );
});

describe(`a process that is killed in the middle of a rotation (TEST_SEED=${seed})`, () => {
  const MODELS = 600;
  const KILLS_WHILE_REWRAPPING = sized(5, 20, 50);
  const KILLS_ANYWHERE = sized(2, 6, 50);
  /** About as long as a rotation takes. */
  const WITHIN_MILLISECONDS = 2000;
  /** So small that all the kills fall into one rotation: at most five batches come before each. */
  const BATCH = 5;
  const KILLS_MILLISECONDS = sized(200_000, 400_000, 2_000_000);
  const random = randomNumbers(seed);
  const file = new KeyFile();
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
  const expected = new Map<string, string>();
  let database: TestDatabase;
  let provider: FakeProvider;
  let hub: HubProcess;

  const start = async (): Promise<void> => {
    hub = await startHubProcess({
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS_FILE: file.path,
      ADMIN_TOKEN,
      STORAGE_SERVICE_TOKEN: SERVICE_TOKEN,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    });
  };
  const kill = async (): Promise<void> => {
    await hub.stop('SIGKILL');
  };
  const keysInUse = async (): Promise<string[]> => {
    const rows = await database.query<{ id: string }>(
      `SELECT DISTINCT split_part(api_key, '.', 2) AS id FROM ${TABLE} ORDER BY 1`,
    );
    return rows.map(({ id }) => id);
  };
  const expectEverySecretToOpen = async (): Promise<void> => {
    const secrets = await readSecrets(hub.url);
    expect([...expected].filter(([alias, key]) => secrets.get(alias) !== key)).toEqual([]);
    expect(secrets.size).toBe(expected.size);
  };
  /** Resolves when it is through, or broken off because the process is gone. */
  const rotate = async (onBatch: (result: RewrapResult) => void = () => undefined): Promise<'done' | 'broken off'> => {
    try {
      await new Rotation(() => hub.url, BATCH, onBatch).run();
      return 'done';
    } catch (error) {
      // fetch fails with a TypeError when the connection is gone; everything else is a failure of the story.
      if ((error as Error).name === 'TypeError') return 'broken off';
      throw error;
    }
  };

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    await start();
    const aliases = Array.from({ length: MODELS }, (_, number) => `model-${number}`);
    const saveNext = async (): Promise<void> => {
      for (let alias = aliases.pop(); alias !== undefined; alias = aliases.pop()) {
        const key = aKey();
        const body = aModelConfig({ alias, api_base: provider.url, api_key: key });
        expect((await send(hub.url, 'POST', CONFIGS, body)).status).toBe(201);
        expected.set(alias, key);
      }
    };
    await Promise.all([saveNext(), saveNext(), saveNext(), saveNext()]);
  }, 120_000);
  afterAll(async () => {
    await hub.stop();
    await Promise.all([database.drop(), provider.close()]);
    file.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it(
    `goes on after ${KILLS_WHILE_REWRAPPING} kills while it rewraps: every secret opens, and the old key can go`,
    async () => {
      const rewrapped: number[] = [];
      for (let number = 0; number < KILLS_WHILE_REWRAPPING; number += 1) {
        let batches = 0;
        let before = performance.now();
        const enough = 2 + Math.floor(random() * 2);
        let killed: Promise<void> | undefined;
        const outcome = await rotate(({ rewrapped: rows }) => {
          rewrapped.push(rows);
          batches += 1;
          const milliseconds = performance.now() - before;
          before = performance.now();
          // Within the time of the next one: before its transaction, in it, at its end, or after it.
          if (batches === enough) killed = sleep(random() * Math.min(milliseconds, 100)).then(kill);
        });
        expect({ number, outcome }).toEqual({ number, outcome: 'broken off' });
        await killed;
        const keys = await keysInUse();
        expect({ number, keys: keys.length, kept: file.keyIds.length }).toEqual({ number, keys: 2, kept: 2 });
        await start();
        await expectEverySecretToOpen();
      }

      expect(await rotate()).toBe('done');
      expect(await keysInUse()).toEqual(file.keyIds);
      expect(file.keyIds).toHaveLength(1);
      console.log(`${KILLS_WHILE_REWRAPPING} kills while rewrapping, ${rewrapped.length} batches seen before them`);
      await hub.stop();
      await start();
      await expectEverySecretToOpen();
    },
    KILLS_MILLISECONDS,
  );

  it(
    `goes on after ${KILLS_ANYWHERE} kills at any moment, and the file is whole each time`,
    async () => {
      const seen = new Set<string>();
      for (let number = 0; number < KILLS_ANYWHERE; number += 1) {
        const killed = sleep(random() * WITHIN_MILLISECONDS).then(kill);
        const outcome = await rotate();
        await killed;
        // The half minute in which it still counts would be the moment of every other kill.
        await database.query('DELETE FROM storage_processes');
        expect(statSync(file.path).mode & 0o777).toBe(0o600);
        expect(file.keyIds.length).toBeGreaterThanOrEqual(1);
        seen.add(`${outcome} with ${file.keyIds.length} keys in the file, ${(await keysInUse()).length} in use`);
        await start();
        await expectEverySecretToOpen();
      }
      console.log([...seen].join('; '));
      expect(await rotate()).toBe('done');
      expect(await keysInUse()).toEqual(file.keyIds);
      await expectEverySecretToOpen();
      const chat = { model: 'model-7', messages: [{ role: 'user', content: 'Hi' }] };
      expect((await send(hub.url, 'POST', '/v1/chat/completions', chat)).status).toBe(200);
      expect(provider.calls.at(-1)?.headers.authorization).toBe(`Bearer ${expected.get('model-7')}`);
      // What a killed writer leaves beside the file is removed by a later one; nobody else can read it until then.
      for (const name of readdirSync(file.directory)) {
        expect(statSync(join(file.directory, name)).mode & 0o077).toBe(0);
      }
    },
    KILLS_MILLISECONDS,
  );
});
