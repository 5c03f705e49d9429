// What a process does that is started with a wrong setting, or with other keys than the ones its secrets are sealed
// under: it says so in one line, with the variable's name and without its value, ends with 78 and has changed nothing.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aModelConfig } from './factories/model-config.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { hashOfTables } from './support/dump.js';
import { connectToEmbedded, databasePid, removeDataDirectory } from './support/embedded-database.js';
import { type FakeProvider, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing } from './support/hub.js';
import { type HubProcess, startHubProcess } from './support/hub-process.js';
import { refusedStart, type RefusedStart } from './support/refused-start.js';

const EXIT_CONFIGURATION = 78;
/** It takes one or two seconds where nothing else runs; beside other suites several times that. */
const LIMIT_MILLISECONDS = 15_000;
const TOKEN = `operator${randomBytes(24).toString('hex')}`;

const root = mkdtempSync(join(tmpdir(), 'hub-test-start-'));
const directory = (): string => mkdtempSync(join(root, 'data-'));

const fileWith = (text: string, mode = 0o600): string => {
  const path = join(mkdtempSync(join(root, 'file-')), 'keys');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

/** What every refusal has in common. */
const expectRefusal = (refused: RefusedStart, variable: string, hidden: readonly string[]): void => {
  const output = refused.stdout + refused.stderr;
  expect(refused).toMatchObject({ code: EXIT_CONFIGURATION });
  expect(refused.stderr).toMatch(/^ai-model-hub: \S[^\n]+\n$/);
  expect(refused.stderr).toContain(variable);
  expect(refused.milliseconds).toBeLessThan(LIMIT_MILLISECONDS);
  expect(hidden.filter((text) => output.includes(text))).toEqual([]);
};

const authorization = { authorization: `Bearer ${TOKEN}` };

const save = async (url: string, fields: object): Promise<void> => {
  const answer = await fetch(url + CONFIGS, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify(aModelConfig({ ...fields })),
  });
  expect(answer.status).toBe(201);
};

const call = async (url: string, alias: string): Promise<number> => {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ model: alias, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  await answer.text();
  return answer.status;
};

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a start with a wrong setting', () => {
  const url = 'postgresql://user:pass-word-9@127.0.0.1:1/hub';
  const ring = randomKeyRing();
  const [, key = ''] = ring.split(':');
  const unwritable = join(root, 'a-file');
  writeFileSync(unwritable, '');

  it.each<[variable: string, what: string, env: Record<string, string>, hidden: string[]]>([
    ['ENCRYPTION_KEYS', 'is missing with DATABASE_URL', { DATABASE_URL: url }, ['pass-word-9']],
    ['ENCRYPTION_KEYS', 'has no colon', { DATABASE_URL: url, ENCRYPTION_KEYS: key }, [key, 'pass-word-9']],
    [
      'ENCRYPTION_KEYS',
      'is no base64',
      { DATABASE_URL: url, ENCRYPTION_KEYS: `k1:${key.slice(0, -2)}!!` },
      [key.slice(0, 20)],
    ],
    [
      'ENCRYPTION_KEYS',
      'is short',
      { DATABASE_URL: url, ENCRYPTION_KEYS: `k1:${randomBytes(16).toString('base64')}` },
      [],
    ],
    [
      'ENCRYPTION_KEYS',
      'is a passphrase',
      { DATABASE_URL: url, ENCRYPTION_KEYS: 'correct horse battery' },
      ['horse', 'battery'],
    ],
    ['ENCRYPTION_KEYS', 'repeats a key', { DATABASE_URL: url, ENCRYPTION_KEYS: `${ring},k2:${key}` }, [key]],
    ['ENCRYPTION_KEYS', 'repeats an id', { DATABASE_URL: url, ENCRYPTION_KEYS: `${ring},${randomKeyRing()}` }, [key]],
    ['ENCRYPTION_KEYS', 'ends with a comma', { DATABASE_URL: url, ENCRYPTION_KEYS: `${ring},` }, [key]],
    ['ENCRYPTION_KEYS', 'is malformed, embedded', { ENCRYPTION_KEYS: `${key}${key}` }, [key]],
    [
      'ENCRYPTION_KEYS_FILE',
      'can be read by all',
      { DATABASE_URL: url, ENCRYPTION_KEYS_FILE: fileWith(ring, 0o644) },
      [key],
    ],
    ['ENCRYPTION_KEYS_FILE', 'is not there', { DATABASE_URL: url, ENCRYPTION_KEYS_FILE: join(root, 'none') }, []],
    ['ENCRYPTION_KEYS_FILE', 'is empty', { DATABASE_URL: url, ENCRYPTION_KEYS_FILE: fileWith('\n') }, []],
    ['PORT', 'is no number', { PORT: 'eight-thousand' }, ['eight-thousand']],
    ['SERVICE_ROLE', 'is none of the roles', { SERVICE_ROLE: 'everything' }, ['everything']],
    ['LOG_LEVEL', 'is unknown', { LOG_LEVEL: 'chatty' }, ['chatty']],
    [
      'DATABASE_URL',
      'is of another kind',
      { DATABASE_URL: 'mysql://user:pass-word-9@host/db' },
      ['pass-word-9', 'mysql'],
    ],
    [
      'DATABASE_URL',
      'has an unescaped character',
      { DATABASE_URL: 'postgresql://user:pass-word-9#x@host:5432/db', ENCRYPTION_KEYS: ring },
      ['pass-word-9'],
    ],
    ['DATABASE_URL', 'is a name only', { DATABASE_URL: 'host=db password=pass-word-9' }, ['pass-word-9']],
    [
      'STORAGE_SERVICE_URL',
      'is missing in role ai-model',
      { SERVICE_ROLE: 'ai-model', STORAGE_SERVICE_TOKEN: TOKEN },
      [TOKEN],
    ],
    ['STORAGE_SERVICE_TOKEN', 'is short', { STORAGE_SERVICE_TOKEN: 'too-short-a-token' }, ['too-short']],
    [
      'ALLOWED_PRIVATE_ORIGINS',
      'has an entry without port',
      { ALLOWED_PRIVATE_ORIGINS: 'http://internal.test' },
      ['internal.test'],
    ],
    ['ADMIN_TOKEN', 'is short', { ADMIN_TOKEN: 'too-short-a-token' }, ['too-short']],
    ['ADMIN_TOKEN_FILE', 'is not there', { ADMIN_TOKEN_FILE: join(root, 'none') }, []],
    ['DATA_DIR', 'is a file', { DATA_DIR: unwritable, DATABASE_URL: url, ENCRYPTION_KEYS: ring }, ['pass-word-9', key]],
  ])('%s %s', async (variable, _what, env, hidden) => {
    const dataDir = env['DATA_DIR'] ?? join(root, `untouched-${randomBytes(4).toString('hex')}`);
    expectRefusal(await refusedStart({ DATA_DIR: dataDir, ...env }), variable, hidden);
    // Neither a key nor a database was made on the way.
    for (const name of ['encryption-keys', 'postgres', 'postgres-location'])
      expect(existsSync(join(dataDir, name))).toBe(false);
  });
});

