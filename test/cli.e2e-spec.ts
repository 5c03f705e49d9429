// The built command line as a process, against a running hub.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ImportPlan } from '../src/contract/declarative.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { applied, aDocument, exportText, revisionOf } from './support/declarative.js';
import { createTestDatabase } from './support/database.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';

const HUB = fileURLToPath(new URL('../dist/src/hub.js', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../scripts/hub.js', import.meta.url));
const PASSPHRASE = 'correct horse battery staple';

interface Finished {
  code: number | null;
  out: string;
  error: string;
}

type Env = Record<string, string>;

const directory = mkdtempSync(join(tmpdir(), 'hub-test-cli-'));

/** Runs the command line in an empty directory, with nothing of this process's environment but the path. */
const run = (args: string[], env: Env = {}, input?: string, script = HUB): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const finished: Finished = { code: null, out: '', error: '' };
    child.stdout.on('data', (piece: Buffer) => (finished.out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (finished.error += piece.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...finished, code }));
    child.stdin.end(input ?? '');
  });

const fileOf = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('hub', () => {
  it.each([
    [[], 64],
    [['--help'], 0],
    [['help'], 0],
    [['--version'], 0],
    [['export', '--help'], 0],
    [['plan', '--help'], 0],
    [['apply', '--help'], 0],
    [['keys', '--help'], 0],
    [['keys', 'status', '--help'], 0],
    [['keys', 'rotate', '--help'], 0],
    [['keys', 'rewrap', '--help'], 0],
    [['keys', 'remove', '--help'], 0],
    [['token', '--help'], 0],
    [['token', 'create', '--help'], 0],
    [['token', 'list', '--help'], 0],
    [['token', 'revoke', '--help'], 0],
    [['migrate', '--help'], 0],
    [['nonsense'], 64],
    [['export', '--nonsense'], 64],
    [['export', '--format', 'toml'], 64],
    [['export', '--sealed', '--sections', 'models'], 64],
    [['plan'], 64],
    [['plan', 'a', 'b'], 64],
    [['keys', 'remove'], 64],
    [['token', 'create', '--name', 'x'], 64],
    [['token', 'create', '--name', 'x', '--scope', 'everything'], 64],
    [['token', 'create', '--scope', 'invoke'], 64],
  ])('%j ends with %d', async (args, code) => {
    const finished = await run(args);
    expect(finished).toMatchObject({ code });
    expect(`${finished.out}${finished.error}`).not.toBe('');
    if (code === 0) expect(finished.error).toBe('');
    else expect(finished.out).toBe('');
  });

  it('says in its help which settings and exit codes there are', async () => {
    const { out } = await run(['--help']);
    for (const text of ['HUB_URL', 'HUB_TOKEN_FILE', 'HUB_PASSPHRASE', '64', '69', '77']) expect(out).toContain(text);
    expect((await run(['apply', '--help'])).out).toContain('{from_env: NAME}');
  });

  it('starts as npx starts it, too', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const { code, out } = await run(['--version'], {}, undefined, SCRIPT);
    expect({ code, out }).toEqual({ code: 0, out: `${version}\n` });
  });
});

