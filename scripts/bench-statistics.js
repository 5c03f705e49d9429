// How long queries over 30 days take with few and with many calls behind them, each in a database of its own, in turn in
// the same run. The calls go in through the ingestion itself, as batches of the AI model service. `npm run bench:statistics`
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, start, stopAll } from './bench/children.js';
import { syntheticBatches } from './bench/synthetic-usage.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const SMALL = Number(process.env.BENCH_SMALL ?? 10_000);
const LARGE = Number(process.env.BENCH_LARGE ?? 10_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 31);
/** Not every minute has calls, so that ten million are in within minutes; the queries read hours and days. */
const EVERY_MINUTES = Number(process.env.BENCH_EVERY_MINUTES ?? 5);
const AT_ONCE = 3;
const AIM = 2;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const to = Math.floor(Date.now() / MINUTE) * MINUTE;
const from = to - 30 * DAY;

const QUERIES = {
  totals: '',
  'by day': 'interval=day',
  'by day in Kolkata': 'interval=day&tz=Asia/Kolkata',
  'by hour': 'interval=hour',
  'grouped by model': 'group_by=model',
  'by day and model': 'interval=day&group_by=model',
  'by day and token': 'interval=day&group_by=token',
  'by hour and model': 'interval=hour&group_by=model',
};

const dataDirs = [];
const startHub = async (name) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hub-bench-'));
  dataDirs.push(dataDir);
  const [token, serviceToken] = [0, 1].map(() => `bench-${randomBytes(24).toString('hex')}`);
  const { url } = await start('../dist/src/main.js', {
    SERVICE_ROLE: 'storage',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    ADMIN_TOKEN: token,
    STORAGE_SERVICE_TOKEN: serviceToken,
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
  });
  return { name, url, token, serviceToken };
};

const send = async ({ url, serviceToken }, batch) => {
  const answer = await fetch(`${url}/internal/v1/usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(batch),
  });
  if (answer.status !== 200) throw new Error(`A batch was refused: ${answer.status} ${await answer.text()}`);
  return batch.records.length;
};

const fill = async (hub, calls) => {
  const startedAt = performance.now();
  const minutes = Array.from(
    { length: (to - from) / MINUTE / EVERY_MINUTES },
    (_, i) => from + i * EVERY_MINUTES * MINUTE,
  );
  const batches = syntheticBatches(calls, minutes);
  let records = 0;
  const sender = async () => {
    for (const batch of batches) {
      const sent = await send(hub, batch);
      records += sent;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${hub.name}: ${calls} calls in ${records} records, through the ingestion in ${seconds.toFixed(1)} s ` +
      `(${Math.round(records / seconds)} records/s)`,
  );
};

const ask = async ({ url, token }, query) => {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const startedAt = performance.now();
  const answer = await fetch(`${url}/api/v1/ai-models/statistics?${range}&${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = await answer.json();
  const milliseconds = performance.now() - startedAt;
  if (answer.status !== 200) throw new Error(`The query was refused: ${answer.status} ${JSON.stringify(body)}`);
  return { milliseconds, body };
};

const compare = async (name, query, hubs) => {
  const times = new Map(hubs.map((hub) => [hub, []]));
  for (let round = 0; round < ROUNDS + 3; round += 1) {
    // In turn, so that a slow moment of the machine meets both; the first rounds warm up and do not count.
    for (const hub of round % 2 === 0 ? hubs : hubs.toReversed()) {
      const { milliseconds } = await ask(hub, query);
      if (round >= 3) times.get(hub).push(milliseconds);
    }
  }
  const [small, large] = hubs.map((hub) => median(times.get(hub)));
  console.log(
    `  ${name.padEnd(20)} ${small.toFixed(1).padStart(7)} ms ${large.toFixed(1).padStart(8)} ms   ratio ${(large / small).toFixed(2)}`,
  );
  return large / small;
};

try {
  const hubs = [await startHub('few calls'), await startHub('many calls')];
  for (const [index, calls] of [SMALL, LARGE].entries()) {
    await fill(hubs[index], calls);
    const counted = (await ask(hubs[index], '')).body.usage_count;
    if (counted !== calls) throw new Error(`${counted} calls were counted instead of ${calls}`);
  }
  console.log(`\n30 days, to the minute (median of ${ROUNDS} over HTTP)${' '.repeat(2)}${SMALL} calls, ${LARGE} calls`);
  const ratios = [];
  for (const [name, query] of Object.entries(QUERIES)) ratios.push(await compare(name, query, hubs));
  console.log(`\nworst ratio ${Math.max(...ratios).toFixed(2)}, aim ${AIM}`);
} finally {
  await stopAll();
  dataDirs.forEach(removeDataDirectory);
}
