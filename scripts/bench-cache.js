// What the cache in Redis gains: the same questions to a hub without and to one with REDIS_URL, each on a full database of
// its own, in turn in the same run. Needs `redis-server`. `npm run bench:cache`
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './bench/children.js';
import { runLoad } from './bench/load.js';
import { syntheticBatches } from './bench/synthetic-usage.js';
import { startBenchServer } from './support/bench-server.js';

const MODELS = 10_000;
const CALLS = Number(process.env.BENCH_CALLS ?? 1_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROUND_MILLISECONDS = 2000;
const CALLERS = 8;
const REDIS_PORT = 18_479;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const to = Math.floor(Date.now() / MINUTE) * MINUTE;
const from = to - 30 * DAY;

const addModels = (client) =>
  client.query(
    `INSERT INTO ai_model_configs (alias, provider, model_name, display_name, description, api_base, is_enabled, priority,
       tags, usage_count, custom_parameters)
     SELECT 'model-' || lpad(n::text, 6, '0'), 'openai_compatible', 'model-of-' || n % 50, 'Model ' || n,
       repeat('What this model is for. ', 8), 'https://provider-' || n % 20 || '.example.com/v1', true, n * 31 % 97,
       jsonb_build_object('team', 'team-' || n % 100), (n * 7919) % 100000, '{"temperature": 0.2}'
     FROM generate_series(1, $1::integer) AS n`,
    [MODELS],
  );

const addCalls = async ({ url, serviceToken }) => {
  const minutes = Array.from({ length: (to - from) / MINUTE / 60 }, (_, hour) => from + hour * 60 * MINUTE);
  for (const batch of syntheticBatches(CALLS, minutes)) {
    const answer = await fetch(`${url}/internal/v1/usage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(batch),
    });
    if (!answer.ok) throw new Error(`A batch was refused: ${answer.status} ${await answer.text()}`);
  }
};

const BASE = '/api/v1/ai-models';
const RANGE = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
/** Each of so many in turn. */
const oneOf = (count, pathOf) => {
  let asked = 0;
  return () => pathOf((asked += 1) % count);
};
const aliasOf = (index) => `model-${String(index + 1).padStart(6, '0')}`;
const QUESTIONS = {
  [`100 of ${MODELS} configs`]: `${BASE}/configs?limit=100`,
  '... 40 pages in turn': oneOf(40, (page) => `${BASE}/configs?limit=100&skip=${page * 100}`),
  '... never the same': oneOf(
    Infinity,
    (n) => `${BASE}/configs?limit=100&q=-&skip=${n % 9000}&sort=${n % 2 ? '' : '-'}alias`,
  ),
  'by alias': `${BASE}/configs/by-alias/${aliasOf(4711)}`,
  '... 200 aliases in turn': oneOf(200, (index) => `${BASE}/configs/by-alias/${aliasOf(index)}`),
  '... never the same ': oneOf(MODELS, (index) => `${BASE}/configs/by-alias/${aliasOf(index)}`),
  '30 days by hour and model': `${BASE}/statistics?${RANGE}&interval=hour&group_by=model`,
  '30 days by day': `${BASE}/statistics?${RANGE}&interval=day`,
  'totals of 30 days': `${BASE}/statistics?${RANGE}`,
};

const untilUsed = async ({ url }) => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { dependencies } = await (await fetch(`${url}/health/ready`)).json();
    if (dependencies.redis.status === 'up') return;
    await sleep(50);
  }
  throw new Error('The hub does not use Redis');
};

const ask = ({ url, token }, path) =>
  runLoad({
    url,
    path,
    method: 'GET',
    headers: { authorization: `Bearer ${token}` },
    callers: CALLERS,
    milliseconds: ROUND_MILLISECONDS,
  });

const compare = async (path, hubs) => {
  const results = hubs.map(() => []);
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    for (const [index, hub] of hubs.entries()) {
      const result = await ask(hub, path);
      // The first round warms up.
      if (round > 0) results[index].push(result);
    }
  }
  return results.map((list) => ({
    rate: median(list.map(({ rate }) => rate)),
    p99: median(list.map(({ p99 }) => p99)),
  }));
};

const redis = spawn('redis-server', ['--port', String(REDIS_PORT), '--bind', '127.0.0.1', '--save', ''], {
  stdio: 'ignore',
});
redis.on('error', () => {
  console.error('There is no redis-server on this machine.');
  process.exit(69);
});
const server = await startBenchServer();
try {
  const serviceToken = `bench-${randomBytes(24).toString('hex')}`;
  const start = async (name, port, env) => {
    const settings = { STORAGE_SERVICE_TOKEN: serviceToken, SERVICE_ROLE: 'storage', ...env };
    const hub = { ...(await server.hub(name, port, addModels, settings)), serviceToken };
    await addCalls(hub);
    return hub;
  };
  const without = await start('bench_without', 18_471);
  const withCache = await start('bench_with', 18_472, { REDIS_URL: `redis://127.0.0.1:${REDIS_PORT}` });
  await untilUsed(withCache);
  console.log(`${CALLERS} callers that ask, median of ${ROUNDS} rounds: answers/s and p99 in ms`);
  for (const [name, path] of Object.entries(QUESTIONS)) {
    const [before, after] = await compare(path, [without, withCache]);
    const figures = [before, after].map(
      ({ rate, p99 }) => `${rate.toFixed(0).padStart(6)}/s ${p99.toFixed(1).padStart(7)} ms`,
    );
    console.log(
      `  ${name.padEnd(26)} ${figures[0]}   with Redis ${figures[1]}   ${(after.rate / before.rate).toFixed(2)} x`,
    );
  }
} finally {
  await server.close();
  redis.kill();
}
