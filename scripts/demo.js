// `npm run demo`: the real application on a database of its own, with a simulated provider beside it. Three models are
// saved and called, the application is restarted, and everything has to be there still. Leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { removeDataDirectory } from './support/remove-data-directory.js';
import { API_KEY, startProvider } from './support/simulated-provider.js';

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const START_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 30_000;
const COUNT_MILLISECONDS = 15_000;
const CONFIGS = '/api/v1/ai-models/configs';
const RED_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const started = Date.now();
let interruptedBy = null;
const say = (text) => {
  // Between two steps, never within one: an application that is stopped while it starts leaves its database running.
  if (interruptedBy) throw new Error(`interrupted by ${interruptedBy}`);
  console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
};
const check = (condition, problem) => {
  if (!condition) throw new Error(problem);
};

// --- the application ---

/** Nothing of the caller's settings: the demo must not touch a database that is in use. */
const environmentFor = (dataDir) => ({
  PATH: process.env.PATH ?? '',
  ...(process.env.TMPDIR && { TMPDIR: process.env.TMPDIR }),
  DATA_DIR: dataDir,
  PORT: '0',
  LOG_FORMAT: 'json',
});

const startHub = async (dataDir, onChild) => {
  const child = spawn(process.execPath, [MAIN], {
    cwd: dataDir, // away from a .env of the project
    env: environmentFor(dataDir),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C reaches the demo alone, which then stops the application
  });
  onChild(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += piece));
  const deadline = Date.now() + START_MILLISECONDS;
  for (;;) {
    const url = /Ready: (http:\/\/[^\s"]+)/.exec(output)?.[1];
    if (url) return { child, url };
    check(child.exitCode === null && child.signalCode === null, `the application ended at its start:\n${output}`);
    check(Date.now() < deadline, `the application was not ready in ${START_MILLISECONDS / 1000} s:\n${output}`);
    await sleep(20);
  }
};

const stopHub = async (child) => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  const [code] = await ended;
  clearTimeout(killer);
  return code;
};

const clientOf = (url, token) => (method, path, body) =>
  fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

const readAnswer = async (response, status, what) => {
  const text = await response.text();
  check(response.status === status, `${what}: expected status ${status}, got ${response.status}: ${text}`);
  return JSON.parse(text);
};

// --- the story ---

const MODELS = [
  { alias: 'fast', model_name: 'simulated-small', tags: { team: 'demo' } },
  { alias: 'vision', model_name: 'simulated-vision', supports_images: true, priority: 10 },
  { alias: 'broken', model_name: 'simulated-broken', max_retries: 0 },
];

const saveModels = async (send, apiBase) => {
  for (const model of MODELS) {
    const body = { provider: 'openai_compatible', api_base: apiBase, api_key: API_KEY, ...model };
    const saved = await readAnswer(await send('POST', CONFIGS, body), 201, `saving ${model.alias}`);
    check(!JSON.stringify(saved).includes(API_KEY), 'the answer repeats the key');
    say(`saved "${saved.alias}": status ${saved.status}, key shown as …${saved.api_key_hint}`);
  }
};

const call = (send, model, content, fields = {}) =>
  send('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content }], ...fields });

const callWhole = async (send, alias, content) => {
  const body = await readAnswer(await call(send, alias, content), 200, `calling ${alias}`);
  const text = body.choices[0].message.content;
  say(`called "${alias}": ${text}`);
  return text;
};

const callStreamed = async (send, alias, content) => {
  const asked = performance.now();
  const response = await call(send, alias, content, { stream: true });
  check(response.status === 200, `streaming from ${alias}: got status ${response.status}`);
  let firstAfter = null;
  let events = '';
  for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
    firstAfter ??= Math.round(performance.now() - asked);
    events += bytes;
  }
  const chunks = events.split('\n\n').filter((event) => event.startsWith('data: {'));
  const pieces = chunks.map((chunk) => JSON.parse(chunk.slice(6)).choices[0]?.delta.content ?? '').filter(Boolean);
  const allAfter = Math.round(performance.now() - asked);
  check(pieces.length > 1 && firstAfter < allAfter, `streaming from ${alias}: the answer came all at once`);
  say(
    `called "${alias}", streamed: ${pieces.join('')} (first piece after ${firstAfter} ms, last after ${allAfter} ms)`,
  );
};

