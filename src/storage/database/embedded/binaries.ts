import { execFile } from 'node:child_process';
import { lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { copyBinaries } from './binaries-copy.js';
import { EmbeddedPostgresError, hasErrorCode, messageOf, unlessError } from './embedded-postgres-error.js';
import { type ServerUser, spawnOptionsFor } from './server-user.js';

const runFile = promisify(execFile);

/** The programs we run, and the major version they speak. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly majorVersion: string;
}

/**
 * Binaries that this user can run: those of the npm package, or a copy beside the data where the package lies out of
 * the user's reach or lacks its symlinks and cannot be written to.
 */
export async function prepareBinaries(directory: string, user: ServerUser | undefined): Promise<PostgresBinaries> {
  const packageDirectory = findPackage();
  if (await makeSymlinks(packageDirectory)) {
    const binaries = await probe(packageDirectory, user).catch(() => undefined);
    if (binaries) return binaries;
  }
  const copy = await copyBinaries(packageDirectory, directory);
  await makeSymlinks(copy);
  try {
    return await probe(copy, user);
  } catch (error) {
    throw notExecutable(copy, user, error);
  }
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package's `exports` show only its entry, dist/index.js; everything else is found from there.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `The embedded database needs the optional package ${name}, which is not installed ` +
        '(or not made for this platform): run npm ci without --omit=optional, or set DATABASE_URL',
      { cause: error },
    );
  }
}

/** Makes the links that the package's install script would have made; false where the directory is not writable. */
async function makeSymlinks(packageDirectory: string): Promise<boolean> {
  const list = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8');
  try {
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
      const link = join(packageDirectory, target);
      if (await unlessError(lstat(link), 'ENOENT')) continue;
      await unlessError(symlink(relative(dirname(target), source), link), 'EEXIST');
    }
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
}

/** Running it is the only honest test: modes, mounts without exec and missing libraries all show here. */
async function probe(packageDirectory: string, user: ServerUser | undefined): Promise<PostgresBinaries> {
  const bin = join(packageDirectory, 'native', 'bin');
  const postgres = join(bin, 'postgres');
  const { stdout } = await runFile(postgres, ['--version'], { ...spawnOptionsFor(user), timeout: 10_000 });
  const majorVersion = /\) (\d+)/.exec(stdout)?.[1];
  if (majorVersion === undefined) throw new Error(`unexpected answer: ${stdout}`);
  return { initdb: join(bin, 'initdb'), postgres, majorVersion };
}

function notExecutable(directory: string, user: ServerUser | undefined, cause: unknown): EmbeddedPostgresError {
  if (process.platform === 'linux' && !runsOnGlibc()) {
    return new EmbeddedPostgresError(
      'unsupported_platform',
      'The embedded database needs glibc; this is a musl system such as Alpine Linux: ' +
        'use an image with glibc (Debian, Ubuntu), or set DATABASE_URL',
      { cause },
    );
  }
  const who = user ? `user "${user.name}"` : 'this user';
  return new EmbeddedPostgresError(
    'not_executable',
    `The PostgreSQL programs in ${directory} cannot be run by ${who} (${messageOf(cause)}): ` +
      'choose a DATA_DIR on a file system that allows programs, or set DATABASE_URL',
    { cause },
  );
}

// Asked only after a failure: the report takes a while, and gcompat may make the programs run on musl after all.
function runsOnGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}
