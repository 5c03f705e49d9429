// Encryption keys are added, activated, rewrapped and removed in a running service, through its API or by hand, by one
// process or several: what speaks against it is refused by name, and no key is ever told.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { EncryptionKeyState, EncryptionKeyStatus, RewrapResult } from '../src/contract/encryption-key.contract.js';
import type { HistoryList } from '../src/contract/history.contract.js';
import type { Snapshot, SnapshotModel } from '../src/contract/snapshot.contract.js';
import { KeyRingWatcher } from '../src/storage/crypto/key-ring-watcher.js';
import { SEALED_TABLES } from '../src/storage/crypto/sealed-tables.js';
import { aWebhook } from './factories/alert-channel.js';
import { aModelConfig } from './factories/model-config.js';
import { CHANNELS } from './support/alerts.js';
import { aChat, call, saveModel, until, type Json } from './support/calls.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { dumpTables, hashOfTables } from './support/dump.js';
import { type FakeProvider, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startHubProcess } from './support/hub-process.js';
import { KeyFile } from './support/key-file.js';
import { mutationsOf } from './support/sealed-mutations.js';

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const KEYS = '/api/v1/encryption-keys';
const TABLE = 'ai_model_configs';
const CHANNELS_TABLE = 'alert_channels';
/** A change of the file is seen within a second; the rest is for a busy machine. */
const NOTICED_MILLISECONDS = 5000;
const PROCESS_ROW = `INSERT INTO storage_processes (id, started_at, seen_at, key_ids, active_key_id)
  VALUES ($1, now(), now() - $2 * interval '1 second', $3, $4)`;

type Request = Pick<TestHub, 'request'>;

const statusOf = async (hub: Request): Promise<EncryptionKeyStatus> =>
  (await hub.request('get', KEYS).expect(200)).body as EncryptionKeyStatus;
const add = async (hub: Request): Promise<string> =>
  ((await hub.request('post', KEYS).expect(201)).body as EncryptionKeyState).id;
const activate = (hub: Request, keyId: string): ReturnType<TestHub['request']> =>
  hub.request('put', `${KEYS}/active`).send({ key_id: keyId });
const rewrap = async (hub: Request, fields: Json = {}): Promise<RewrapResult> =>
  (await hub.request('post', `${KEYS}/rewrap`).send(fields).expect(200)).body as RewrapResult;
const remove = (hub: Request, keyId: string): ReturnType<TestHub['request']> =>
  hub.request('delete', `${KEYS}/${keyId}`);
const rewrapAll = async (hub: Request): Promise<RewrapResult[]> => {
  const results: RewrapResult[] = [];
  do results.push(await rewrap(hub, { limit: 7 }));
  while (results.at(-1)?.remaining !== 0);
  return results;
};
/** Adds a key and makes it the active one. */
const switchKey = async (hub: Request): Promise<string> => {
  const id = await add(hub);
  await activate(hub, id).expect(200);
  return id;
};

const keyIdsOf = async (hub: TestHub): Promise<Record<string, string>> => {
  const rows = await hub.database.query<{ alias: string; key: string }>(
    `SELECT alias, concat_ws(' ', split_part(api_key, '.', 2), split_part(auth_headers, '.', 2)) AS key FROM ${TABLE}`,
  );
  return Object.fromEntries(rows.map(({ alias, key }) => [alias, key]));
};

const readSnapshot = async (hub: TestHub): Promise<Map<string, SnapshotModel>> => {
  const { body } = await hub.request('get', '/internal/v1/snapshot', hub.serviceToken).expect(200);
  return new Map((body as Snapshot).models.map((model) => [model.id, model]));
};

const hubOn = (file: KeyFile, options: Parameters<typeof startHub>[0] = {}): Promise<TestHub> =>
  startHub({
    ...options,
    env: { ENCRYPTION_KEYS: undefined, ENCRYPTION_KEYS_FILE: file.path, ...options.env },
  });

/** What the log has at a level, or of a kind. */
const linesOf = (hub: TestHub, pattern: RegExp): string[] =>
  hub
    .logs()
    .split('\n')
    .filter((line) => pattern.test(line));