describe('a start on a database with stored secrets', () => {
  let database: TestDatabase;
  let provider: FakeProvider;
  let running: HubProcess | null = null;
  const ring = randomKeyRing('first');
  const base = (): Record<string, string> => ({
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: directory(),
    ADMIN_TOKEN: TOKEN,
    ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
  });

  const start = async (env: Record<string, string>): Promise<HubProcess> =>
    (running = await startHubProcess({ ...base(), ...env }));
  const stop = async (): Promise<void> => {
    expect(await running?.stop()).toBe(0);
    running = null;
  };
  const sealedUnder = async (): Promise<Record<string, string>> => {
    const rows = await database.query<{ alias: string; key_id: string }>(
      `SELECT alias, split_part(api_key, '.', 2) AS key_id FROM ai_model_configs`,
    );
    return Object.fromEntries(rows.map((row) => [row.alias, row.key_id]));
  };

  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    const hub = await start({ ENCRYPTION_KEYS: ring });
    await save(hub.url, { alias: 'old', api_base: provider.url, auth_headers: { 'x-org': 'an-organisation' } });
    await stop();
  });
  afterAll(async () => {
    await running?.stop();
    await Promise.all([database.drop(), provider.close()]);
  });

  it.each<[string, () => { env: Record<string, string>; named: string; hidden: string[] }]>([
    [
      'another key under the same id',
      () => {
        const other = randomKeyRing('first');
        return { env: { ENCRYPTION_KEYS: other }, named: 'first', hidden: [other.slice(6)] };
      },
    ],
    [
      'another key under the same id behind a new one',
      () => {
        const other = `${randomKeyRing('second')},${randomKeyRing('first')}`;
        return {
          env: { ENCRYPTION_KEYS: other },
          named: 'first',
          hidden: other.split(/[:,]/).filter((part) => part.length > 20),
        };
      },
    ],
    [
      'a ring without the key',
      () => {
        const other = randomKeyRing('second');
        return { env: { ENCRYPTION_KEYS: other }, named: 'first', hidden: [other.slice(7)] };
      },
    ],
    ['no ring at all', () => ({ env: {}, named: 'ENCRYPTION_KEYS', hidden: [] })],
    [
      'a file of another key',
      () => {
        const other = randomKeyRing('first');
        return { env: { ENCRYPTION_KEYS_FILE: fileWith(other) }, named: 'first', hidden: [other.slice(6)] };
      },
    ],
  ])('refuses %s and changes no row', async (_what, given) => {
    const { env, named, hidden } = given();
    const before = await hashOfTables((text) => database.query(text));
    const refused = await refusedStart({ ...base(), ...env });
    expectRefusal(refused, 'ENCRYPTION_KEYS', hidden);
    expect(refused.stderr).toContain(named);
    expect(await hashOfTables((text) => database.query(text))).toBe(before);
  });

  it('takes the ring from a file that ends with a newline, and the old key opens', async () => {
    const hub = await start({ ENCRYPTION_KEYS_FILE: fileWith(`${ring}\n`) });
    expect(await call(hub.url, 'old')).toBe(200);
    await stop();
  });

  it('prefers the file to the variable', async () => {
    const hub = await start({ ENCRYPTION_KEYS_FILE: fileWith(ring), ENCRYPTION_KEYS: 'nonsense' });
    expect(await call(hub.url, 'old')).toBe(200);
    await stop();
  });

  it('opens old rows and seals new ones under a key that was added in front', async () => {
    const both = `${randomKeyRing('second')},${ring}`;
    const hub = await start({ ENCRYPTION_KEYS: both });
    await save(hub.url, { alias: 'new', api_base: provider.url, api_key: 'key-of-the-new-one' });
    expect(await sealedUnder()).toEqual({ old: 'first', new: 'second' });
    provider.calls.length = 0;
    expect([await call(hub.url, 'old'), await call(hub.url, 'new')]).toEqual([200, 200]);
    expect(provider.calls[0]?.headers).toMatchObject({ 'x-org': 'an-organisation' });
    expect(provider.calls[1]?.headers.authorization).toBe('Bearer key-of-the-new-one');
    await stop();

    const again = await start({ ENCRYPTION_KEYS: both });
    expect([await call(again.url, 'old'), await call(again.url, 'new')]).toEqual([200, 200]);
    await stop();
  });
});

