import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.js';
import { EmbeddedPostgresError, hasErrorCode, unlessError } from './embedded-postgres-error.js';
import { isAlive } from './process-info.js';
import { markInitialised, type ServerSite } from './server-site.js';
import { assertUserIsKnown, giveTo, spawnOptionsFor } from './server-user.js';

const runFile = promisify(execFile);

/** PostgreSQL's role for us; there is one, and the socket directory decides who may use it. */
export const SUPERUSER = 'hub';

const TEMPORARY = /^(?:data\.initdb|binaries-.+)\.(\d+)\.tmp-/;

/** Makes sure that a cluster of the right version is there, creating it on the first start. */
export async function prepareCluster(
  site: ServerSite,
  binaries: PostgresBinaries,
  report: (line: string) => void,
): Promise<void> {
  await removeLeftovers(site.directory);
  if ((await clusterVersion(site)) === undefined) {
    report('Preparing the embedded database (first start, a few seconds)…');
    await createCluster(site, binaries);
  }
  await assertVersion(site, binaries);
  await markInitialised(site);
}

async function clusterVersion({ cluster }: ServerSite): Promise<string | undefined> {
  return (await unlessError(readFile(join(cluster, 'PG_VERSION'), 'utf8'), 'ENOENT'))?.trim();
}

async function assertVersion(site: ServerSite, { majorVersion }: PostgresBinaries): Promise<void> {
  const version = await clusterVersion(site);
  if (version === majorVersion) return;
  throw new EmbeddedPostgresError(
    'version_mismatch',
    version === undefined
      ? `${site.cluster} is not empty and not a PostgreSQL data directory: move its content away`
      : `The database in ${site.cluster} is of PostgreSQL ${version}, the embedded server is ${majorVersion}: ` +
          'upgrade it with pg_upgrade, or run the version of this application that created it',
  );
}

/** Built beside its place and renamed when complete: an interrupted initdb never looks like a database. */
async function createCluster(site: ServerSite, { initdb }: PostgresBinaries): Promise<void> {
  assertUserIsKnown();
  const temporary = join(site.directory, `data.initdb.${process.pid}.tmp-${randomUUID()}`);
  try {
    await mkdir(temporary, { mode: 0o700 });
    await giveTo(site.user, temporary);
    await runFile(initdb, initdbArguments(temporary), spawnOptionsFor(site.user));
    await rename(temporary, site.cluster);
    await syncDirectory(site.directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // The place is taken: by another process that was faster, or by something that assertVersion will name.
    if (!hasErrorCode(error, 'EEXIST', 'ENOTEMPTY')) throw error;
  }
}

function initdbArguments(directory: string): string[] {
  // PostgreSQL's own C.UTF-8 sorts the same on every system. The C library's, for messages and the like, is not
  // there on every macOS.
  const systemLocale = process.platform === 'darwin' ? 'C' : 'C.UTF-8';
  return [
    `--pgdata=${directory}`,
    `--username=${SUPERUSER}`,
    '--encoding=UTF8',
    '--data-checksums',
    `--locale=${systemLocale}`,
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // No password: the socket's directory lets only the server's user (and root) in, and there is no TCP.
    '--auth=trust',
    '--no-instructions',
  ];
}

/** Without it a power failure could undo the rename, and with it every commit since. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = TEMPORARY.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // An initdb that outlived its parent may still be writing there; then the next start removes the rest.
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
