import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { randomKeyRing } from './support/hub.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const story = hasCurl ? it : it.skip;

/** The bash blocks of a section, in order. */
const blocksOf = (file: string, heading: RegExp): string[] => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const section = text.split(/^## /m).find((part) => heading.test(part.split('\n', 1)[0] ?? ''));
  return [...(section ?? '').matchAll(/^```bash\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const answers = async (url: string): Promise<boolean> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
};

/** Sections whose blocks a reader runs one after the other, in one shell. */
const SECTIONS: Record<string, RegExp[]> = {
  'README.md': [
    /^Managing models/,
    /^System prompts/,
    /^Statistics/,
    /^History/,
    /^Everything as a file/,
    /^Encryption keys/,
    /^Tokens/,
    /^Calling models/,
    /^Monitoring/,
  ],
  'README.zh-CN.md': [
    /^管理模型/,
    /^系统提示词/,
    /^统计/,
    /^变更历史/,
    /^整套配置作为文件/,
    /^加密密钥/,
    /^令牌/,
    /^调用模型/,
    /^监控/,
  ],
};

describe.each([
  ['README.md', /^Quick start/],
  ['README.zh-CN.md', /^快速开始|^快速上手/],
])('what %s says', (file, heading) => {
  let hub: HubProcess;
  let database: TestDatabase;
  let provider: ChildProcess;
  let directory: string;
  let dataDir: string;
  let ports: (text: string) => string;
  const blocks = blocksOf(file, heading);

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'hub-test-data-'));
    const env = {
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS_FILE: join(dataDir, 'encryption-keys'),
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
    };
    writeFileSync(env.ENCRYPTION_KEYS_FILE, randomKeyRing(), { mode: 0o600 });
    hub = await startHubProcess(env);
    const providerPort = await freePort();
    // The reader's directory: what he runs finds its data and packages there. Only the ports are other ones.
    directory = mkdtempSync(join(tmpdir(), 'hub-test-readme-'));
    symlinkSync(dataDir, join(directory, 'data'));
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    ports = (text) =>
      text
        .replaceAll('http://127.0.0.1:8000', hub.url)
        .replaceAll('4010', String(providerPort))
        .replaceAll('npx hub', `node ${join(ROOT, 'scripts/hub.js')}`);
    provider = spawn('bash', ['-c', `exec ${ports(blocks[0] ?? 'false')}`], {
      cwd: directory,
      stdio: 'ignore',
      detached: true,
    });
    expect(await answers(`http://127.0.0.1:${providerPort}/`)).toBe(true);
  });

  afterAll(async () => {
    if (provider.pid) process.kill(-provider.pid, 'SIGTERM');
    await hub.stop();
    await database.drop();
    for (const path of [directory, dataDir]) rmSync(path, { recursive: true, force: true });
  });

  story('saves a model, calls it with curl and with the official client, and shows three calls', () => {
    expect(blocks).toHaveLength(5);
    const [, save, callIt, client, count] = blocks;
    const script = [save, callIt, client, 'sleep 2.2', count].join('\n');
    const run = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', ports(script)], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toContain('"alias":"fast"');
    expect(run.stdout).toMatch(/"object":\s*"chat\.completion"/);
    expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('3');
  });

  story('works as written about models, prompts, statistics, history, files, keys, tokens and calls', () => {
    const sections = SECTIONS[file] ?? [];
    const found = sections.map((section) => blocksOf(file, section));
    expect(found.filter((one) => one.length === 0)).toEqual([]);
    const script = ['export HUB_TOKEN=$(cat data/admin-token)', ...found.flat()].join('\n');
    const env = { ...process.env, HUB_URL: hub.url };
    const run = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', ports(script)], {
      cwd: directory,
      encoding: 'utf8',
      env,
    });
    expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 });
    // The only refusal is the one that is shown on purpose.
    const refusals = [...run.stdout.matchAll(/"code":"(\w+)"/g)].map((match) => match[1]);
    expect(refusals).toEqual(['precondition_failed']);
    const shown = [
      '示例公司',
      '"unified"',
      '"p95"',
      '"restore"',
      '10 unchanged', // of them eight alert rules that are there from the beginning
      'Nothing to do',
      'sealed under',
      '"token"',
      'Hello', // said by both clients
      '"embedding"',
      '"provider_model_not_found"',
      '"directory"',
    ];
    expect(shown.filter((text) => !run.stdout.includes(text))).toEqual([]);
  });
});