describe('an embedded installation', () => {
  const dataDir = join(root, 'embedded');
  const keyFile = join(dataDir, 'encryption-keys');
  let provider: FakeProvider;
  let running: HubProcess | null = null;
  const env = { PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN: TOKEN };

  const dump = async (): Promise<string> => {
    const client = await connectToEmbedded(dataDir);
    try {
      // The revision moves with every start, and each process is another one.
      return await hashOfTables(
        async <Row extends object>(text: string) => (await client.query<Row>(text)).rows,
        ['hub_revision', 'storage_processes', 'ai_model_instances'],
      );
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<HubProcess> => (running = await startHubProcess(env));
  const stop = async (): Promise<void> => {
    expect(await running?.stop()).toBe(0);
    running = null;
  };

  beforeAll(async () => {
    provider = await startFakeProvider();
    mkdirSync(dataDir, { mode: 0o700 });
    const hub = await start();
    await save(hub.url, { alias: 'kept', api_base: provider.url });
  });
  afterAll(async () => {
    await running?.stop();
    await provider.close();
    removeDataDirectory(dataDir);
  });

  it('refuses to start without its key file, never makes a second one, and starts when the file is back', async () => {
    const before = await dump();
    await stop();
    const text = readFileSync(keyFile, 'utf8');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const backup = join(root, 'backup');
    renameSync(keyFile, backup);

    for (const attempt of [1, 2]) {
      const refused = await refusedStart(env);
      expect({ attempt, ...refused }).toMatchObject({ code: EXIT_CONFIGURATION });
      expectRefusal(refused, 'ENCRYPTION_KEYS', [text.trim()]);
      expect(refused.stderr).toContain('encryption-keys');
      expect(existsSync(keyFile)).toBe(false);
      expect(databasePid(dataDir)).toBeNull();
    }

    renameSync(backup, keyFile);
    const hub = await start();
    expect(readFileSync(keyFile, 'utf8')).toBe(text);
    expect(await dump()).toBe(before);
    expect(await call(hub.url, 'kept')).toBe(200);
    await stop();
  });

  it.each<[string, () => void, () => void]>([
    ['that others can read', () => chmodSync(keyFile, 0o644), () => chmodSync(keyFile, 0o600)],
    [
      'with another key',
      () => {
        renameSync(keyFile, `${keyFile}.kept`);
        writeFileSync(keyFile, randomKeyRing('other'), { mode: 0o600 });
      },
      () => renameSync(`${keyFile}.kept`, keyFile),
    ],
  ])('refuses to start with a key file %s', async (_what, spoil, mend) => {
    const text = readFileSync(keyFile, 'utf8').trim();
    spoil();
    const refused = await refusedStart(env);
    mend();
    expectRefusal(refused, '', [text, text.split(':')[1] ?? '']);
    expect(refused.stderr).toMatch(/encryption-keys|ENCRYPTION_KEYS/);
    expect(databasePid(dataDir)).toBeNull();
    expect(readFileSync(keyFile, 'utf8').trim()).toBe(text);
  });
});

describe('a start with an address that the server refuses', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it.each([
    ['a database that does not exist', (url: string) => url.replace(/hub_test_\w+/, 'hub_test_that_never_was')],
    ['a user whom it does not know', (url: string) => url.replace(/\/\/[^@]+@/, '//nobody-of-the-hub@')],
  ])('names DATABASE_URL: %s', async (_what, change) => {
    const env = { DATABASE_URL: change(database.url), ENCRYPTION_KEYS: randomKeyRing(), ADMIN_TOKEN: TOKEN };
    expectRefusal(await refusedStart({ DATA_DIR: join(root, 'refused'), ...env }), 'DATABASE_URL', [
      'nobody-of-the-hub',
    ]);
  });
});
