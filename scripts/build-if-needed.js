// Builds `dist` when it is missing or made from other sources; otherwise costs a few milliseconds. With --force: always.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCK_MILLISECONDS = 60_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.sources.sha256');
const lock = join(root, 'node_modules', '.build-lock');

const filesBelow = (directory) =>
  readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();

const digestOfSources = () => {
  const digest = createHash('sha256');
  const settings = ['package.json', '.swcrc', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
    join(root, name),
  );
  for (const file of [...settings, ...filesBelow('src'), ...filesBelow('typeorm-migrations')]) {
    digest.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return digest.digest('hex');
};

const isBuilt = (sources) => existsSync(stamp) && readFileSync(stamp, 'utf8') === sources;

const fail = (message) => {
  console.error(message);
  process.exit(1);
};

const isOld = () => {
  try {
    return Date.now() - statSync(lock).mtimeMs > LOCK_MILLISECONDS;
  } catch {
    return true;
  }
};

const takeLock = () => {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    // Any other failure says that node_modules is not ours to write: then nobody else builds here either.
    return error.code !== 'EEXIST';
  }
};

/** Two starts at once: the second waits for the first one's build. A lock left behind by a killed build gets old. */
const withLock = (work) => {
  while (!takeLock()) {
    if (isOld()) rmSync(lock, { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
};

/** After the application, whose build empties the directory. Without its sources the API is served alone. */
const buildConsole = () => {
  const settings = join(root, 'src', 'console', 'web', 'vite.config.js');
  if (!existsSync(settings)) return;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build', '--config', settings], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) fail('The build of the console failed; what is wrong is said above.');
};

const build = (sources) => {
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  if (!existsSync(nest)) fail('The application is not built and its build tools are missing: run `npm ci` first.');
  console.error('Building…');
  const { status } = spawnSync(process.execPath, [nest, 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) fail('The build failed; what is wrong is said above.');
  buildConsole();
  writeFileSync(stamp, sources);
};

const sources = digestOfSources();
const isForced = process.argv.includes('--force');
if (isForced || !isBuilt(sources)) {
  withLock(() => {
    if (isForced || !isBuilt(sources)) build(sources);
  });
}
