// Portkey's gateway, fetched from npm into a directory that is gone afterwards: it is no dependency of ours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './children.js';

const PACKAGE = '@portkey-ai/gateway@1.15.2';
const INSTALL = ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--omit=dev', PACKAGE];
/** Behind newer versions of its server Portkey's streams answer 500: "Headers are immutable". */
const PROJECT = { private: true, overrides: { '@hono/node-server': '1.13.1' } };
const INSTALL_MILLISECONDS = 60_000;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Fetches and starts it; throws with a sentence when it cannot be had. */
export const startPortkey = async (directories) => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-bench-portkey-'));
  directories.push(directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify(PROJECT));
  const { status, error, stderr } = spawnSync('npm', INSTALL, {
    cwd: directory,
    encoding: 'utf8',
    timeout: INSTALL_MILLISECONDS,
  });
  if (status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n')[0];
    throw new Error(`${PACKAGE} could not be fetched from npm: ${reason}`);
  }
  const program = join(directory, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const port = await freePort();
  const { child } = await start(program, {}, { args: ['--headless', `--port=${port}`], ready: /(Ready) for conn/ });
  return { child, url: `http://127.0.0.1:${port}` };
};

/** What tells it where a call goes. */
export const portkeyHeaders = (upstream) => ({
  authorization: 'Bearer key-of-the-bench',
  'x-portkey-provider': 'openai',
  'x-portkey-custom-host': `${upstream}/v1`,
});
