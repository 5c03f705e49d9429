// What it costs a busy hub that somebody reads `/metrics`: calls per second with a reader and without, in turn in one run,
// with as many aliases as the page names. `npm run bench:metrics`
import { setTimeout as sleep } from 'node:timers/promises';
import { median, start, stopAll } from './bench/children.js';
import { createModel, startHub } from './bench/hub.js';
import { runLoad } from './bench/load.js';
import { cpuOf } from './bench/process-cost.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const ALIASES = 220;
const CALLERS = 16;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const MILLISECONDS = Number(process.env.BENCH_MILLISECONDS ?? 4000);
const READ_EVERY_MILLISECONDS = 1000;
/** What Prometheus does unless it is told otherwise is a minute; most people tell it this. */
const USUAL_INTERVAL_MILLISECONDS = 15_000;
const PAGES = 50;

const directories = [];

const readPage = async ({ url, token }) => {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
  return answer.text();
};

const requestOf = (hub, alias) => ({
  url: hub.url,
  path: '/v1/chat/completions',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${hub.token}` },
  body: JSON.stringify({ model: alias, messages: [{ role: 'user', content: 'Hi' }] }),
});

const callEach = async (hub, aliases) => {
  for (const alias of aliases) {
    const { url, path, headers, body } = requestOf(hub, alias);
    await (await fetch(url + path, { method: 'POST', headers, body })).text();
  }
};

const keepReading = async (hub, over) => {
  while (!over.aborted) {
    await readPage(hub);
    await sleep(READ_EVERY_MILLISECONDS);
  }
};

const measure = async (hub, isRead) => {
  const over = new AbortController();
  const reader = isRead ? keepReading(hub, over.signal) : Promise.resolve();
  const { rate } = await runLoad({ ...requestOf(hub, 'model-0'), callers: CALLERS, milliseconds: MILLISECONDS });
  over.abort();
  await reader;
  return rate;
};

/** CPU of one page, in milliseconds. */
const costOfPage = async (hub) => {
  const before = cpuOf(hub.child);
  let page = '';
  for (let count = 0; count < PAGES; count += 1) page = await readPage(hub);
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  return { milliseconds: (cpuOf(hub.child) - before) / PAGES, lines, kilobytes: page.length / 1024 };
};

try {
  const { url: upstream } = await start('bench/upstream.js', {});
  const hub = await startHub(directories);
  const aliases = Array.from({ length: ALIASES }, (_value, index) => `model-${index}`);
  for (const alias of aliases) await createModel(hub, alias, 'openai_compatible', `${upstream}/v1`);
  await callEach(hub, aliases);
  await measure(hub, true);
  const rates = { with: [], without: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const isRead of round % 2 === 0 ? [false, true] : [true, false]) {
      (isRead ? rates.with : rates.without).push(await measure(hub, isRead));
    }
    console.log(`round ${round + 1} of ${ROUNDS}`);
  }
  const { milliseconds, lines, kilobytes } = await costOfPage(hub);
  const ratio = median(rates.with) / median(rates.without);
  const share = (every) => `${((milliseconds / every) * 100).toFixed(2)} %`;
  console.log(
    `\na page of ${ALIASES} aliases: ${lines} series, ${kilobytes.toFixed(0)} kB, ${milliseconds.toFixed(1)} ms of CPU`,
  );
  console.log(
    `calls/s with a reader every second / without: ${ratio.toFixed(3)} (of one core: ${share(READ_EVERY_MILLISECONDS)})`,
  );
  console.log(
    `read every ${USUAL_INTERVAL_MILLISECONDS / 1000} s it takes ${share(USUAL_INTERVAL_MILLISECONDS)} of one core`,
  );
} finally {
  await stopAll();
  for (const directory of directories) removeDataDirectory(directory);
}
