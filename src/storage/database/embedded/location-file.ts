import { createHash, randomUUID } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError, hasErrorCode, unlessError } from './embedded-postgres-error.js';

/** Where root's servers live when their user cannot enter the data directory. */
const SHARED_DIRECTORY = '/var/lib/ai-model-hub';

/** The content of `DATA_DIR/postgres-location`, and its path. */
export interface Location {
  readonly file: string;
  readonly directory: string;
  /** Whether the database was there once: tells an interrupted first start from a lost database. */
  readonly initialised: boolean;
}

/** The same short name for the same directory, used wherever a path itself would be too long. */
export const shortHash = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12);

const fileIn = (dataDir: string): string => join(dataDir, 'postgres-location');

export async function readLocation(dataDir: string): Promise<Location | undefined> {
  const file = fileIn(dataDir);
  const text = await unlessError(readFile(file, 'utf8'), 'ENOENT');
  if (text === undefined) return undefined;
  try {
    const { directory, initialised } = JSON.parse(text) as Partial<Location>;
    if (typeof directory === 'string') return { file, directory, initialised: initialised === true };
  } catch {
    // Said below, together with a file that is JSON but not ours.
  }
  throw new EmbeddedPostgresError(
    'directory_not_accessible',
    `${file} is damaged: it should name the database's directory`,
  );
}

/**
 * Takes a directory for this data directory. Whoever writes the file first decides, the others read it. A directory
 * that exists without a file belongs to a data directory that was deleted: its rows are sealed with a key that went
 * with it, so we leave it alone and take the next name.
 */
export async function claimLocation(dataDir: string): Promise<Location> {
  await makeSharedDirectory();
  const file = fileIn(dataDir);
  const location = {
    file,
    directory: await unusedDirectory(join(SHARED_DIRECTORY, shortHash(dataDir))),
    initialised: false,
  };
  const temporary = await writeTemporary(location, randomUUID());
  try {
    await link(temporary, file);
    return location;
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    return (await readLocation(dataDir)) ?? location;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function makeSharedDirectory(): Promise<void> {
  try {
    await mkdir(SHARED_DIRECTORY, { recursive: true });
    await chmod(SHARED_DIRECTORY, 0o755);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'directory_not_accessible',
      `The embedded database does not run as root, its user cannot enter DATA_DIR, and ${SHARED_DIRECTORY} cannot be created: ` +
        'start as an ordinary user, make DATA_DIR enterable (chmod 711), or set DATABASE_URL',
      { cause: error },
    );
  }
}

async function unusedDirectory(base: string): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? base : `${base}-${number}`;
    if (!(await unlessError(stat(candidate), 'ENOENT'))) return candidate;
  }
}

/** Replaces the file in one step. */
export async function writeLocation(location: Location, suffix: string): Promise<void> {
  await rename(await writeTemporary(location, suffix), location.file);
}

async function writeTemporary({ file, directory, initialised }: Location, suffix: string): Promise<string> {
  const temporary = join(dirname(file), `.postgres-location-${suffix}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ directory, initialised })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}