describe('a key ring in a file', () => {
  let file: KeyFile;
  let hub: TestHub;
  let provider: FakeProvider;
  const secrets = new Map<string, string>();

  const save = async (fields: Json = {}): Promise<string> => {
    const body = aModelConfig({ api_base: provider.url, ...fields });
    const id = String((await saveModel(hub, body))['id']);
    secrets.set(id, String(body['api_key']));
    return id;
  };
  const expectEverySecretToOpen = async (): Promise<void> => {
    const models = await readSnapshot(hub);
    const seen = [...secrets.keys()].map((id) => [id, models.get(id)?.api_key]);
    expect(seen).toEqual([...secrets]);
  };
  const edit = (statement: string, values: unknown[]): Promise<unknown> => hub.database.query(statement, values);

  beforeEach(async () => {
    file = new KeyFile();
    [hub, provider] = await Promise.all([hubOn(file), startFakeProvider()]);
    secrets.clear();
  });
  afterEach(async () => {
    await Promise.all([hub.close(), provider.close()]);
    file.remove();
  });

  it('is shown with what is sealed under each key, and without where the file is', async () => {
    for (const alias of ['one', 'two']) await save({ alias, auth_headers: { 'x-org': 'an-organisation' } });
    await save({ alias: 'none', provider: 'local', is_local: true, api_key: null });
    const id = await add(hub);
    const status = await statusOf(hub);
    expect(status).toEqual({
      active_key_id: 'k1',
      source: { kind: 'file', file: 'ring', writable: true, problem: null },
      keys: [
        {
          id: 'k1',
          active: true,
          in_ring: true,
          rows: { [TABLE]: 2, [CHANNELS_TABLE]: 0 },
          created_at: expect.any(String),
        },
        { id, active: false, in_ring: true, rows: { [TABLE]: 0, [CHANNELS_TABLE]: 0 }, created_at: expect.any(String) },
      ],
      unrecognised_rows: { [TABLE]: 0, [CHANNELS_TABLE]: 0 },
      processes: [
        {
          id: expect.any(String),
          started_at: expect.any(String),
          seen_at: expect.any(String),
          is_this_one: true,
          key_ids: ['k1', id],
          active_key_id: 'k1',
        },
      ],
    });
    expect(JSON.stringify(status)).not.toContain(file.directory);
  });

  it('is rotated step by step, and the next start needs the new key alone', async () => {
    for (let number = 0; number < 20; number += 1)
      await save(number % 4 ? {} : { auth_headers: { 'x-org': 'secret' } });
    const before = await hub.database.query(`SELECT * FROM ${TABLE} ORDER BY id`);
    const oldText = file.read();

    const id = await add(hub);
    expect(id).toMatch(/^k\d{8}-[0-9a-f]{6}$/);
    expect(file.keyIds).toEqual(['k1', id]);
    expect((await activate(hub, id).expect(200)).body).toEqual({ id, active: true });
    expect(file.keyIds).toEqual([id, 'k1']);
    expect(file.read()).toContain(oldText);
    await remove(hub, 'k1').expect(409);

    const batches = await rewrapAll(hub);
    expect(batches.map(({ rewrapped, remaining }) => [rewrapped, remaining])).toEqual([
      [7, 13],
      [7, 6],
      [6, 0],
    ]);
    expect(batches.at(-1)).toEqual({
      dry_run: false,
      active_key_id: id,
      rewrapped: 6,
      remaining: 0,
      unreadable: [],
      unreadable_total: 0,
    });
    expect(new Set(Object.values(await keyIdsOf(hub)))).toEqual(new Set([id, `${id} ${id}`]));

    const removed = await remove(hub, 'k1').expect(200);
    expect(removed.body).toEqual({ id: 'k1', notice: expect.stringMatching(/Backups .* k1/) });
    expect(file.keyIds).toEqual([id]);
    await expectEverySecretToOpen();

    // Nothing of a row has changed but whom its data keys are wrapped for.
    const after = await hub.database.query<Json>(`SELECT * FROM ${TABLE} ORDER BY id`);
    const withoutWrap = (rows: Json[]): Json[] =>
      rows.map((row) => ({
        ...row,
        api_key: String(row['api_key']).split('.').at(-1),
        auth_headers: String(row['auth_headers']).split('.').at(-1),
      }));
    expect(withoutWrap(after)).toEqual(withoutWrap(before as Json[]));

    await hub.stop();
    const { database, dataDir, adminToken: ADMIN_TOKEN, serviceToken: STORAGE_SERVICE_TOKEN } = hub;
    hub = await hubOn(file, { database, dataDir, env: { ADMIN_TOKEN, STORAGE_SERVICE_TOKEN } });
    await expectEverySecretToOpen();
    const [alias] = Object.keys(await keyIdsOf(hub));
    expect((await call(hub, aChat(alias))).status).toBe(200);
  });

  it('leaves in the history who did what, once a step, and no key', async () => {
    for (let number = 0; number < 10; number += 1) await save();
    const channel = await hub.request('post', CHANNELS).send(aWebhook({ url: provider.url, secret: 'a secret' }));
    const token = await hub.createToken('admin');
    const { body } = await hub.request('post', KEYS, token).set('x-request-id', 'add-it').expect(201);
    const { id } = body as EncryptionKeyState;
    await activate(hub, id).expect(200);
    await activate(hub, id).expect(200);
    expect((await remove(hub, 'k1').expect(409)).body).toMatchObject({
      detail: expect.stringContaining(`k1: 10 of ${TABLE}, 1 of ${CHANNELS_TABLE}`),
    });
    await rewrapAll(hub);
    await rewrap(hub);
    await remove(hub, 'k1').expect(200);
    // Address and secret of the channel open under the key that is left.
    await hub.request('post', `${CHANNELS}/${String(channel.body.id)}/test`).expect(200);
    expect(provider.calls.at(-1)?.headers['webhook-signature']).toMatch(/^v1,/);
    const answer = await hub.request('get', '/api/v1/history?kind=encryption_key').expect(200);
    const { entries } = answer.body as HistoryList;
    expect(entries.toReversed().map(({ action, subject_id, changes }) => ({ action, subject_id, changes }))).toEqual([
      { action: 'create', subject_id: id, changes: [{ field: 'key_ids', from: ['k1'], to: ['k1', id] }] },
      {
        action: 'activate',
        subject_id: id,
        changes: [
          { field: 'active_key_id', from: 'k1', to: id },
          { field: 'key_ids', from: ['k1', id], to: [id, 'k1'] },
        ],
      },
      {
        action: 'rewrap',
        subject_id: id,
        changes: [
          { field: 'rows', from: null, to: { [TABLE]: 10, [CHANNELS_TABLE]: 1 } },
          { field: 'unreadable', from: null, to: 0 },
        ],
      },
      { action: 'remove', subject_id: 'k1', changes: [{ field: 'key_ids', from: [id, 'k1'], to: [id] }] },
    ]);
    expect(entries.at(-1)).toMatchObject({ request_id: 'add-it', actor_name: 'test' });
    await hub.request('get', '/api/v1/history?kind=encryption_key', await hub.createToken('models:read')).expect(403);
  });

  it('a dry run tells what a batch would do and changes nothing', async () => {
    for (let number = 0; number < 9; number += 1) await save();
    const id = await switchKey(hub);
    const state = async (): Promise<string> =>
      (await hashOfTables(
        (text) => hub.database.query(text),
        ['storage_processes', 'ai_model_instances', 'usage_batches'],
      )) + file.read();
    const before = await state();
    const dry = { dry_run: true, active_key_id: id, unreadable: [], unreadable_total: 0 };
    expect(await rewrap(hub, { dry_run: true })).toEqual({ ...dry, rewrapped: 9, remaining: 0 });
    expect(await rewrap(hub, { dry_run: true, limit: 4 })).toEqual({ ...dry, rewrapped: 4, remaining: 5 });
    expect(await state()).toBe(before);
    expect(await rewrap(hub)).toMatchObject({ dry_run: false, rewrapped: 9, remaining: 0 });
    expect(await rewrap(hub, { dry_run: true })).toEqual({ ...dry, rewrapped: 0, remaining: 0 });
  });

  it('rows that do not open are named and left, and keep nothing else from being done', async () => {
    // More of them than fit into a batch, and none of them ever counts as done.
    const kinds: ((sealed: string, other: string) => string)[] = [
      (sealed) => mutationsOf(sealed)[300]?.text ?? '',
      (sealed) => `${sealed.slice(0, -3)}${sealed.at(-3) === 'A' ? 'B' : 'A'}${sealed.slice(-2)}`,
      (_sealed, other) => other,
      (sealed) => sealed.slice(0, 60),
      (sealed) => sealed.replace('hub1.k1.', 'hub1.long-lost.'),
      () => 'a key in clear',
      () => '',
    ];
    const good = await save({ alias: 'good-0' });
    const { api_key: goodText } = (
      await hub.database.query<{ api_key: string }>(`SELECT api_key FROM ${TABLE} WHERE id = $1`, [good])
    )[0] as { api_key: string };
    const damaged: string[] = [];
    for (const damage of kinds) {
      const id = await save();
      secrets.delete(id);
      const [row] = await hub.database.query<{ api_key: string }>(`SELECT api_key FROM ${TABLE} WHERE id = $1`, [id]);
      await edit(`UPDATE ${TABLE} SET api_key = $2 WHERE id = $1`, [id, damage(row?.api_key ?? '', goodText)]);
      damaged.push(id);
    }
    for (let number = 1; number < 6; number += 1) await save({ alias: `good-${number}` });
    // One of two secrets in a row.
    const half = await save({ auth_headers: { 'x-org': 'secret' } });
    secrets.delete(half);
    await edit(
      `UPDATE ${TABLE} SET auth_headers = replace(auth_headers, 'hub1.k1.', 'hub1.long-lost.') WHERE id = $1`,
      [half],
    );
    damaged.push(half);
    const texts = (): Promise<unknown> =>
      hub.database.query(`SELECT id, api_key, auth_headers FROM ${TABLE} WHERE id = ANY($1) AND id <> $2 ORDER BY id`, [
        damaged,
        half,
      ]);
    const before = await texts();

    const id = await switchKey(hub);
    const results: RewrapResult[] = [];
    do results.push(await rewrap(hub, { limit: 2 }));
    while (results.at(-1)?.remaining !== 0);

    expect(results.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(7);
    expect(results.at(-1)?.unreadable_total).toBe(damaged.length);
    expect([...(results.at(-1)?.unreadable ?? [])].sort()).toEqual([...damaged].sort());
    expect(await texts()).toEqual(before);
    await expectEverySecretToOpen();
    const status = await statusOf(hub);
    expect(status.unrecognised_rows).toEqual({ [TABLE]: 2, [CHANNELS_TABLE]: 0 });
    expect(status.keys).toEqual([
      expect.objectContaining({ id, rows: { [TABLE]: 7, [CHANNELS_TABLE]: 0 } }),
      expect.objectContaining({ id: 'k1', in_ring: true, rows: { [TABLE]: 4, [CHANNELS_TABLE]: 0 } }),
      { id: 'long-lost', active: false, in_ring: false, rows: { [TABLE]: 2, [CHANNELS_TABLE]: 0 }, created_at: null },
    ]);
    const refused = await remove(hub, 'k1').expect(409);
    expect(refused.body).toMatchObject({ code: 'encryption_key_in_use' });
    expect(String(refused.body.detail)).toMatch(/k1: 4 of ai_model_configs.*entered again/);

    // Entered again, they are sealed under the new key, and the old one is free.
    for (const victim of damaged) {
      const fields = { api_key: 'entered-again-0123', ...(victim === half && { auth_headers: null }) };
      await hub.request('put', `${CONFIGS}/${victim}`).send(fields).expect(200);
      secrets.set(victim, 'entered-again-0123');
    }
    expect(await rewrap(hub)).toMatchObject({ rewrapped: 0, remaining: 0, unreadable_total: 0 });
    await remove(hub, 'k1').expect(200);
    await expectEverySecretToOpen();
  });

  it('a row that somebody works on is left for the next batch', async () => {
    const ids = [await save(), await save(), await save()];
    const id = await switchKey(hub);
    const client = new pg.Client({ connectionString: hub.database.url });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(`SELECT 1 FROM ${TABLE} WHERE id = $1 FOR UPDATE`, [ids[1]]);
      const started = performance.now();
      expect(await rewrap(hub)).toMatchObject({ rewrapped: 2, remaining: 1, unreadable_total: 0 });
      expect(performance.now() - started).toBeLessThan(2000);
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
    expect(await rewrap(hub)).toMatchObject({ rewrapped: 1, remaining: 0 });
    expect(new Set(Object.values(await keyIdsOf(hub)))).toEqual(new Set([id]));
  });

  it('a key that is active, in use or unknown is not removed, and an unknown one not activated', async () => {
    await save();
    const id = await add(hub);
    const before = file.read();
    const refusals: [ReturnType<TestHub['request']>, number, string, RegExp][] = [
      [remove(hub, 'k1'), 409, 'encryption_key_in_use', /k1 is the active key/],
      [remove(hub, 'k9'), 404, 'encryption_key_not_found', /no key k9/],
      [activate(hub, 'k9'), 404, 'encryption_key_not_found', /no key k9/],
      [remove(hub, 'not.an.id'), 400, 'validation_failed', /id must be 1 to 32/],
      [remove(hub, randomUUID()), 400, 'validation_failed', /id must be 1 to 32/],
      [activate(hub, 'not.an.id'), 400, 'validation_failed', /key_id must be/],
      [hub.request('put', `${KEYS}/active`).send({}), 400, 'validation_failed', /key_id must be sent/],
      [hub.request('post', `${KEYS}/rewrap`).send({ limit: 0 }), 400, 'validation_failed', /limit must be/],
      [hub.request('post', `${KEYS}/rewrap`).send({ limit: 1001 }), 400, 'validation_failed', /limit must be/],
      [hub.request('post', `${KEYS}/rewrap`).send({ dry_run: 'yes' }), 400, 'validation_failed', /dry_run must be/],
      [hub.request('post', `${KEYS}/rewrap`).send({ all: true }), 400, 'validation_failed', /all is not known/],
    ];
    for (const [request, status, code, detail] of refusals) {
      const answer = await request;
      expect({ status: answer.status, body: answer.body as Json }).toMatchObject({ status, body: { code } });
      expect((answer.body as Json)['detail']).toMatch(detail);
    }
    expect(file.read()).toBe(before);
    await activate(hub, id).expect(200);
    const inUse = await remove(hub, 'k1').expect(409);
    expect(inUse.body).toMatchObject({ code: 'encryption_key_in_use', detail: expect.stringContaining('k1: 1 of') });
  });

  it('the same request for a key adds it once, and two at once add two', async () => {
    const send = (): ReturnType<TestHub['request']> => hub.request('post', KEYS).set('idempotency-key', 'add-one');
    const [first, again] = [await send().expect(201), await send().expect(201)];
    expect(again.body).toEqual(first.body);
    expect(file.keyIds).toHaveLength(2);
    const ids = await Promise.all(Array.from({ length: 4 }, () => add(hub)));
    expect(file.keyIds.slice(2).sort()).toEqual([...ids].sort());
    expect((await statusOf(hub)).keys.map(({ id }) => id)).toEqual(file.keyIds);
  });

  it('has a hundred keys at most', async () => {
    const text = [file.read(), ...Array.from({ length: 98 }, (_, number) => randomKeyRing(`spare-${number}`))].join(
      ',',
    );
    file.write(text);
    const id = await add(hub);
    expect(file.keyIds).toHaveLength(100);
    const refused = await hub.request('post', KEYS).expect(409);
    expect(refused.body).toMatchObject({ code: 'too_many_encryption_keys' });
    await remove(hub, 'spare-7').expect(200);
    await hub.request('post', KEYS).expect(201);
    expect(file.keyIds.slice(-2)[0]).toBe(id);
  });

  it('is private and whole at every moment of being changed, and alone in its directory afterwards', async () => {
    const problems: unknown[] = [];
    let looks = 0;
    const over = new AbortController();
    const watch = (async (): Promise<void> => {
      while (!over.signal.aborted) {
        looks += 1;
        const { mode } = statSync(file.path);
        if ((mode & 0o777) !== 0o600) problems.push(mode.toString(8));
        for (const entry of file.entries)
          if (!/^[\w-]+:[A-Za-z0-9+/]{43}=$/.test(entry)) problems.push('half an entry');
        for (const name of readdirSync(file.directory)) {
          const found = statSync(join(file.directory, name), { throwIfNoEntry: false });
          if (found && (found.mode & 0o077) !== 0) problems.push(name);
        }
        await new Promise(setImmediate);
      }
    })();
    for (let number = 0; number < 5; number += 1) {
      const [old] = file.keyIds;
      await switchKey(hub);
      await remove(hub, String(old)).expect(200);
    }
    over.abort();
    await watch;
    expect(problems).toEqual([]);
    expect(looks).toBeGreaterThan(50);
    expect(readdirSync(file.directory)).toEqual(['ring']);
  });

  it('nothing is done that the history does not tell of', async () => {
    await save();
    const id = await switchKey(hub);
    await rewrapAll(hub);
    const before = file.read();
    await hub.database.query(`CREATE FUNCTION no_history() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the history is full'; END $$`);
    await hub.database.query(`CREATE TRIGGER no_history BEFORE INSERT ON change_history EXECUTE FUNCTION no_history()`);
    for (const request of [hub.request('post', KEYS), activate(hub, 'k1'), remove(hub, 'k1')]) {
      expect((await request).status).toBe(500);
      expect(file.read()).toBe(before);
      expect((await statusOf(hub)).keys.map((key) => key.id)).toEqual([id, 'k1']);
    }
    await hub.database.query('DROP FUNCTION no_history CASCADE');
    await remove(hub, 'k1').expect(200);
    expect(file.keyIds).toEqual([id]);
    await expectEverySecretToOpen();
  });

  it('the database refuses a row under a key that was removed, whoever writes it', async () => {
    await save();
    const original = file.read();
    const [old] = await hub.database.query<Json>(`SELECT * FROM ${TABLE}`);
    const id = await switchKey(hub);
    await rewrapAll(hub);
    await remove(hub, 'k1').expect(200);
    const insert = `INSERT INTO ${TABLE} (alias, provider, model_name, api_key) VALUES ($1, 'openai', 'm', $2)`;
    await expect(hub.database.query(insert, ['late', old?.['api_key']])).rejects.toMatchObject({
      code: '23001',
      constraint: 'key_in_ring',
    });
    await expect(hub.database.query(`UPDATE ${TABLE} SET auth_headers = $1`, [old?.['api_key']])).rejects.toMatchObject(
      { constraint: 'key_in_ring' },
    );
    // A key that comes back into the ring, such as from a backup, is as good as before.
    file.write(`${file.read()},${original}`);
    await until(
      () =>
        hub.database.query<{ removed_at: unknown }>(`SELECT removed_at FROM encryption_key_checks WHERE key_id = 'k1'`),
      ([row]) => row?.removed_at === null,
      NOTICED_MILLISECONDS,
    );
    await hub.database.query(insert, ['back', old?.['api_key']]);
    expect((await statusOf(hub)).keys.map((key) => [key.id, key.rows[TABLE]])).toEqual([
      [id, 1],
      ['k1', 1],
    ]);
  });

  it('a key under which a row is just being written is not removed', async () => {
    await save();
    const [old] = await hub.database.query<Json>(`SELECT api_key FROM ${TABLE}`);
    await switchKey(hub);
    await rewrapAll(hub);
    const client = new pg.Client({ connectionString: hub.database.url });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO ${TABLE} (alias, provider, model_name, api_key) VALUES ('late', 'openai', 'm', $1)`,
        [old?.['api_key']],
      );
      const removal = remove(hub, 'k1').then((answer) => answer);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await client.query('COMMIT');
      expect((await removal).body).toMatchObject({ code: 'encryption_key_in_use', status: 409 });
    } finally {
      await client.end();
    }
    expect(file.keyIds).toContain('k1');
    await hub.request('get', KEYS).expect(200);
  });

  it('every table with sealed columns is guarded so', async () => {
    const triggers = await hub.database.query<{ table: string; arguments: string }>(
      `SELECT tgrelid::regclass::text AS table, encode(tgargs, 'escape') AS arguments FROM pg_trigger
       WHERE tgname = 'key_in_ring' ORDER BY 1`,
    );
    const guarded = triggers.map(({ table, arguments: names }) => ({
      table,
      fields: names.split('\\000').filter(Boolean),
    }));
    expect(guarded).toEqual(SEALED_TABLES.map(({ table, fields }) => ({ table, fields: [...fields] })));
  });
});

describe('a key file that is changed by hand', () => {
  let file: KeyFile;
  let hub: TestHub;
  let provider: FakeProvider;
  let original: string;

  beforeAll(async () => {
    file = new KeyFile(`${randomKeyRing('k1')},${randomKeyRing('k0')}`);
    original = file.read();
    [hub, provider] = await Promise.all([hubOn(file), startFakeProvider()]);
    await saveModel(hub, { alias: 'kept', api_base: provider.url });
  });
  afterAll(async () => {
    await Promise.all([hub.close(), provider.close()]);
    file.remove();
  });
  afterEach(() => file.write(original));

  const noticed = (problem: RegExp | null): Promise<EncryptionKeyStatus> =>
    until(
      () => statusOf(hub),
      ({ source }) => (problem ? problem.test(source.problem ?? '') : source.problem === null),
      NOTICED_MILLISECONDS,
    );
  const waitForLine = (pattern: RegExp, count: number): Promise<string[]> =>
    until(
      () => linesOf(hub, pattern),
      (lines) => lines.length >= count,
      NOTICED_MILLISECONDS,
    );

  it('is taken over within a second, without anybody asking', async () => {
    const changes = linesOf(hub, /encryption keys were changed/).length;
    file.write(`${randomKeyRing('by-hand')},\n ${original}\n`);
    const lines = await waitForLine(/encryption keys were changed/, changes + 1);
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ active: 'by-hand', key_ids: ['by-hand', 'k1', 'k0'] });
    await saveModel(hub, { alias: 'sealed-by-hand', api_base: provider.url });
    expect(await keyIdsOf(hub)).toEqual({ kept: 'k1', 'sealed-by-hand': 'by-hand' });
    await until(
      () => call(hub, aChat('sealed-by-hand')),
      ({ status }) => status === 200,
    );
    await hub.request('delete', `${CONFIGS}/${await idOf('sealed-by-hand')}`).expect(204);
    file.write(original);
    await waitForLine(/encryption keys were changed/, changes + 2);
  });

  const idOf = async (alias: string): Promise<string> =>
    String(((await hub.request('get', `${CONFIGS}/by-alias/${alias}`).expect(200)).body as Json)['id']);

  it.each<[string, () => void, RegExp]>([
    ['with nonsense', () => file.write('correct horse battery staple'), /Key 1 must be id:base64/],
    ['that is empty', () => file.write(''), /empty/],
    ['that is written half', () => file.write(original.slice(0, 70)), /not valid: Key 2/],
    ['that lacks a key in use', () => file.write(original.slice(original.indexOf('k0'))), /lacks: k1\./],
    ['with another key in front only', () => file.write(randomKeyRing('k7')), /lacks: k1\./],
    ['with another key under the same id', () => file.write(randomKeyRing('k1')), /another key under the id k1/],
    ['with one key under two ids', () => file.write(`${original},k2:${original.split(/[:,]/)[1]}`), /same key as k1/],
    ['that others can read', () => file.write(original, 0o644), /others can read/],
    ['that is gone', () => rmSync(file.path), /cannot be read \(ENOENT\)/],
    ['that is huge', () => file.write('x'.repeat(100_000)), /at most 65536 bytes/],
  ])('%s is refused in one line, and the keys of before stay', async (_what, spoil, problem) => {
    const refusals = linesOf(hub, /is not used; the keys of before stay/).length;
    spoil();
    const status = await noticed(problem);
    expect(status).toMatchObject({ active_key_id: 'k1', source: { kind: 'file', file: 'ring' } });
    expect(status.keys.map(({ id }) => id)).toEqual(['k1', 'k0']);
    // Work goes on under the old keys, and nobody changes a file that is not in order.
    const { id, alias } = await saveModel(hub, { api_base: provider.url });
    expect((await keyIdsOf(hub))[String(alias)]).toBe('k1');
    expect((await readSnapshot(hub)).get(String(id))).toMatchObject({ credential_readable: true });
    expect((await call(hub, aChat('kept'))).status).toBe(200);
    const refused = await hub.request('post', KEYS);
    expect({ status: refused.status, body: refused.body as Json }).toMatchObject({
      status: 409,
      body: { code: 'encryption_keys_not_valid', detail: expect.stringMatching(problem) },
    });
    await new Promise((resolve) => setTimeout(resolve, 2200));
    const lines = linesOf(hub, /is not used; the keys of before stay/);
    expect(lines).toHaveLength(refusals + 1);
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ level: 'error', msg: expect.stringMatching(problem) });
    const inOrder = linesOf(hub, /in order again/).length;
    file.write(original);
    await noticed(null);
    expect(linesOf(hub, /in order again/)).toHaveLength(inOrder + 1);
    await hub.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
  });

  it('opens at once what another process has sealed under a new key, before it has looked at the file', async () => {
    const watcher = hub.application.nest.get(KeyRingWatcher);
    watcher.stop();
    try {
      file.write(`${randomKeyRing('ahead')},${original}`);
      const { database, adminToken: ADMIN_TOKEN, serviceToken: STORAGE_SERVICE_TOKEN } = hub;
      const other = await hubOn(file, { database, env: { ADMIN_TOKEN, STORAGE_SERVICE_TOKEN } });
      const { id, alias } = await saveModel(other, { api_base: provider.url, api_key: 'sealed-by-the-other-one' });
      expect((await keyIdsOf(hub))[String(alias)]).toBe('ahead');
      expect((await readSnapshot(hub)).get(String(id))).toMatchObject({ api_key: 'sealed-by-the-other-one' });
      await until(
        () => call(hub, aChat(alias)),
        ({ status }) => status === 200,
      );
      // Entered once more through the process that is behind: the same secret, so nothing is written.
      const same = await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send({ api_key: 'sealed-by-the-other-one' })
        .expect(200);
      expect((same.body as Json)['version']).toBe(1);
      await other.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
      await other.stop();
    } finally {
      file.write(original);
      watcher.start();
    }
  });
});

describe('processes that share a database', () => {
  let file: KeyFile;
  let hub: TestHub;

  beforeEach(async () => {
    file = new KeyFile();
    hub = await hubOn(file);
  });
  afterEach(async () => {
    await hub.close();
    file.remove();
  });

  const besideIt = (keys: KeyFile): Promise<TestHub> => {
    const { database, adminToken: ADMIN_TOKEN, serviceToken: STORAGE_SERVICE_TOKEN } = hub;
    return hubOn(keys, { database, env: { ADMIN_TOKEN, STORAGE_SERVICE_TOKEN } });
  };
  const processes = (): Promise<{ id: string; seen_at: Date; key_ids: string[]; active_key_id: string }[]> =>
    hub.database.query('SELECT id, seen_at, key_ids, active_key_id FROM storage_processes ORDER BY started_at');

  it('that share the file follow each other, whichever of them is asked', async () => {
    const other = await besideIt(file);
    try {
      const saved = [await saveModel(hub), await saveModel(other), await saveModel(hub)];
      const ids = await Promise.all([add(hub), add(other), add(hub), add(other)]);
      expect(file.keyIds.slice(1).sort()).toEqual([...ids].sort());
      const [id] = ids;
      // Asked at once: the one that is asked waits for the other.
      await activate(other, id).expect(200);
      const result = await rewrap(hub);
      expect(result).toMatchObject({ active_key_id: id, rewrapped: 3, remaining: 0 });
      expect((await statusOf(other)).processes).toHaveLength(2);
      await remove(other, 'k1').expect(200);
      for (const spare of ids.slice(1)) await remove(hub, spare).expect(200);
      expect(file.keyIds).toEqual([id]);
      for (const { id: config } of saved) {
        expect((await readSnapshot(hub)).get(String(config))?.credential_readable).toBe(true);
        expect((await readSnapshot(other)).get(String(config))?.credential_readable).toBe(true);
      }
    } finally {
      await other.stop();
    }
  });

  it('a key is not activated while a living process does not know it, nor removed while one seals with it', async () => {
    const ownFile = new KeyFile(file.read());
    const other = await besideIt(ownFile);
    try {
      await saveModel(hub);
      const id = await add(hub);
      const refused = await activate(hub, id).expect(409);
      const { processes: living } = await statusOf(hub);
      const lagging = living.find(({ is_this_one }) => !is_this_one);
      expect(lagging).toMatchObject({ key_ids: ['k1'], active_key_id: 'k1' });
      expect(refused.body).toMatchObject({ code: 'encryption_key_not_everywhere' });
      expect((refused.body as Json)['detail']).toContain(lagging?.id);
      expect(refused.headers['retry-after']).toBe('2');
      expect(file.keyIds).toEqual(['k1', id]);

      // It learns of the key, but goes on sealing under the old one.
      ownFile.write([...ownFile.entries, file.entries[1]].join(','));
      await activate(hub, id).expect(200);
      await saveModel(other);
      const behind = await hub.request('post', `${KEYS}/rewrap`).send({}).expect(409);
      expect(behind.body).toMatchObject({ code: 'encryption_key_not_everywhere' });
      await hub.database.query(`DELETE FROM ${TABLE}`);
      const sealing = await remove(hub, 'k1').expect(409);
      expect(sealing.body).toMatchObject({ code: 'encryption_key_in_use' });
      expect((sealing.body as Json)['detail']).toContain(lagging?.id);

      ownFile.write(file.read());
      await remove(hub, 'k1').expect(200);
    } finally {
      await other.stop();
      ownFile.remove();
    }
  });

  it('one that slept through a rotation cannot write under the key that was removed', async () => {
    const other = await besideIt(file);
    try {
      // Asleep: it neither looks at the file nor says that it lives.
      other.application.nest.get(KeyRingWatcher).stop();
      const id = await add(hub);
      await hub.database.query(`DELETE FROM storage_processes WHERE NOT ($1 = ANY (key_ids))`, [id]);
      await activate(hub, id).expect(200);
      await hub.database.query(`DELETE FROM storage_processes WHERE active_key_id <> $1`, [id]);
      await remove(hub, 'k1').expect(200);
      const refused = await other.request('post', CONFIGS).send(aModelConfig()).expect(409);
      expect(refused.body).toMatchObject({ code: 'conflict' });
      expect(await hub.database.query(`SELECT id FROM ${TABLE}`)).toEqual([]);
      other.application.nest.get(KeyRingWatcher).start();
      await until(
        async () => (await other.request('post', CONFIGS).send(aModelConfig())).status,
        (status) => status === 201,
        NOTICED_MILLISECONDS,
      );
      expect(new Set(Object.values(await keyIdsOf(hub)))).toEqual(new Set([id]));
    } finally {
      await other.stop();
    }
  });

  it('say every two seconds that they live, through an outage too, and are gone when they stop', async () => {
    const other = await besideIt(file);
    const [first, second] = await processes();
    expect([first?.key_ids, second?.key_ids]).toEqual([['k1'], ['k1']]);
    await hub.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await until(
      processes,
      (rows) => rows.length === 2 && rows.every(({ seen_at }) => seen_at > (second?.seen_at ?? new Date())),
      8000,
    );
    await other.stop();
    expect((await processes()).map(({ id }) => id)).toEqual([first?.id]);
  });

  it('one that was killed counts for thirty seconds, and then whoever comes along forgets it', async () => {
    const [dead, dying] = [randomUUID(), randomUUID()];
    await hub.database.query(PROCESS_ROW, [dead, 31, ['other'], 'other']);
    const id = await add(hub);
    await activate(hub, id).expect(200);
    await until(processes, (rows) => rows.length === 1);
    await hub.database.query(PROCESS_ROW, [dying, 10, ['k1', id], 'k1']);
    const refused = await hub.request('post', `${KEYS}/rewrap`).expect(409);
    expect((refused.body as Json)['detail']).toContain(dying);
    expect((await statusOf(hub)).processes.map((process) => process.id)).toContain(dying);
    await hub.database.query(`UPDATE storage_processes SET seen_at = now() - interval '31 seconds' WHERE id = $1`, [
      dying,
    ]);
    expect(await rewrap(hub)).toMatchObject({ remaining: 0 });
  });
});

describe('a key ring of the environment', () => {
  const [k1, k2] = [randomKeyRing('k1'), randomKeyRing('k2')];

  it('is not changed by the process: the answer says what to do, and that is enough for a rotation', async () => {
    let hub = await startHub({ env: { ENCRYPTION_KEYS: k1 } });
    const { database, dataDir, adminToken: ADMIN_TOKEN, serviceToken: STORAGE_SERVICE_TOKEN } = hub;
    const restartWith = async (ring: string): Promise<void> => {
      await hub.stop();
      const env = { ENCRYPTION_KEYS: ring, ADMIN_TOKEN, STORAGE_SERVICE_TOKEN };
      hub = await startHub({ database, dataDir, env });
    };
    const expectReadOnly = async (request: ReturnType<TestHub['request']>, detail: RegExp): Promise<void> => {
      const { body, status } = await request;
      expect({ status, code: (body as Json)['code'] }).toEqual({ status: 409, code: 'encryption_keys_read_only' });
      expect((body as Json)['detail']).toMatch(detail);
    };
    try {
      const { id: config } = await saveModel(hub, { api_key: 'of-the-environment' });
      expect((await statusOf(hub)).source).toEqual({ kind: 'environment', file: null, writable: false, problem: null });
      await expectReadOnly(hub.request('post', KEYS), /append it to ENCRYPTION_KEYS .* restart every storage process/);
      await activate(hub, 'k1').expect(200);

      await restartWith(`${k1},${k2}`);
      await expectReadOnly(activate(hub, 'k2'), /Put k2 first in ENCRYPTION_KEYS and restart/);
      await expectReadOnly(
        remove(hub, 'k2'),
        /Take k2 out of ENCRYPTION_KEYS and restart .*nothing is sealed under it/,
      );
      await restartWith(`${k2},${k1}`);
      expect((await remove(hub, 'k1').expect(409)).body).toMatchObject({ code: 'encryption_key_in_use' });
      expect(await rewrap(hub)).toMatchObject({ active_key_id: 'k2', rewrapped: 1, remaining: 0 });
      await expectReadOnly(remove(hub, 'k1'), /Take k1 out/);
      await restartWith(k2);
      expect((await readSnapshot(hub)).get(String(config))).toMatchObject({ api_key: 'of-the-environment' });
      expect((await statusOf(hub)).keys).toMatchObject([{ id: 'k2', rows: { [TABLE]: 1 } }]);
    } finally {
      await hub.close();
    }
  });
});

describe('a key file that the process may read and not write', () => {
  const NOBODY = { uid: 65_534, gid: 65_534 };
  // Root may write everywhere: then another user it is, whose file lies in root's directory.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? NOBODY : {};
  const isReachable = spawnSync(process.execPath, ['--check', MAIN], { ...user, cwd: tmpdir() }).status === 0;

  (isReachable ? it : it.skip)('is refused like the environment, with the name of the file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hub-test-readonly-'));
    const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
    const path = join(directory, 'ring');
    writeFileSync(path, randomKeyRing('k1'), { mode: 0o600 });
    if (isRoot) for (const owned of [path, dataDir]) chownSync(owned, NOBODY.uid, NOBODY.gid);
    chmodSync(directory, 0o555);
    const token = 'admin-token-of-the-test-of-a-read-only-file';
    // No database is needed to know it.
    const env = { PORT: '0', DATABASE_URL: 'postgresql://hub@127.0.0.1:1/hub', DATA_DIR: dataDir };
    const keys = { ADMIN_TOKEN: token, ENCRYPTION_KEYS_FILE: path };
    const hub = await startHubProcess({ ...env, ...keys }, { cwd: tmpdir(), ...user });
    try {
      const answer = await fetch(hub.url + KEYS, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
      const body = (await answer.json()) as Json;
      expect({ status: answer.status, body }).toMatchObject({
        status: 409,
        body: { code: 'encryption_keys_read_only' },
      });
      expect(body['detail']).toMatch(/may not write the file ring .*append it .*notices within a second/);
      expect(JSON.stringify(body)).not.toContain(directory);
    } finally {
      await hub.stop();
      for (const place of [directory, dataDir]) {
        chmodSync(place, 0o700);
        rmSync(place, { recursive: true, force: true });
      }
    }
  });
});

describe('no key of a ring', () => {
  it('is in any answer, log, header or row, whatever is done with it', async () => {
    const file = new KeyFile();
    const hub = await hubOn(file);
    const answers: string[] = [];
    const note = async (request: ReturnType<TestHub['request']>): Promise<Json> => {
      const { text, headers, body } = await request;
      answers.push(text, JSON.stringify(headers));
      return body as Json;
    };
    try {
      for (let number = 0; number < 3; number += 1) await saveModel(hub);
      const original = file.read();
      expect(file.entries).toHaveLength(1);
      const id = String((await note(hub.request('post', KEYS).set('idempotency-key', 'one')))['id']);
      await note(hub.request('post', KEYS).set('idempotency-key', 'one'));
      expect(file.entries).toHaveLength(2);
      for (const request of [
        hub.request('get', KEYS),
        activate(hub, id),
        hub.request('post', `${KEYS}/rewrap`).send({ dry_run: true }),
        hub.request('post', `${KEYS}/rewrap`).send({}),
        remove(hub, id),
        remove(hub, 'k1'),
        activate(hub, 'k1'),
        hub.request('get', '/api/v1/history'),
      ])
        await note(request);
      const whole = file.read();
      const [, secret = ''] = whole.split(/:/);
      for (const text of [secret, `${secret}:${id}`, `${whole},${whole}`, `${id}:${secret.slice(0, -4)}`, original]) {
        file.write(text);
        for (const request of [
          hub.request('get', KEYS),
          hub.request('post', KEYS),
          remove(hub, id),
          activate(hub, 'k9'),
        ])
          await note(request);
      }
      file.write(whole);
      await note(hub.request('get', KEYS));
      const keys = [...file.everSeen];
      expect(keys.length).toBeGreaterThanOrEqual(2);
      const scanner = new CanaryScanner([
        ...keys.map((text, index) => ({ name: `key ${index}`, text })),
        ...keys.map((text, index) => ({
          name: `bytes of key ${index}`,
          text: Buffer.from(text, 'base64').toString('hex'),
        })),
      ]);
      // The scanner finds what it is looking for.
      expect(scanner.scan('itself', `ring ${whole}`).length).toBeGreaterThan(0);
      const dump = await dumpTables((text) => hub.database.query(text));
      const findings = [
        ...answers.flatMap((text, index) => scanner.scan(`answer ${index}`, text)),
        ...scanner.scan('log', hub.logs()),
        ...Object.entries(dump).flatMap(([table, rows]) => scanner.scan(`table ${table}`, rows.join('\n'))),
      ];
      expect(findings).toEqual([]);
      expect(answers.length).toBeGreaterThan(40);
    } finally {
      await hub.close();
      file.remove();
    }
  });
});
