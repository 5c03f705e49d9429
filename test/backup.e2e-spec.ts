// A backup as the README describes it: files put away, everything lost, files put back; with the keys and without.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import { aChat, CHAT, type Json } from './support/calls.js';
import { databaseDirectory, removeDataDirectory } from './support/embedded-database.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { CONFIGS, randomKeyRing } from './support/hub.js';
import { refusedStart } from './support/refused-start.js';

const SECRETS = 20;
const EXIT_CONFIGURATION = 78;
const ADMIN = `operator${randomBytes(24).toString('hex')}`;

describe('a backup of an embedded installation', () => {
  const safe = mkdtempSync(join(tmpdir(), 'hub-test-backup-'));
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
  const env = { PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN: ADMIN };
  const keyFile = join(dataDir, 'encryption-keys');
  const savedKey = join(safe, 'encryption-keys');
  const keys = new Map<string, string>();
  let token = '';
  let provider: FakeProvider;
  let directories: string[];

  const ask = async (url: string, method: string, path: string, body?: Json, as = ADMIN): Promise<Json> => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { ...((await answer.json()) as Json), httpStatus: answer.status };
  };

  const fill = async ({ url }: HubProcess): Promise<void> => {
    for (let index = 0; index < SECRETS; index += 1) {
      const config = aModelConfig({ api_base: provider.url, max_retries: 0 });
      keys.set(String(config['alias']), String(config['api_key']));
      expect(await ask(url, 'POST', CONFIGS, config)).toMatchObject({ httpStatus: 201 });
    }
    const created = await ask(url, 'POST', '/api/v1/tokens', { name: 'of before', scopes: ['invoke'] });
    token = String(created['token']);
  };

  const archiveOf = (index: number): string => join(safe, `${index}.tgz`);

  const putAway = (): void =>
    directories.forEach((directory, index) => {
      const where = ['-C', dirname(directory), '--exclude=encryption-keys', basename(directory)];
      execFileSync('tar', ['czpf', archiveOf(index), ...where]);
    });

  const lose = (): void => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  };

  const putBack = (): void =>
    directories.forEach((directory, index) =>
      execFileSync('tar', ['xzpf', archiveOf(index), '-C', dirname(directory)]),
    );

  beforeAll(async () => {
    provider = await startFakeProvider();
    const hub = await startHubProcess(env);
    await fill(hub);
    expect(await hub.stop()).toBe(0);
    const database = databaseDirectory(dataDir);
    directories = database.startsWith(dataDir) ? [dataDir] : [dataDir, database];
    renameSync(keyFile, savedKey);
    putAway();
    lose();
    putBack();
  });
  afterAll(async () => {
    await provider.close();
    removeDataDirectory(dataDir);
    rmSync(safe, { recursive: true, force: true });
  });

  it('starts neither without its keys nor with others, says so, and makes up none', async () => {
    const without = await refusedStart(env);
    expect(without).toMatchObject({ code: EXIT_CONFIGURATION });
    expect(existsSync(keyFile)).toBe(false);
    writeFileSync(keyFile, randomKeyRing('other'), { mode: 0o600 });
    const other = await refusedStart(env);
    expect(other).toMatchObject({ code: EXIT_CONFIGURATION });
    expect(without.stderr + other.stderr).not.toContain([...keys.values()][0]);
    rmSync(keyFile);
  });

  it('is whole with them: every key opens and reaches its provider, and the tokens are those of before', async () => {
    execFileSync('cp', ['-p', savedKey, keyFile]);
    const hub = await startHubProcess(env);
    try {
      const sent: [string, string | undefined][] = [];
      for (const alias of keys.keys()) {
        expect(await ask(hub.url, 'POST', CHAT, aChat(alias), token)).toMatchObject({ httpStatus: 200 });
        sent.push([alias, provider.calls.at(-1)?.headers.authorization]);
      }
      expect(sent).toEqual([...keys].map(([alias, key]) => [alias, `Bearer ${key}`]));
      expect(await ask(hub.url, 'GET', '/health/ready')).toMatchObject({ httpStatus: 200, status: 'ready' });
    } finally {
      await hub.stop();
    }
  });
});