const callModels = async (send) => {
  await callWhole(send, 'fast', 'Say hello');
  await callStreamed(send, 'fast', 'Tell me a story');
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${RED_PIXEL}` } };
  const text = await callWhole(send, 'vision', [{ type: 'text', text: 'What is this?' }, image]);
  check(text.includes('image/png'), 'the image did not arrive at the provider');
  const response = await call(send, 'broken', 'Try anyway');
  const { error } = await readAnswer(response, 502, 'calling a provider that fails');
  say(`called "broken": status ${response.status}, code ${error.code} ("${error.message}")`);
};

const readModels = async (send) =>
  (await readAnswer(await send('GET', `${CONFIGS}?sort=-usage_count,alias`), 200, 'listing the models')).models;

const readTotals = async (send) =>
  readAnswer(await send('GET', '/api/v1/ai-models/statistics'), 200, 'reading the statistics');

/** Calls are counted in the background, about once a second. */
const waitForCalls = async (send, calls) => {
  const deadline = Date.now() + COUNT_MILLISECONDS;
  while ((await readTotals(send)).usage_count < calls) {
    check(Date.now() < deadline, `the ${calls} calls were not counted within ${COUNT_MILLISECONDS / 1000} s`);
    await sleep(100);
  }
};

const printTable = (rows) => {
  const columns = Object.keys(rows[0]);
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const line = (cells) =>
    `         ${cells.map((cell, index) => String(cell).padEnd(widths[index])).join('  ')}`.trimEnd();
  console.log(line(columns));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) console.log(line(columns.map((name) => row[name])));
};

const showStatistics = async (send) => {
  const models = await readModels(send);
  const { usage_count: calls, error_count: errors, tokens } = await readTotals(send);
  printTable(
    models.map((model) => ({
      alias: model.alias,
      model: model.model_name,
      status: model.status,
      calls: model.usage_count,
      errors: model.error_count,
      'last error': model.last_error ?? '-',
    })),
  );
  say(`all models: ${calls} calls, ${errors} failed, ${tokens.input} tokens in, ${tokens.output} out`);
  return { models, totals: { calls, errors, tokens } };
};

const runStory = async ({ dataDir, onChild, provider }) => {
  say('starting the application with an empty database of its own…');
  const first = await startHub(dataDir, onChild);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const send = clientOf(first.url, token);
  say(`ready at ${first.url}`);
  await saveModels(send, provider.url);
  await callModels(send);
  await waitForCalls(send, 4);
  const before = await showStatistics(send);

  say('stopping it and starting it again…');
  check((await stopHub(first.child)) === 0, 'the application did not stop cleanly');
  const second = await startHub(dataDir, onChild);
  const sendAgain = clientOf(second.url, token);
  say(`ready again at ${second.url}`);
  const after = await showStatistics(sendAgain);
  check(JSON.stringify(after) === JSON.stringify(before), 'something changed over the restart');
  await callWhole(sendAgain, 'fast', 'Still there?');
  check((await stopHub(second.child)) === 0, 'the application did not stop cleanly');
  say('everything was still there, the encrypted key too. Done.');
};

// --- around it ---

const createDataDirectory = () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ai-model-hub-demo-'));
  // PostgreSQL never runs as root: its own user has to pass through, or the database would live elsewhere.
  chmodSync(dataDir, 0o711);
  return dataDir;
};

const main = async () => {
  const dataDir = createDataDirectory();
  let child = null;
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (interruptedBy = signal));
  const provider = await startProvider();
  say(`a simulated provider listens at ${provider.url}: its answers are made up, everything else is real`);
  try {
    await runStory({ dataDir, provider, onChild: (next) => (child = next) });
  } finally {
    provider.close();
    if (child) await stopHub(child);
    removeDataDirectory(dataDir);
  }
};

main().catch((error) => {
  console.error(`The demo failed: ${error.message}`);
  process.exitCode = interruptedBy ? 130 : 1;
});