describe('hub, its connection', () => {
  let hub: TestHub;
  let stranger: Server;

  beforeAll(async () => {
    hub = await startHub();
    // No hub: it says hello, and sends whoever asks for an export somewhere else.
    stranger = createServer((request, response) => {
      if (request.url?.includes('export')) response.writeHead(307, { location: `${hub.url}/stolen` });
      response.end('hello');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    stranger.close();
    await hub.close();
  });

  it('takes the token from HUB_TOKEN, HUB_TOKEN_FILE or DATA_DIR, in this order, and the address from HUB_URL', async () => {
    const good = fileOf('good-token', `${hub.adminToken}\n`);
    const bad = fileOf('bad-token', 'x'.repeat(40));
    const dataDir = mkdtempSync(join(directory, 'data-'));
    writeFileSync(join(dataDir, 'admin-token'), `${hub.adminToken}\n`);
    const HUB_URL = hub.url;
    const codes = async (env: Env): Promise<number | null> => (await run(['export'], { HUB_URL, ...env })).code;
    expect(await codes({ HUB_TOKEN: hub.adminToken, HUB_TOKEN_FILE: bad })).toBe(0);
    expect(await codes({ HUB_TOKEN: 'y'.repeat(40), HUB_TOKEN_FILE: good })).toBe(77);
    expect(await codes({ HUB_TOKEN_FILE: good, DATA_DIR: '/nowhere' })).toBe(0);
    expect(await codes({ DATA_DIR: dataDir })).toBe(0);
    expect(await codes({ DATA_DIR: '/nowhere' })).toBe(77);
    expect(await codes({ HUB_TOKEN_FILE: '/nowhere' })).toBe(77);
    writeFileSync(join(directory, '.env'), `HUB_URL=${hub.url}\nHUB_TOKEN=${hub.adminToken}\n`);
    expect((await run(['export'])).code).toBe(0);
    rmSync(join(directory, '.env'));
  });

  it('gives the admin token of this machine to no other one', async () => {
    const dataDir = mkdtempSync(join(directory, 'data-'));
    writeFileSync(join(dataDir, 'admin-token'), hub.adminToken);
    const finished = await run(['export'], { HUB_URL: 'http://hub.example.com', DATA_DIR: dataDir });
    expect(finished).toMatchObject({ code: 77, error: expect.stringContaining('HUB_TOKEN') as unknown });
  });

  it.each(['ftp://127.0.0.1', 'nonsense', 'http://user:pass@127.0.0.1:1', ''])('HUB_URL=%j', async (url) => {
    const { code } = await run(['export'], { HUB_URL: url, HUB_TOKEN: hub.adminToken });
    // Empty counts as unset: then nobody listens there.
    expect(code).toBe(url === '' ? 69 : 64);
  });

  it('tells a hub that is not there, or is none, from a token that is refused', async () => {
    const HUB_TOKEN = hub.adminToken;
    const { port } = stranger.address() as AddressInfo;
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port: freePort } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const absent = await run(['export'], { HUB_URL: `http://127.0.0.1:${freePort}`, HUB_TOKEN });
    expect(absent).toMatchObject({
      code: 69,
      out: '',
      error: expect.stringContaining('cannot be reached (ECONNREFUSED)') as unknown,
    });
    const other = await run(['token', 'list'], { HUB_URL: `http://127.0.0.1:${port}`, HUB_TOKEN });
    expect(other).toMatchObject({ code: 1, error: expect.stringContaining('is it a hub?') as unknown });
    // It follows no redirect: the token would go along.
    const redirected = await run(['export'], { HUB_URL: `http://127.0.0.1:${port}`, HUB_TOKEN });
    expect(redirected.code).toBe(69);
    expect(hub.logs()).not.toContain('/stolen');
    const refused = await run(['export'], { HUB_URL: hub.url, HUB_TOKEN: 'z'.repeat(40) });
    expect(refused).toMatchObject({ code: 77, error: expect.stringContaining('token_invalid') as unknown });
    const scoped = await run(['token', 'list'], { HUB_URL: hub.url, HUB_TOKEN: await hub.createToken('models:read') });
    expect(scoped).toMatchObject({ code: 77, error: expect.stringContaining('scope_missing') as unknown });
    for (const { error } of [absent, redirected, refused, scoped]) expect(error).not.toContain(HUB_TOKEN);
  });
});

describe('hub export, plan, apply', () => {
  let hub: TestHub;
  let env: Env;

  beforeAll(async () => {
    hub = await startHub();
    env = { HUB_URL: hub.url, HUB_TOKEN: hub.adminToken };
  });
  afterAll(() => hub.close());
  beforeEach(async () => {
    await applied(hub, aDocument({ models: [] }), { prune: true });
    await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: 'fast', api_key: 'sk-the-key-of-fast-1' }))
      .expect(201);
  });

  const change = fileOf('change.yaml', 'version: 1\nkind: ai-model-hub\nmodels:\n- alias: fast\n  priority: 7\n');

  it('writes the very export, on standard output or to a file of its owner alone', async () => {
    const yaml = await run(['export'], env);
    expect(yaml).toEqual({ code: 0, out: await exportText(hub), error: '' });
    const path = join(directory, 'out.json');
    const json = await run(['export', '-f', 'json', '-o', path, '--sections', 'models'], env);
    expect(json).toMatchObject({ code: 0, out: '' });
    expect(readFileSync(path, 'utf8')).toBe(await exportText(hub, 'json', { sections: 'models' }));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await run(['export', '-o', '/nowhere/x'], env)).code).toBe(64);
  });

  it('shows the plan, and exits with 2 when asked to', async () => {
    const revision = await revisionOf(hub);
    const plan = await run(['plan', change], env);
    expect(plan.code).toBe(0);
    expect(plan.out).toBe('~ model fast\n    priority: 0 → 7\n\n0 to create, 1 to change, 0 to delete, 0 unchanged.\n');
    expect((await run(['plan', change, '--exit-code'], env)).code).toBe(2);
    const json = await run(['plan', change, '--json'], env);
    expect(JSON.parse(json.out) as ImportPlan).toMatchObject({ dry_run: true, summary: { change: 1 } });
    const own = fileOf('own.yaml', await exportText(hub));
    expect(await run(['plan', own, '--exit-code'], env)).toMatchObject({ code: 0 });
    const piped = await run(['plan', '-', '--prune'], env, 'version: 1\nkind: ai-model-hub\nmodels: []\n');
    expect(piped.out).toContain('- model fast\n');
    expect(await revisionOf(hub)).toBe(revision);
  });

  it('applies only when told to, and then exactly that', async () => {
    const refused = await run(['apply', change], env);
    expect(refused).toMatchObject({ code: 64, error: expect.stringContaining('--yes') as unknown });
    const done = await run(['apply', change, '--yes'], env);
    expect(done).toMatchObject({
      code: 0,
      out: expect.stringMatching(/priority: 0 → 7[^]*Done: revision \d+\./) as unknown,
    });
    expect(await exportText(hub)).toContain('priority: 7');
    const again = await run(['apply', change], env);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do.') as unknown });
    const json = await run(
      ['apply', '-', '--yes', '--json'],
      env,
      '{"version": 1, "kind": "ai-model-hub", "models": [{"alias": "fast", "priority": 8}]}',
    );
    expect(JSON.parse(json.out) as ImportPlan).toMatchObject({ dry_run: false, summary: { change: 1 } });
  });

  it('shows what the hub refuses, and where', async () => {
    const wrong = fileOf('wrong.yaml', 'version: 1\nkind: ai-model-hub\nmodels:\n- alias: new\n  provider: nothing\n');
    const finished = await run(['apply', wrong, '--yes'], env);
    expect(finished).toMatchObject({ code: 1, out: '' });
    expect(finished.error).toMatch(/validation_failed[^]*models\[0\]\.provider: [^]*models\[0\]\.model_name: /);
    for (const [text, code] of [
      ['a: [1', 64],
      ['a: 1', 1],
      ['', 1],
    ] as const) {
      expect((await run(['plan', fileOf('broken.yaml', text)], env)).code).toBe(code);
    }
    expect((await run(['plan', join(directory, 'absent.yaml')], env)).code).toBe(64);
  });

  it('sends the values of variables that the document refers to, and no others', async () => {
    const path = fileOf(
      'refs.yaml',
      'version: 1\nkind: ai-model-hub\nmodels:\n- alias: new\n  provider: openai\n  model_name: m\n  api_key: {from_env: NEW_KEY}\n',
    );
    const missing = await run(['apply', path, '--yes'], env);
    expect(missing).toMatchObject({ code: 1, error: expect.stringContaining('needs NEW_KEY') as unknown });
    const skipped = await run(['plan', path, '--skip-missing'], env);
    expect(skipped).toMatchObject({
      code: 0,
      out: expect.stringContaining('(api_key is missing: NEW_KEY was not sent)') as unknown,
    });
    const done = await run(['apply', path, '--yes'], { ...env, NEW_KEY: 'sk-from-the-environment' });
    expect(done.code).toBe(0);
    expect(done.error).toBe('Sent to the hub: the values of NEW_KEY.\n');
    expect(done.out).not.toContain('sk-from');
    const saved = await hub.request('get', `${CONFIGS}/by-alias/new`).expect(200);
    expect(saved.body).toMatchObject({ api_key_hint: 'ment' });
    for (const name of ['ADMIN_TOKEN', 'HUB_TOKEN', 'ENCRYPTION_KEYS', 'DATABASE_URL']) {
      const theft = fileOf(
        'theft.yaml',
        `models:\n- api_base: https://evil.example.com\n  api_key: {from_env: ${name}}\n`,
      );
      const refused = await run(['apply', theft, '--yes'], {
        ...env,
        [name]: name === 'HUB_TOKEN' ? hub.adminToken : 'x'.repeat(40),
      });
      expect(refused).toMatchObject({ code: 64, error: expect.stringContaining(name) as unknown });
    }
  });

  it('moves secrets from hub to hub, sealed', async () => {
    const path = join(directory, 'sealed.yaml');
    expect((await run(['export', '--sealed', '-o', path], env)).code).toBe(64);
    const sealed = await run(['export', '--sealed', '-o', path], { ...env, HUB_PASSPHRASE: PASSPHRASE });
    expect(sealed).toMatchObject({ code: 0, out: '' });
    expect(readFileSync(path, 'utf8')).not.toContain('sk-the-key');
    const other = await startHub();
    const there = { HUB_URL: other.url, HUB_TOKEN: other.adminToken };
    expect((await run(['apply', path, '--yes'], there)).error).toContain('needs the passphrase');
    expect((await run(['apply', path, '--yes'], { ...there, HUB_PASSPHRASE: 'another passphrase' })).error).toContain(
      'passphrase_wrong',
    );
    const done = await run(['apply', path, '--yes'], { ...there, HUB_PASSPHRASE: PASSPHRASE });
    expect(done.code).toBe(0);
    expect(await exportText(other)).toBe(await exportText(hub));
    for (const { out, error } of [sealed, done]) expect(out + error).not.toMatch(/sk-the-key|correct horse/);
    await other.close();
  });

  it("reports what of LiteLLM's file has no counterpart", async () => {
    const litellm = fileURLToPath(new URL('fixtures/litellm-config.yaml', import.meta.url));
    const { code, out } = await run(['plan', litellm, '--skip-missing'], env);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\+ model gpt-4o\n[^]*Not taken over as it is:\n[^]*unsupported: model_list\[11\] is left out: the provider bedrock/,
    );
  });
});

