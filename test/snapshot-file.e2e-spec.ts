// An AI model process that starts while storage cannot be asked: what it serves from the file of the process before it,
// what it refuses, and that it needs no restart once storage answers.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StorageServiceClient } from '../src/ai-model/storage-client/storage-service.client.js';
import type { Snapshot } from '../src/contract/snapshot.contract.js';
import { generateToken } from '../src/platform/auth/token-text.js';
import { aChat, call, saveModel, until, type Answer, type Json } from './support/calls.js';
import { type FakeProvider, sendJson, startFakeProvider } from './support/fake-provider.js';
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startHubProcess } from './support/hub-process.js';
import { startCaller, startScriptedStorage } from './support/scripted-storage.js';
import { freePort } from './support/sockets.js';

const FILE = 'last-known-good';
const SNAPSHOT = 'GET /internal/v1/snapshot';

const directories: string[] = [];
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-file-'));
  directories.push(directory);
  // Not there yet: the process makes it.
  return join(directory, 'data');
};

const readiness = async (hub: TestHub): Promise<Json> => (await hub.request('get', '/health/ready', null)).body as Json;
const directoryOf = async (hub: TestHub): Promise<Json> =>
  ((await readiness(hub))['dependencies'] as Json)['model_directory'] as Json;
const statusOf = async (hub: TestHub, path: string): Promise<number> => (await hub.request('get', path, null)).status;
const codeOf = ({ status, error }: Answer): [number, unknown] => [status, error['code']];
const warnings = (hub: TestHub): string[] =>
  hub
    .logs()
    .split('\n')
    .filter((line) => line.includes('"level":"warn"') && line.includes('last-known-good file'));

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

