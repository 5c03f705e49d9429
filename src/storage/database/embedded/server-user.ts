import { chown, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

/** The user the server runs as when we are root; PostgreSQL refuses to run as root itself. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Both exist where PostgreSQL was ever installed and nearly everywhere else, so that none has to be created. */
const CANDIDATES = ['postgres', 'nobody'];

export const isRoot = (): boolean => process.getuid?.() === 0;

async function readUsers(): Promise<ServerUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

/** The first candidate of the user list, else a clear error. Only asked as root. */
export async function findServerUser(): Promise<ServerUser> {
  const users = await readUsers();
  for (const candidate of CANDIDATES) {
    const user = users.find(({ name }) => name === candidate);
    if (user && user.uid > 0 && user.gid > 0) return user;
  }
  throw new EmbeddedPostgresError(
    'no_server_user',
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as: ' +
      'start as an ordinary user, or set DATABASE_URL',
  );
}

/** The owner of an existing cluster: a server of another user could not open its files. */
export async function ownerOf(path: string): Promise<ServerUser> {
  const { uid, gid } = await stat(path);
  const known = (await readUsers()).find((user) => user.uid === uid);
  return { name: known?.name ?? `uid ${uid}`, uid, gid };
}

/** `initdb` looks its own user up and fails with a riddle where there is none (`docker run --user 12345`). */
export function assertUserIsKnown(): void {
  if (isRoot()) return;
  try {
    userInfo();
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no_server_user',
      `The user id ${process.getuid?.()} has no line in /etc/passwd, which PostgreSQL needs for a first start: ` +
        'add one, or set DATABASE_URL',
      { cause: error },
    );
  }
}

/** Whether the user may pass through the directory and everything above it, going by the mode bits. */
export async function canEnter(user: ServerUser, directory: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(directory);
  // One class decides, as in the kernel: an owner without the bit is refused even if others have it.
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(directory);
  return parent === directory || (await canEnter(user, parent));
}

/** Hands a directory to the server's user; nothing to do when we are that user. */
export async function giveTo(user: ServerUser | undefined, path: string): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** The options that make `spawn` and `execFile` run a program as the server's user, in a bare environment. */
export function spawnOptionsFor(user: ServerUser | undefined): {
  cwd: string;
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
} {
  // Not our own environment: it may hold keys, and PG* or LC_* variables would change what the server does.
  // TZ spares initdb a search through all time zones; LC_ALL keeps messages in the language we look for.
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return { cwd: '/', env, ...(user && { uid: user.uid, gid: user.gid }) };
}
