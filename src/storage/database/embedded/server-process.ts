import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresBinaries } from './binaries.js';
import { hasErrorCode } from './embedded-postgres-error.js';
import { runningServer } from './pid-file.js';
import { isServerOf } from './process-info.js';
import { openServerLog } from './server-log.js';
import type { ServerSite } from './server-site.js';
import { spawnOptionsFor } from './server-user.js';
import { PORT } from './socket-directory.js';

const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 8_000;

/** A server process of ours, and where in the log its words begin. */
export interface StartedServer {
  readonly child: ChildProcess;
  readonly logStart: number;
}

/** Starts the server in a session of its own, so that Ctrl-C reaches us alone and we stop it last. */
export async function spawnServer(
  site: ServerSite,
  binaries: PostgresBinaries,
  socketDirectory: string,
): Promise<StartedServer> {
  const log = await openServerLog(site);
  try {
    const { size: logStart } = await log.stat();
    const child = spawn(binaries.postgres, serverArguments(site.cluster, socketDirectory), {
      ...spawnOptionsFor(site.user),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    // A failed spawn shows as a child without a number; without a handler it would end the process.
    child.on('error', () => undefined);
    child.unref();
    return { child, logStart };
  } finally {
    await log.close();
  }
}

function serverArguments(cluster: string, socketDirectory: string): string[] {
  const settings = {
    listen_addresses: '',
    port: PORT,
    // A list: quoted, since a path may contain a comma or a space.
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: 100,
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // Bounds the log between starts: failed statements go to the application, and their text may hold data.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
  };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Whether the child could not be started or has ended. */
export const hasExited = ({ child }: StartedServer): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/** Stops the cluster's server if one runs: fast (open transactions roll back), then, after ten seconds, at once. */
export async function stopServer(cluster: string): Promise<void> {
  const pid = await runningServer(cluster);
  if (pid === undefined) return;
  signal(pid, 'SIGINT');
  if (await isGoneWithin(cluster, pid, FAST_SHUTDOWN_MS)) return;
  // The number again verified, just above. Nothing committed is lost: the next start replays the log.
  signal(pid, 'SIGQUIT');
  await isGoneWithin(cluster, pid, IMMEDIATE_SHUTDOWN_MS);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) throw error;
  }
}

async function isGoneWithin(cluster: string, pid: number, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isServerOf(cluster, pid)) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}
