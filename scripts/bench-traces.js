// What traces cost: calls per second of a hub without them, with one in ten and with all of them recorded, in turn in one
// run, so that a slow moment of the machine meets all. `node scripts/bench-traces.js` after a build; BENCH_OTHER names the
// main.js of another build to compare with.
import { start, stopAll } from './bench/children.js';
import { compare, print } from './bench/compare.js';
import { createModel, startHub } from './bench/hub.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const SETTINGS = {
  callers: Number(process.env.BENCH_CALLERS ?? 16),
  rounds: Number(process.env.BENCH_ROUNDS ?? 5),
  milliseconds: Number(process.env.BENCH_MILLISECONDS ?? 3000),
};
const OTHER = 'the other build';
const OFF = 'no traces';
const TENTH = 'one in ten';
const ALL = 'all traces';

const directories = [];

const target = async (name, upstream, env, program) => {
  const hub = await startHub(directories, env, program);
  await createModel(hub, 'passed', 'openai_compatible', `${upstream}/v1`);
  return { name, ...hub, model: 'passed', headers: { authorization: `Bearer ${hub.token}` } };
};

try {
  const { url: upstream } = await start('bench/upstream.js', {});
  const { url: collector } = await start('bench/collector.js', {});
  const traced = (ratio) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER_ARG: String(ratio) });
  const targets = [
    await target(OFF, upstream, {}),
    await target(TENTH, upstream, traced(0.1)),
    await target(ALL, upstream, traced(1)),
  ];
  if (process.env.BENCH_OTHER) targets.unshift(await target(OTHER, upstream, {}, process.env.BENCH_OTHER));
  const how = `${SETTINGS.callers} callers, median of ${SETTINGS.rounds} rounds of ${SETTINGS.milliseconds / 1000} s`;
  for (const [title, stream] of [
    ['not streamed', false],
    ['streamed, 20 words', true],
  ]) {
    const baselines = process.env.BENCH_OTHER ? [OTHER, OFF] : [OFF];
    const compared = [OFF, TENTH, ALL];
    print(`${title} (${how})`, await compare(targets, stream, SETTINGS), { compared, baselines });
  }
} finally {
  await stopAll();
  for (const directory of directories) removeDataDirectory(directory);
}
