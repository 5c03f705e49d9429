import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasErrorCode, unlessError } from './embedded-postgres-error.js';

const runFile = promisify(execFile);

/** Whether a process with this number exists, ours or not, zombie or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}

/**
 * Whether this process is the PostgreSQL server of this cluster. Numbers are reused, so nothing is ever signalled
 * without this check; a zombie (killed, but not yet reaped by its parent) is no server either.
 */
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  const commandLine = process.platform === 'linux' ? await commandLineOf(pid) : await commandLineFromPs(pid);
  // How `spawnServer` starts it. Child processes of PostgreSQL rename themselves to "postgres: …".
  return commandLine !== undefined && `${commandLine} `.includes(`/postgres -D ${cluster} `);
}

async function commandLineOf(pid: number): Promise<string | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The state follows the name, which is in brackets and may itself contain brackets.
    if ('ZX'.includes(status.charAt(status.lastIndexOf(')') + 2))) return undefined;
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trimEnd();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
}

// macOS has no /proc. Written after the manual of ps, not tried there.
async function commandLineFromPs(pid: number): Promise<string | undefined> {
  const answer = await runFile('ps', ['-ww', '-o', 'stat=,command=', '-p', String(pid)]).catch(() => undefined);
  const line = answer?.stdout.trim();
  return line === undefined || line === '' || line.startsWith('Z') ? undefined : line;
}

/**
 * Whether a session or worker of a killed server still lives, which happens for a moment. Linux only, and only for
 * processes we may look into; PostgreSQL checks the same through its shared memory.
 */
export async function hasOrphansOf(cluster: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  return (await Promise.all(pids.map((pid) => isOrphanOf(cluster, pid)))).includes(true);
}

async function isOrphanOf(cluster: string, pid: number): Promise<boolean> {
  const directory = await unlessError(readlink(`/proc/${pid}/cwd`), 'ENOENT', 'EACCES', 'ESRCH');
  // The name too: an administrator's shell may well stand in that directory.
  return directory === cluster && (await commandLineOf(pid))?.startsWith('postgres: ') === true;
}