describe('the last-known-good file of an AI model process', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let proxy: FaultProxy;
  let alias: string;
  let invokeToken: string;
  let readToken: string;
  let dataDir: string;

  const start = (storageUrl: string, directory = dataDir): Promise<TestHub> =>
    startCaller(hub, storageUrl, { DATA_DIR: directory, STORAGE_SERVICE_TIMEOUT: '3' });
  const answers = (caller: TestHub, model: string, status: number): Promise<Answer> =>
    until(
      () => call(caller, aChat(model), { token: invokeToken }),
      (answer) => answer.status === status,
      6000,
    );

  /** What the process of before left: a file of its own for each story. */
  const leaveFile = async (directory: string): Promise<void> => {
    const before = await start(hub.url, directory);
    await answers(before, alias, 200);
    await before.stop();
  };

  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
    proxy = await startFaultProxy(hub.url);
    alias = String((await saveModel(hub, { api_base: provider.url }))['alias']);
    invokeToken = await hub.createToken('invoke');
    readToken = await hub.createToken('models:read');
    dataDir = newDirectory();
    await leaveFile(dataDir);
  });
  afterAll(async () => {
    await proxy.close();
    await hub.close();
    await provider.close();
  });

  it('is private, and so is the directory that was made for it', () => {
    expect(statSync(join(dataDir, FILE)).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it.each(['down', 'silent'] as const)(
    'answers calls while storage is %s, and gives way when it answers',
    async (line) => {
      proxy.set({ line });
      const caller = await start(proxy.url);
      await answers(caller, alias, 200);
      expect(await directoryOf(caller)).toMatchObject({
        status: 'degraded',
        source: 'file',
        last_contact_at: null,
        saved_at: expect.stringMatching(/^\d{4}-/),
      });
      expect([await statusOf(caller, '/health/live'), await statusOf(caller, '/health/ready')]).toEqual([200, 200]);
      const status = (await caller.request('get', '/api/v1/status/health').expect(200)).body as { directory: Json };
      expect(status.directory).toMatchObject({ status: 'degraded', source: 'file', last_contact_at: null });
      expect(status.directory['age_seconds']).toBeGreaterThan(0);

      const unknown = await call(caller, aChat('nobody'), { token: invokeToken });
      expect(codeOf(unknown)).toEqual([503, 'model_directory_unavailable']);
      expect(Number(unknown.headers['retry-after'])).toBeGreaterThan(0);
      const stranger = await call(caller, aChat(alias), { token: generateToken('api').text });
      expect(codeOf(stranger)).toEqual([503, 'token_check_unavailable']);
      expect((await call(caller, aChat(alias), { token: 'hub_api_nonsense' })).status).toBe(401);
      expect((await call(caller, aChat(alias), { token: readToken })).status).toBe(403);

      const { alias: later } = await saveModel(hub, { api_base: provider.url });
      proxy.set({ line: 'open' });
      await answers(caller, String(later), 200);
      expect(await directoryOf(caller)).toMatchObject({ status: 'up', source: 'storage', saved_at: null });
      expect((await call(caller, aChat('nobody'), { token: invokeToken })).status).toBe(404);
      expect(warnings(caller)).toHaveLength(1);
      await caller.stop();
    },
  );

  it('outlives every nonsense that storage says, and gives way to the first snapshot', async () => {
    const storage = await startScriptedStorage();
    const nonsense: ((response: ServerResponse) => void)[] = [
      (response) => void response.writeHead(500, { 'content-type': 'text/html' }).end('<html>'),
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      (response) => sendJson(response, 200, []),
      (response) => sendJson(response, 401, { code: 'token_invalid', detail: 'no' }),
    ];
    const snapshot = (await hub.application.nest
      .get(StorageServiceClient, { strict: false })
      .getSnapshot(null)) as Snapshot;
    let hint = (): void => undefined;
    // The end of the process would wait for its usage to be taken.
    storage.on('POST /internal/v1/usage', (response, _nth, { body }) =>
      sendJson(response, 200, { batch_id: body['batch_id'], accepted: 1, duplicate: false }),
    );
    storage.on('GET /internal/v1/changes', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
      hint = (): void => void response.write(`data: {"revision":${snapshot.revision + 1}}\n\n`);
    });
    storage.on(SNAPSHOT, (response, nth) =>
      nth <= nonsense.length ? nonsense[nth - 1]?.(response) : sendJson(response, 200, snapshot),
    );
    const caller = await start(storage.url);
    await answers(caller, alias, 200);
    for (let asked = 0; asked < nonsense.length; asked = storage.countOf(SNAPSHOT)) {
      expect(await directoryOf(caller)).toMatchObject({ source: 'file', status: 'degraded' });
      expect((await call(caller, aChat(alias), { token: invokeToken })).status).toBe(200);
      await until(
        () => {
          hint();
          return storage.countOf(SNAPSHOT);
        },
        (count) => count > asked,
        4000,
      );
    }
    await until(
      () => {
        hint();
        return directoryOf(caller);
      },
      ({ source }) => source === 'storage',
      4000,
    );
    await caller.stop();
    await storage.close();
  });

  it('is missed by a start without it: alive, not ready, and ready as soon as storage is there', async () => {
    proxy.set({ line: 'down' });
    const caller = await start(proxy.url, newDirectory());
    await until(
      () => caller.logs(),
      (logs) => logs.includes('nothing is known yet'),
    );
    expect([await statusOf(caller, '/health/live'), await statusOf(caller, '/health/ready')]).toEqual([200, 503]);
    const refused = await call(caller, aChat(alias), { token: invokeToken });
    expect(codeOf(refused)).toEqual([503, 'token_check_unavailable']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    proxy.set({ line: 'open' });
    await answers(caller, alias, 200);
    expect(await statusOf(caller, '/health/ready')).toBe(200);
    await caller.stop();
  });

  it('is ignored with one line that says why when it is damaged, foreign or open to others, and replaced', async () => {
    const directory = newDirectory();
    await leaveFile(directory);
    const file = join(directory, FILE);
    const good = readFileSync(file);
    const flipped = Buffer.from(good);
    flipped[good.length - 100] = (flipped[good.length - 100] ?? 0) ^ 1;
    const stories: [string, () => void][] = [
      ['damaged', () => writeFileSync(file, flipped)],
      ['empty', () => writeFileSync(file, '')],
      ['0600', () => (writeFileSync(file, good), chmodSync(file, 0o644))],
    ];
    proxy.set({ line: 'down' });
    for (const [reason, spoil] of stories) {
      spoil();
      const caller = await start(proxy.url, directory);
      await until(
        () => caller.logs(),
        (logs) => logs.includes('nothing is known yet'),
      );
      expect(warnings(caller)).toEqual([expect.stringContaining(reason)]);
      expect((await call(caller, aChat(alias), { token: invokeToken })).status).toBe(503);
      await caller.stop();
    }
    proxy.set({ line: 'open' });
    await leaveFile(directory);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file).equals(good)).toBe(false);
  });

  it('costs one warning, not the start, where it cannot be written', async () => {
    proxy.set({ line: 'open' });
    const directory = newDirectory();
    writeFileSync(directory, 'a file where the directory should be');
    const caller = await start(proxy.url, directory);
    await answers(caller, alias, 200);
    await until(
      () => warnings(caller),
      (lines) => lines.some((line) => line.includes('cannot be written')),
    );
    await caller.stop();
    expect(warnings(caller).filter((line) => line.includes('cannot be written'))).toHaveLength(1);
  });

  it('does not bring back the last model that was deleted', async () => {
    const lonely = await startHub();
    const { id } = await saveModel(lonely, { alias: 'the-only-one', api_base: provider.url });
    const directory = newDirectory();
    const first = await startCaller(lonely, lonely.url, { DATA_DIR: directory });
    await until(
      async () => (await call(first, aChat('the-only-one'))).status,
      (status) => status === 200,
    );
    await lonely.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
    await until(
      async () => (await call(first, aChat('the-only-one'))).status,
      (status) => status === 404,
    );
    await first.stop();
    const second = await startCaller(lonely, `http://127.0.0.1:${await freePort()}`, { DATA_DIR: directory });
    await until(
      async () => (await directoryOf(second))['source'],
      (source) => source === 'file',
    );
    expect(await directoryOf(second)).toMatchObject({ models: 0 });
    expect(codeOf(await call(second, aChat('the-only-one')))).toEqual([503, 'model_directory_unavailable']);
    await second.stop();
    await lonely.close();
  });
});

