// What the size of the configuration costs: the snapshot of 100 and of 10,000 configs with keys, tags and prompts, one change
// of each, and the file it is kept in. Only ratios mean something on another machine. `npm run bench:snapshot`
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { median } from './bench/children.js';
import { startBenchServer } from './support/bench-server.js';

const SIZES = [100, Number(process.env.BENCH_CONFIGS ?? 10_000)];
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 40);
const WHOLE_ROUNDS = 5;
const PROMPT_SHARE = 10;
const WRITERS = 8;
const START_MILLISECONDS = 30_000;
const LOOK_MILLISECONDS = 2;
const MEASURED = fileURLToPath(new URL('bench/measured-hub.js', import.meta.url));
const CONFIGS = '/api/v1/ai-models/configs';
const PROMPTS = '/api/v1/ai-models/prompts';

const children = [];

/** The application as a process that can be asked for its pauses and its memory. */
const startMeasured = async (env) => {
  const child = spawn(process.execPath, ['--expose-gc', MEASURED], {
    env: { PATH: process.env.PATH ?? '', PORT: '0', LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (piece) => (said = (said + piece).slice(-100_000)));
  const end = Date.now() + START_MILLISECONDS;
  const readUrl = () => /Ready: (http:\/\/[^\s"]+)/.exec(said)?.[1];
  while (!readUrl()) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`The application did not start:\n${said}`);
    await sleep(LOOK_MILLISECONDS);
  }
  const ask = (question) =>
    new Promise((resolve) => {
      child.once('message', resolve);
      child.send(question);
    });
  return { child, url: readUrl(), pause: () => ask('pause'), memory: () => ask('memory') };
};

const stop = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });

const timed = async (work) => {
  const startedAt = performance.now();
  const value = await work();
  return { value, milliseconds: performance.now() - startedAt };
};

const clientOf = (url, token) => async (method, path, body) => {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
  return {
    text,
    get json() {
      return JSON.parse(text);
    },
  };
};

const aConfig = (number) => ({
  alias: `model-${String(number).padStart(6, '0')}`,
  provider: 'openai_compatible',
  model_name: `model-of-${number % 50}`,
  display_name: `Model ${number}`,
  description: 'What this model is for. '.repeat(8),
  api_base: `https://provider-${number % 20}.example.com/v1`,
  api_key: `key-${randomBytes(24).toString('hex')}`,
  tags: { team: `team-${number % 100}`, stage: 'production' },
  custom_parameters: { temperature: 0.2 },
});
const aPrompt = (number) => ({
  name: `prompt-${number}`,
  prompt_content: 'You answer for {{company}}, in short and plain sentences. '.repeat(20),
  variables: [{ name: 'company', type: 'string', default: 'us' }],
  labels: { production: 1 },
});

/** Through REST, as anybody would. */
const fill = async (request, size) => {
  let next = 0;
  const work = async () => {
    while (next < size) {
      const number = next++;
      await request('POST', CONFIGS, aConfig(number));
      if (number % PROMPT_SHARE === 0) await request('POST', PROMPTS, aPrompt(number));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, work));
};

const revisionOf = async ({ url }) => {
  const { dependencies } = await (await fetch(`${url}/health/ready`)).json();
  return dependencies.model_directory.revision;
};

/** A storage and an AI model process on a database of so many configs. */
const startPair = async (server, size) => {
  const [adminToken, serviceToken] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  const name = `bench_${size}`;
  const database = await server.database(name);
  const common = { STORAGE_SERVICE_TOKEN: serviceToken };
  const storage = await startMeasured({
    ...common,
    SERVICE_ROLE: 'storage',
    DATABASE_URL: database.url,
    DATA_DIR: join(database.directory, 'storage'),
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ADMIN_TOKEN: adminToken,
  });
  const request = clientOf(storage.url, adminToken);
  const filled = await timed(() => fill(request, size));
  console.error(`${size} configs saved in ${(filled.milliseconds / 1000).toFixed(0)} s`);
  const callerEnv = {
    ...common,
    SERVICE_ROLE: 'ai-model',
    STORAGE_SERVICE_URL: storage.url,
    DATA_DIR: join(database.directory, 'ai-model'),
  };
  return { size, storage, request, internal: clientOf(storage.url, serviceToken), callerEnv };
};

/** The whole snapshot: read and sent, unpacked and indexed, as each AI model process does at its start. */
const measureWhole = async ({ storage, internal }) => {
  const { checkSnapshot } = await import('../dist/src/ai-model/storage-client/check-snapshot.js');
  const { DirectoryState } = await import('../dist/src/ai-model/model-directory/directory-state.js');
  const [builds, parses, indexes, pauses] = [[], [], [], []];
  let text = '';
  for (let round = 0; round < WHOLE_ROUNDS; round += 1) {
    await storage.pause();
    const { value, milliseconds } = await timed(async () => (await internal('GET', '/internal/v1/snapshot')).text);
    text = value;
    builds.push(milliseconds);
    pauses.push(await storage.pause());
    const parsed = await timed(() => checkSnapshot(JSON.parse(text)));
    parses.push(parsed.milliseconds);
    indexes.push((await timed(() => DirectoryState.of(parsed.value))).milliseconds);
  }
  return {
    'whole snapshot, KB': Buffer.byteLength(text) / 1024,
    '... packed, KB': gzipSync(text, { level: 1 }).length / 1024,
    '... read, sent and parsed by the asker, ms': median(builds),
    '... longest pause of the storage process, ms': Math.max(...pauses),
    '... parsed and checked, ms': median(parses),
    '... indexed, ms': median(indexes),
  };
};

