// Builds `dist` when it is missing or made from other sources; otherwise costs a few milliseconds.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.sources.sha256');

const filesBelow = (directory) =>
  readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();

const digest = createHash('sha256');
const settings = ['package.json', '.swcrc', 'nest-cli.json', 'tsconfig.json'].map((name) => join(root, name));
for (const file of [...settings, ...filesBelow('src'), ...filesBelow('typeorm-migrations')]) {
  digest.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
}
const sources = digest.digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) {
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  if (!existsSync(nest)) {
    console.error('The application is not built and its build tools are missing: run `npm ci` first.');
    process.exit(1);
  }
  console.error('Building…');
  const build = spawnSync(process.execPath, [nest, 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) {
    console.error('The build failed: run `npm run build` to see why.');
    process.exit(1);
  }
  writeFileSync(stamp, sources);
}
