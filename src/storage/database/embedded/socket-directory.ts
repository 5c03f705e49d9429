import { chmod, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError, unlessError } from './embedded-postgres-error.js';
import { shortHash } from './location-file.js';
import type { ServerSite } from './server-site.js';
import { canEnter, giveTo, type ServerUser } from './server-user.js';

/** Only part of the socket's name: nothing listens on TCP, so it cannot collide with another server. */
export const PORT = 5432;

/** The kernel's limit for a socket's path is 108 bytes with the final zero, on macOS 104. */
const LONGEST_PATH = process.platform === 'darwin' ? 102 : 106;

const fits = (directory: string): boolean => Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}`)) <= LONGEST_PATH;

/** A private directory for the socket: beside the data, or a short one where that path is too long for a socket. */
export async function prepareSocketDirectory(site: ServerSite): Promise<string> {
  const beside = join(site.directory, 'run');
  const directory = fits(beside) ? beside : await shortDirectory(site);
  await unlessError(mkdir(directory, { mode: 0o700 }), 'EEXIST');
  await assertPrivate(directory, site.user);
  await chmod(directory, 0o700);
  await giveTo(site.user, directory);
  return directory;
}

async function shortDirectory({ cluster, user }: ServerSite): Promise<string> {
  const temporary = tmpdir();
  const directory = join(temporary, `ai-model-hub-${shortHash(cluster)}`);
  const usable = fits(directory) && (user === undefined || (await canEnter(user, temporary)));
  return usable ? directory : join('/tmp', `ai-model-hub-${shortHash(cluster)}`);
}

/** The name can be guessed: whoever created it before us would own the socket that we trust without a password. */
async function assertPrivate(directory: string, user: ServerUser | undefined): Promise<void> {
  const found = await lstat(directory);
  const owners = [process.getuid?.(), user?.uid];
  if (found.isDirectory() && owners.includes(found.uid)) return;
  throw new EmbeddedPostgresError(
    'directory_not_accessible',
    `The socket directory ${directory} belongs to somebody else: remove it, or use a DATA_DIR with a shorter path`,
  );
}
