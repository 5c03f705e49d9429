import { link, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessError } from './embedded-postgres-error.js';
import { hasOrphansOf, isServerOf } from './process-info.js';

/** `postmaster.pid`, and the socket's lock file, which begins the same way. */
export interface PidFile {
  readonly path: string;
  readonly text: string;
  /** NaN in a file that is empty or half written. */
  readonly pid: number;
  readonly port: number | undefined;
  readonly socketDirectory: string | undefined;
}

/** PostgreSQL creates the file and fills it a moment later; older than this, an empty one was left by a crash. */
const FILLED_AFTER_MS = 5_000;

export const pidFilePath = (cluster: string): string => join(cluster, 'postmaster.pid');

export async function readPidFile(path: string): Promise<PidFile | undefined> {
  const text = await unlessError(readFile(path, 'utf8'), 'ENOENT');
  if (text === undefined) return undefined;
  const [pid = '', , , port = '', socketDirectory] = text.split('\n');
  return {
    path,
    text,
    pid: Number.parseInt(pid, 10),
    port: Number.parseInt(port, 10) || undefined,
    socketDirectory: socketDirectory === '' ? undefined : socketDirectory,
  };
}

/** The verified process number of the cluster's server, if one runs. */
export async function runningServer(cluster: string): Promise<number | undefined> {
  const file = await readPidFile(pidFilePath(cluster));
  return file && (await isServerOf(cluster, file.pid)) ? file.pid : undefined;
}

/**
 * Removes what a dead server left and PostgreSQL itself would not dare to: it takes any living process with that
 * number, a zombie too, for a server. False while something still uses the cluster.
 */
export async function clearStalePidFiles(cluster: string, socketLock: string): Promise<boolean> {
  for (const path of [pidFilePath(cluster), socketLock]) {
    const file = await readPidFile(path);
    if (file === undefined) continue;
    if (await isServerOf(cluster, file.pid)) return false;
    if (Number.isNaN(file.pid) && (await isYoung(path))) return false;
    if (await hasOrphansOf(cluster)) return false;
    await removeUnchanged(file);
  }
  return true;
}

async function isYoung(path: string): Promise<boolean> {
  const found = await unlessError(stat(path), 'ENOENT');
  return found === undefined || Date.now() - found.mtimeMs < FILLED_AFTER_MS;
}

/** Takes the file away before the last look: another process may have put a living server's file in its place. */
async function removeUnchanged({ path, text }: PidFile): Promise<void> {
  const aside = `${path}.stale-${process.pid}`;
  await unlessError(rename(path, aside), 'ENOENT');
  const taken = await unlessError(readFile(aside, 'utf8'), 'ENOENT');
  if (taken !== undefined && taken !== text) await unlessError(link(aside, path), 'EEXIST');
  await rm(aside, { force: true });
}
