import { randomUUID } from 'node:crypto';
import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EmbeddedPostgresError, unlessError } from './embedded-postgres-error.js';
import { claimLocation, type Location, readLocation, writeLocation } from './location-file.js';
import { canEnter, findServerUser, isRoot, ownerOf, type ServerUser } from './server-user.js';

/** Where the server's files are and who owns them. */
export interface ServerSite {
  readonly dataDir: string;
  /** Root-owned when we are root, so that the server's user cannot plant links for us to follow. */
  readonly directory: string;
  /** The cluster, PostgreSQL's own directory. */
  readonly cluster: string;
  /** `undefined`: the server runs as ourselves. */
  readonly user: ServerUser | undefined;
  /** Set when the directory is not inside `dataDir`. */
  readonly location: Location | undefined;
}

/** Decides for a data directory where its server lives and as whom, and creates the directory. */
export async function settleServerSite(dataDir: string): Promise<ServerSite> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const site = await chooseSite(await realpath(resolve(dataDir)));
  await mkdir(site.directory, { recursive: true });
  // After mkdir, whose mode the umask cuts. 0711: the server's user has to pass through, nobody has to list.
  if (site.user === undefined || (await stat(site.directory)).uid === 0) {
    await chmod(site.directory, site.user === undefined ? 0o700 : 0o711);
  }
  return site;
}

async function chooseSite(dataDir: string): Promise<ServerSite> {
  const inside = join(dataDir, 'postgres');
  const location = await readLocation(dataDir);
  if (!isRoot()) return ordinarySite(dataDir, inside, location);
  if (location) return siteElsewhere(dataDir, location);
  const owner = await clusterOwner(inside);
  const user = owner ?? (await findServerUser());
  if (await canEnter(user, dataDir)) return siteAt(dataDir, inside, user);
  if (owner) {
    throw new EmbeddedPostgresError(
      'directory_not_accessible',
      `The database in ${inside} belongs to user "${owner.name}", who can no longer enter it: chmod a+x ${dataDir} and its parents`,
    );
  }
  return siteElsewhere(dataDir, await claimLocation(dataDir));
}

function ordinarySite(dataDir: string, inside: string, location: Location | undefined): ServerSite {
  if (!location) return siteAt(dataDir, inside, undefined);
  throw new EmbeddedPostgresError(
    'directory_not_accessible',
    `The database of ${dataDir} was created by root and is in ${location.directory}: start as root again, or use another DATA_DIR`,
  );
}

async function siteElsewhere(dataDir: string, location: Location): Promise<ServerSite> {
  const owner = await clusterOwner(location.directory);
  // Starting empty here would look like lost data, and be it as soon as somebody writes.
  if (!owner && location.initialised) {
    throw new EmbeddedPostgresError(
      'database_missing',
      `The database of ${dataDir} was in ${location.directory} and is gone (a container without a volume there?): ` +
        `restore it, or remove ${location.file} to start with an empty one`,
    );
  }
  return { ...siteAt(dataDir, location.directory, owner ?? (await findServerUser())), location };
}

function siteAt(dataDir: string, directory: string, user: ServerUser | undefined): ServerSite {
  return { dataDir, directory, cluster: join(directory, 'data'), user, location: undefined };
}

async function clusterOwner(directory: string): Promise<ServerUser | undefined> {
  return unlessError(ownerOf(join(directory, 'data', 'PG_VERSION')), 'ENOENT');
}

/** Remembers that the cluster outside `dataDir` exists from now on, so that its absence is noticed. */
export async function markInitialised({ location }: ServerSite): Promise<void> {
  if (location && !location.initialised) await writeLocation({ ...location, initialised: true }, randomUUID());
}
