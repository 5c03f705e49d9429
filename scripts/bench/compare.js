// Measures several servers in turn, so that a slow moment of the machine meets all of them.
import { median } from './children.js';
import { runLoad } from './load.js';
import { cpuOf, memoryOf } from './process-cost.js';

const PATH = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Tell me about foxes. '.repeat(20) }];

const requestOf = ({ headers, model }, stream) => ({
  path: PATH,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ model, messages: MESSAGES, ...(stream && { stream: true }) }),
});

/** Why a server cannot be measured, or null: it must give the whole answer, and to its end. */
const problemOf = async (target, stream) => {
  const { path, headers, body } = requestOf(target, stream);
  const answer = await fetch(`${target.url}${path}`, { method: 'POST', headers, body });
  const text = await answer.text();
  if (answer.status !== 200) return `it answers ${answer.status}: ${text.slice(0, 200)}`;
  const isWhole = stream ? text.includes('word 19') && text.trimEnd().endsWith('[DONE]') : text.includes('lazy dog');
  return isWhole ? null : `its answer is not the provider's: ${text.slice(-200)}`;
};

const measureOnce = async (target, stream, { callers, milliseconds }) => {
  const before = cpuOf(target.child);
  const result = await runLoad({ ...requestOf(target, stream), url: target.url, callers, milliseconds });
  const after = cpuOf(target.child);
  return {
    ...result,
    cpu: before === null || after === null ? null : ((after - before) * 1000) / result.calls,
    memory: memoryOf(target.child),
  };
};

const summarise = (rounds) =>
  Object.fromEntries(
    ['rate', 'p50', 'p99', 'cpu', 'memory'].map((key) => [key, median(rounds.map((round) => round[key]))]),
  );

/** `[{name, rate, p50, p99, cpu, memory}]`, medians of all rounds, or `{name, skipped}`; the first round warms up. */
export const compare = async (targets, stream, settings) => {
  const rounds = new Map();
  const skipped = new Map();
  for (const target of targets) {
    const problem = target.skipped ?? (await problemOf(target, stream));
    if (problem === null) rounds.set(target, []);
    else skipped.set(target, problem);
  }
  for (let round = 0; round <= settings.rounds; round += 1) {
    const able = [...rounds.keys()];
    for (const target of round % 2 === 0 ? able : able.toReversed()) {
      const result = await measureOnce(target, stream, settings);
      if (round > 0) rounds.get(target).push(result);
    }
  }
  return targets.map((target) => ({
    name: target.name,
    ...(skipped.has(target) ? { skipped: skipped.get(target) } : summarise(rounds.get(target))),
  }));
};

const number = (value, digits, unit) => (value === null ? 'n/a' : `${value.toFixed(digits)} ${unit}`);

const lineOf = ({ name, skipped, rate, p50, p99, cpu, memory }) => {
  if (skipped) return `  ${name.padEnd(20)} skipped: ${skipped}`;
  const latencies = `p50 ${p50.toFixed(2).padStart(6)} ms   p99 ${p99.toFixed(2).padStart(6)} ms`;
  const costs = `CPU ${number(cpu, 0, 'µs/call').padStart(12)}   memory ${number(memory, 0, 'MB').padStart(7)}`;
  return `  ${name.padEnd(20)} ${rate.toFixed(0).padStart(7)} calls/s   ${latencies}   ${costs}`;
};

const ratioLine = (one, other) =>
  one !== other && one.rate && other.rate
    ? `  ${`${one.name} / ${other.name}`.padEnd(44)} ${(one.rate / other.rate).toFixed(2)}`
    : null;

/** A line per server, then how the `compared` ones stand to the `baselines`. */
export const print = (title, results, { compared, baselines }) => {
  console.log(`\n${title}`);
  for (const result of results) console.log(lineOf(result));
  const named = (name) => results.find((result) => result.name === name);
  for (const one of compared) {
    for (const other of baselines) {
      const line = ratioLine(named(one), named(other));
      if (line) console.log(line);
    }
  }
};
