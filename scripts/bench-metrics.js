// What it costs a busy hub that somebody reads `/metrics`, with as many aliases as the page names. One load runs all the
// time; short slices with a reader and without take turns, so that whatever else the machine does meets both alike. The
// reader comes many times as often as Prometheus does: what it costs is far above the noise then, and is scaled down.
// `npm run bench:metrics`
import { setTimeout as sleep } from 'node:timers/promises';
import { median, start, stopAll } from './bench/children.js';
import { createModel, startHub } from './bench/hub.js';
import { runLoad } from './bench/load.js';
import { cpuOf } from './bench/process-cost.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const ALIASES = 220;
const CALLERS = 16;
const PAIRS = Number(process.env.BENCH_PAIRS ?? 40);
const SLICE_MILLISECONDS = Number(process.env.BENCH_MILLISECONDS ?? 1000);
const WARM_UP_MILLISECONDS = 3000;
const READ_EVERY_MILLISECONDS = 250;
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

/** Reads until `over`; answers how many pages. */
const keepReading = async (hub, over) => {
  let pages = 0;
  for (let next = performance.now(); !over.aborted; pages += 1) {
    await readPage(hub);
    next += READ_EVERY_MILLISECONDS;
    await sleep(Math.max(0, next - performance.now()));
  }
  return pages;
};

/** Calls per second, and per second of the hub's CPU, in a slice of the load that runs anyway; and the pages read in it. */
const measureSlice = async (hub, answers, isRead) => {
  const over = new AbortController();
  const [before, cpuBefore] = [answers(), cpuOf(hub.child)];
  const from = performance.now();
  const reading = isRead ? keepReading(hub, over.signal) : Promise.resolve(0);
  await sleep(SLICE_MILLISECONDS);
  over.abort();
  // A page that was begun is of this slice.
  const pages = await reading;
  const calls = answers() - before;
  const milliseconds = performance.now() - from;
  const ofCpu = cpuBefore === null ? Number.NaN : calls / (cpuOf(hub.child) - cpuBefore);
  return { rate: calls / milliseconds, ofCpu, pages, milliseconds };
};

/** Pairs of slices next to each other, `quiet` without a reader. */
const measurePairs = async (hub, answers) => {
  const pairs = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const slices = {};
    for (const isRead of pair % 2 === 0 ? [false, true] : [true, false]) {
      slices[isRead ? 'read' : 'quiet'] = await measureSlice(hub, answers, isRead);
    }
    pairs.push(slices);
  }
  return pairs;
};

const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

const meanOf = (values) => sumOf(values) / values.length;

/** Half of the interval that holds the true mean nineteen times of twenty. */
const marginOf = (values) => {
  const mean = meanOf(values);
  const variance = sumOf(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
  return 1.96 * Math.sqrt(variance / values.length);
};

const percent = (share) => `${(share * 100).toFixed(2)} %`;

const report = (pairs, rate) => {
  const read = pairs.map((pair) => pair.read);
  const perSecond =
    (sumOf(read.map(({ pages }) => pages)) / sumOf(read.map(({ milliseconds }) => milliseconds))) * 1000;
  const scale = 1000 / USUAL_INTERVAL_MILLISECONDS / perSecond;
  console.log(
    `${rate.toFixed(0)} calls/s; ${pairs.length} pairs of slices, ${perSecond.toFixed(1)} pages/s in those with a reader`,
  );
  for (const [what, of] of [
    ['calls per second', 'rate'],
    ["calls per second of the hub's CPU", 'ofCpu'],
  ]) {
    const losses = pairs.map((pair) => 1 - pair.read[of] / pair.quiet[of]);
    const [loss, margin] = [meanOf(losses), marginOf(losses)];
    console.log(
      `${what}: with a reader ${percent(loss)} ± ${percent(margin)} fewer (median ${percent(median(losses))}); read every ` +
        `${USUAL_INTERVAL_MILLISECONDS / 1000} s ${percent(loss * scale)} ± ${percent(margin * scale)} fewer, ` +
        `ratio ${(1 - loss * scale).toFixed(4)}`,
    );
  }
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
  let answered = 0;
  const over = new AbortController();
  const load = runLoad({
    ...requestOf(hub, 'model-0'),
    callers: CALLERS,
    signal: over.signal,
    onAnswer: () => (answered += 1),
  });
  await sleep(WARM_UP_MILLISECONDS);
  const pairs = await measurePairs(hub, () => answered);
  over.abort();
  const { rate } = await load;
  const page = await costOfPage(hub);
  console.log(
    `a page of ${ALIASES} aliases: ${page.lines} series, ${page.kilobytes.toFixed(0)} kB, ${page.milliseconds.toFixed(1)} ms of CPU, ` +
      `${percent(page.milliseconds / USUAL_INTERVAL_MILLISECONDS)} of one core when it is read every ${USUAL_INTERVAL_MILLISECONDS / 1000} s`,
  );
  report(pairs, rate);
} finally {
  await stopAll();
  for (const directory of directories) removeDataDirectory(directory);
}
