// Calls per second by alias through the hub, passed through and translated, with authentication, logs and usage on, against
// a bare Node proxy and Portkey's gateway on the same provider in the same run: only the ratios mean something, the
// machine's noise is in all of them. `npm run bench:call`; BENCH_PORTKEY=0 leaves out what is fetched from npm.
import { rmSync } from 'node:fs';
import { start, stopAll } from './bench/children.js';
import { compare, print } from './bench/compare.js';
import { createModel, startHub } from './bench/hub.js';
import { portkeyHeaders, startPortkey } from './bench/portkey.js';
import { removeDataDirectory } from './support/remove-data-directory.js';

const SETTINGS = {
  callers: Number(process.env.BENCH_CALLERS ?? 32),
  rounds: Number(process.env.BENCH_ROUNDS ?? 3),
  milliseconds: Number(process.env.BENCH_MILLISECONDS ?? 3000),
};
const BARE = 'bare proxy';
const PASSED = 'hub, passed through';
const TRANSLATED = 'hub, translated';
const PORTKEY = 'Portkey';

const portkey = async (upstream, directories) => {
  if (process.env.BENCH_PORTKEY === '0') return { name: PORTKEY, skipped: 'BENCH_PORTKEY=0' };
  try {
    const started = await startPortkey(directories);
    return { name: PORTKEY, ...started, model: 'm', headers: portkeyHeaders(upstream) };
  } catch (error) {
    return { name: PORTKEY, skipped: error.message };
  }
};

const startTargets = async (hubDirectories, otherDirectories) => {
  const { url: upstream } = await start('bench/upstream.js', {});
  const bare = await start('bench/bare-proxy.js', { UPSTREAM: upstream });
  const hub = await startHub(hubDirectories);
  await createModel(hub, 'passed', 'openai_compatible', `${upstream}/v1`);
  await createModel(hub, 'translated', 'claude', `${upstream}/v1`);
  const headers = { authorization: `Bearer ${hub.token}` };
  return [
    { name: BARE, ...bare, model: 'm', headers },
    { name: PASSED, ...hub, model: 'passed', headers },
    { name: TRANSLATED, ...hub, model: 'translated', headers },
    await portkey(upstream, otherDirectories),
  ];
};

const hubDirectories = [];
const otherDirectories = [];
try {
  const targets = await startTargets(hubDirectories, otherDirectories);
  const ratios = { compared: [PASSED, TRANSLATED], baselines: [BARE, PORTKEY] };
  const how = `${SETTINGS.callers} callers, median of ${SETTINGS.rounds} rounds of ${SETTINGS.milliseconds / 1000} s`;
  for (const [title, stream] of [
    ['not streamed', false],
    ['streamed, 20 words', true],
  ]) {
    print(`${title} (${how})`, await compare(targets, stream, SETTINGS), ratios);
  }
} finally {
  await stopAll();
  for (const directory of hubDirectories) removeDataDirectory(directory);
  for (const directory of otherDirectories) rmSync(directory, { recursive: true, force: true });
}