describe('hub token and keys', () => {
  let hub: TestHub;
  let env: Env;

  beforeAll(async () => {
    const ENCRYPTION_KEYS_FILE = join(directory, 'encryption-keys');
    writeFileSync(ENCRYPTION_KEYS_FILE, `${randomKeyRing('k1')}\n`, { mode: 0o600 });
    hub = await startHub({ env: { ENCRYPTION_KEYS: undefined, ENCRYPTION_KEYS_FILE } });
    env = { HUB_URL: hub.url, HUB_TOKEN: hub.adminToken };
    const models = Array.from({ length: 30 }, (_, index) => aModelConfig({ alias: `m${index}` }));
    await applied(hub, aDocument({ models }));
  });
  afterAll(() => hub.close());

  it('creates, lists and revokes tokens', async () => {
    const created = await run(
      ['token', 'create', '-n', 'search service', '-s', 'models:read', 'invoke', '-e', '2999-01-01T00:00:00Z'],
      env,
    );
    expect(created).toMatchObject({ code: 0, out: expect.stringMatching(/^hub_api_\S+\n$/) as unknown });
    const token = created.out.trim();
    await hub.request('get', CONFIGS, token).expect(200);
    const [, id = ''] = /Created (\S+) for search service/.exec(created.error) ?? [];
    const list = await run(['token', 'list'], env);
    expect(list.out).toMatch(new RegExp(`${id} +search service +models:read,invoke +\\S+ +until 2999`));
    expect(list.out).not.toContain(token);
    const json = await run(['token', 'list', '--json'], env);
    expect((JSON.parse(json.out) as { tokens: { id: string }[] }).tokens.map((one) => one.id)).toContain(id);
    expect(await run(['token', 'revoke', id], env)).toMatchObject({ code: 0, out: `Revoked ${id}.\n` });
    await hub.request('get', CONFIGS, token).expect(401);
    expect(await run(['token', 'revoke', id], env)).toMatchObject({
      code: 1,
      error: expect.stringContaining('token_not_found') as unknown,
    });
    expect((await run(['token', 'create', '-n', 'x', '-s', 'invoke', '-e', '2001-01-01T00:00:00Z'], env)).code).toBe(1);
  });

  it('rotates the key, with progress, and removes the old one', async () => {
    const status = await run(['keys', 'status'], env);
    expect(status).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^key .*\nk1 +seals +30 in ai_model_configs/) as unknown,
    });
    expect((await run(['keys', 'remove', 'k1'], env)).code).toBe(1);
    const rotated = await run(['keys', 'rotate'], env);
    expect(rotated).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Done: 30 rows are sealed under \S+\./) as unknown,
    });
    expect(rotated.error).toMatch(/Added (\S+)\.\n\1 seals from now on\.\n30 of 30 rows\n/);
    const dry = await run(['keys', 'rewrap', '--dry-run', '--json'], env);
    expect(JSON.parse(dry.out)).toMatchObject({ dry_run: true, remaining: 0 });
    expect(await run(['keys', 'rewrap'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Done: 0 rows/) as unknown,
    });
    const json = JSON.parse((await run(['keys', 'status', '--json'], env)).out) as { keys: { id: string }[] };
    expect(json.keys).toHaveLength(2);
    expect(await run(['keys', 'remove', 'k1'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Removed k1\. /) as unknown,
    });
    const keys = readFileSync(join(directory, 'encryption-keys'), 'utf8');
    for (const { out, error } of [status, rotated, dry]) {
      for (const [, material = ''] of keys.matchAll(/:([A-Za-z0-9+/=]{40,})/g))
        expect(out + error).not.toContain(material);
    }
    await hub.request('get', '/health/ready').expect(200);
  });

  it('waits for a process that was killed, which counts for thirty seconds', async () => {
    await hub.database.query(
      `INSERT INTO storage_processes (id, started_at, seen_at, key_ids, active_key_id)
       VALUES (gen_random_uuid(), now() - interval '1 hour', now() - interval '25 seconds', '{k0}', 'k0')`,
    );
    const rotated = await run(['keys', 'rotate'], env);
    expect(rotated).toMatchObject({ code: 0, out: expect.stringMatching(/^Done: 30 rows are sealed/) as unknown });
  });

  it('tells rows that no key opens', async () => {
    await hub.database.query(`UPDATE ai_model_configs SET api_key = 'hub1.k0.AAAA.BBBB' WHERE alias = 'm3'`);
    const { code, error } = await run(['keys', 'rewrap'], env);
    expect(code).toBe(1);
    expect(error).toMatch(/1 row does not open/);
  });
});

describe('hub migrate', () => {
  it('brings a database up to date, without a running hub', async () => {
    const database = await createTestDatabase({ empty: true });
    const env = { DATABASE_URL: database.url, ENCRYPTION_KEYS: randomKeyRing(), DATA_DIR: directory };
    expect(await run(['migrate'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Done: \d+ migrations/) as unknown,
    });
    expect(await run(['migrate'], env)).toMatchObject({
      code: 0,
      out: expect.stringContaining('up to date') as unknown,
    });
    expect((await run(['migrate'], { ...env, DATABASE_URL: 'nonsense' })).code).toBe(78);
    await database.drop();
  });
});