/** An AI model process: from its start to its file. */
const measureStart = async (pair) => {
  const started = await timed(async () => {
    const caller = await startMeasured(pair.callerEnv);
    while ((await revisionOf(caller)) === null) await sleep(LOOK_MILLISECONDS);
    return caller;
  });
  pair.caller = started.value;
  const pause = await pair.caller.pause();
  const file = join(pair.callerEnv.DATA_DIR, 'last-known-good');
  while (!statSync(file, { throwIfNoEntry: false })) await sleep(LOOK_MILLISECONDS);
  const memory = await pair.caller.memory();
  return {
    'start of an AI model process, until it knows, ms': started.milliseconds,
    '... its longest pause until then, ms': pause,
    '... its heap after a collection, MB': memory.heap,
    '... its memory, MB': memory.resident,
    'last-known-good file, KB': statSync(file).size / 1024,
  };
};

/** Sealed, written and renamed. */
const measureFile = async ({ internal, callerEnv }) => {
  const { SnapshotFile } = await import('../dist/src/ai-model/model-directory/snapshot-file.js');
  const { SnapshotKeys, snapshotKeyOf } = await import('../dist/src/ai-model/model-directory/snapshot-keys.js');
  const { Secret } = await import('../dist/src/platform/secrets/secret.js');
  const key = snapshotKeyOf(Secret.of(callerEnv.STORAGE_SERVICE_TOKEN));
  const file = new SnapshotFile(join(callerEnv.DATA_DIR, 'written-by-bench'), new SnapshotKeys(() => [key]));
  const snapshot = (await internal('GET', '/internal/v1/snapshot')).json;
  const [writes, reads] = [[], []];
  for (let round = 0; round < WHOLE_ROUNDS; round += 1) {
    const written = await timed(() => file.write({ ...snapshot, revision: snapshot.revision + round }));
    if (!written.value) throw new Error('The file was not written');
    writes.push(written.milliseconds);
    reads.push((await timed(() => file.read())).milliseconds);
  }
  return { '... written, ms': median(writes), '... read at a start, ms': median(reads) };
};

/** One config changes: until the AI model process answers from it, and what goes over the wire for that. */
const changeOnce = async (pair, config, round) => {
  const since = await revisionOf(pair.caller);
  const startedAt = performance.now();
  await pair.request('PUT', `${CONFIGS}/${config.id}`, { description: `changed ${round}` });
  const writtenAt = performance.now();
  while ((await revisionOf(pair.caller)) === since) await sleep(LOOK_MILLISECONDS);
  const appliedAt = performance.now();
  const told = await timed(() => pair.internal('GET', `/internal/v1/snapshot?since=${since}`));
  if (!('since' in told.value.json)) throw new Error('The whole, where a difference was enough');
  return {
    write: writtenAt - startedAt,
    applied: appliedAt - startedAt,
    told: told.milliseconds,
    bytes: Buffer.byteLength(told.value.text),
  };
};

/** In turn, so that a slow moment of the machine meets all. */
const measureChanges = async (pairs) => {
  const samples = pairs.map(() => []);
  for (const { caller, storage } of pairs) await Promise.all([caller.pause(), storage.pause()]);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, pair] of pairs.entries()) {
      const { json } = await pair.request('GET', `${CONFIGS}/by-alias/${aConfig(round % pair.size).alias}`);
      const sample = await changeOnce(pair, json, round);
      // The first ones warm up.
      if (round >= ROUNDS / 10) samples[index].push(sample);
    }
  }
  return Promise.all(
    pairs.map(async ({ caller, storage }, index) => ({
      'one change: difference, bytes': median(samples[index].map(({ bytes }) => bytes)),
      '... saved, ms': median(samples[index].map(({ write }) => write)),
      '... saved and applied, ms': median(samples[index].map(({ applied }) => applied)),
      '... difference read and sent, ms': median(samples[index].map(({ told }) => told)),
      '... longest pause of the storage process, ms': await storage.pause(),
      '... longest pause of the AI model process, ms': await caller.pause(),
    })),
  );
};

const print = (results) => {
  const figure = (value) => value.toFixed(value < 100 ? 2 : 0).padStart(12);
  const heads = [...SIZES.map((size) => `${size} configs`), 'ratio'].map((text) => text.padStart(12));
  console.log(`${''.padEnd(50)} ${heads.join(' ')}`);
  const [small, large] = results;
  for (const [index, [name, value]] of small.entries()) {
    const other = large[index][1];
    console.log(`  ${name.padEnd(48)} ${figure(value)} ${figure(other)} ${figure(other / value)}`);
  }
};

const server = await startBenchServer();
try {
  const pairs = [];
  for (const size of SIZES) pairs.push(await startPair(server, size));
  const results = [];
  for (const pair of pairs) {
    const parts = [await measureWhole(pair), await measureStart(pair), await measureFile(pair)];
    results.push(parts.flatMap((part) => Object.entries(part)));
  }
  const changes = await measureChanges(pairs);
  print(results.map((rows, index) => [...rows, ...Object.entries(changes[index])]));
} finally {
  await Promise.all(children.map(stop));
  await server.close();
}
