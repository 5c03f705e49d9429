// Calls per second by alias through the hub, with authentication and usage on, against a bare Node proxy on the same
// upstream in the same run: only the ratio means something, the machine's noise is in both. `npm run bench:call`
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, start, stopAll } from './bench/children.js';
import { runLoad } from './bench/load.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const CALLERS = Number(process.env.BENCH_CALLERS ?? 32);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 4);
const MILLISECONDS = Number(process.env.BENCH_MILLISECONDS ?? 3000);
const MESSAGES = [{ role: 'user', content: 'Tell me about foxes. '.repeat(20) }];

/** CPU time of a process so far in milliseconds, all its threads; 0 where /proc does not tell. */
const cpuOf = ({ pid }) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
};

const createModel = async (hub, token, apiBase) => {
  const body = {
    alias: 'bench',
    provider: 'openai_compatible',
    model_name: 'm',
    api_key: 'key-of-the-bench',
    api_base: `${apiBase}/v1`,
  };
  const answer = await fetch(`${hub}/api/v1/ai-models/configs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`The model could not be saved: ${answer.status} ${await answer.text()}`);
};

const compare = async (name, targets, stream) => {
  const results = new Map(targets.map((target) => [target.name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    // In turn, so that a slow moment of the machine meets both; the first round warms up and does not count.
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
      const body = JSON.stringify({ model: 'bench', messages: MESSAGES, ...(stream && { stream: true }) });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${target.token}` };
      const milliseconds = round === 0 ? 1500 : MILLISECONDS;
      const cpuBefore = cpuOf(target.child);
      const result = await runLoad({
        url: target.url,
        path: '/v1/chat/completions',
        headers,
        body,
        callers: CALLERS,
        milliseconds,
      });
      result.cpu = ((cpuOf(target.child) - cpuBefore) * 1000) / result.calls;
      if (round > 0) results.get(target.name).push(result);
    }
  }
  console.log(`\n${name} (${CALLERS} callers, median of ${ROUNDS} rounds)`);
  const rates = [...results].map(([target, rounds]) => {
    const [rate, p50, p99, cpu] = ['rate', 'p50', 'p99', 'cpu'].map((key) => median(rounds.map((round) => round[key])));
    console.log(
      `  ${target.padEnd(12)} ${rate.toFixed(0).padStart(7)} calls/s   p50 ${p50.toFixed(2)} ms   p99 ${p99.toFixed(2)} ms   CPU ${cpu.toFixed(0)} µs/call`,
    );
    return rate;
  });
  console.log(`  ratio        ${(rates[1] / rates[0]).toFixed(2)}`);
};

const dataDir = mkdtempSync(join(tmpdir(), 'hub-bench-'));
try {
  const upstream = await start('bench/upstream.js', {});
  const bare = await start('bench/bare-proxy.js', { UPSTREAM: upstream.url });
  const token = `bench-${randomBytes(24).toString('hex')}`;
  const hub = await start('../dist/src/main.js', {
    PORT: '0',
    DATA_DIR: dataDir,
    ADMIN_TOKEN: token,
    LOG_FORMAT: 'json',
  });
  await createModel(hub.url, token, upstream.url);
  const targets = [
    { name: 'bare proxy', ...bare, token },
    { name: 'hub', ...hub, token },
  ];
  await compare('not streamed', targets, false);
  await compare('streamed, 20 events', targets, true);
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${hub.child.pid}/status`, 'utf8'))?.[1];
  if (memory) console.log(`\nmemory of the hub: ${Math.round(Number(memory) / 1024)} MB`);
} finally {
  await stopAll();
  removeDataDirectory(dataDir);
}
