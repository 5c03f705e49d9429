// A closed loop of callers: each sends its next call when the last one is answered.
import { Pool } from 'undici';

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Calls for so long, each time another path when `path` is a function, and answers calls per second and latencies in milliseconds. With a `signal` until that is aborted. `onAnswer` hears of each answer. Throws when one is no 200. */
export const runLoad = async ({
  url,
  path,
  method = 'POST',
  headers,
  body,
  callers,
  milliseconds = Infinity,
  signal,
  onAnswer = () => undefined,
}) => {
  const pool = new Pool(url, { connections: callers });
  const latencies = [];
  const end = performance.now() + milliseconds;
  const started = performance.now();
  const isOver = () => performance.now() >= end || signal?.aborted === true;
  const caller = async () => {
    while (!isOver()) {
      const from = performance.now();
      const answer = await pool.request({ path: typeof path === 'function' ? path() : path, method, headers, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 200)}`);
      latencies.push(performance.now() - from);
      onAnswer();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - started) / 1000;
  await pool.close();
  latencies.sort((a, b) => a - b);
  return {
    calls: latencies.length,
    rate: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
};