describe('the last-known-good file of a hub in one process', () => {
  it('is sealed under the key ring where there is no service token, an older key of it too', async () => {
    const provider = await startFakeProvider();
    const [older, newer] = [randomKeyRing('k1'), randomKeyRing('k2')];
    const env = { STORAGE_SERVICE_TOKEN: undefined, ADMIN_TOKEN: generateToken('admin').text };
    const hub = await startHub({ env: { ...env, ENCRYPTION_KEYS: older } });
    const { alias } = await saveModel(hub, { api_base: provider.url });
    await until(
      async () => (await call(hub, aChat(alias))).status,
      (status) => status === 200,
    );
    await hub.stop();
    expect(existsSync(join(hub.dataDir, FILE))).toBe(true);
    const again = await startHubProcess({
      PORT: '0',
      DATA_DIR: hub.dataDir,
      ADMIN_TOKEN: env.ADMIN_TOKEN,
      ENCRYPTION_KEYS: `${newer},${older}`,
      DATABASE_URL: `postgresql://nobody@127.0.0.1:${await freePort()}/nowhere`,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    });
    const caller = { url: again.url, adminToken: env.ADMIN_TOKEN };
    await until(
      async () => (await call(caller, aChat(alias))).status,
      (status) => status === 200,
      6000,
    );
    const ready = await fetch(`${again.url}/health/ready`);
    expect(await ready.json()).toMatchObject({
      dependencies: { model_directory: { source: 'file', status: 'degraded' } },
    });
    await again.stop('SIGKILL');
    await hub.database.drop();
    rmSync(hub.dataDir, { recursive: true, force: true });
    await provider.close();
  });
});
