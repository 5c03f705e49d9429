import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessError } from './embedded-postgres-error.js';
import type { ServerSite } from './server-site.js';

const LARGEST_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 4096;
const TAIL_LINES = 15;

const pathOf = (site: ServerSite): string => join(site.directory, 'server.log');

/** Opens the server's log for a new server; one that has grown large starts afresh. */
export async function openServerLog(site: ServerSite): Promise<FileHandle> {
  // O_NOFOLLOW: as root we may be writing into another user's directory.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const log = await open(pathOf(site), flags, 0o600);
  if ((await log.stat()).size > LARGEST_BYTES) await log.truncate();
  // So that the owner of the cluster can go on without root.
  if (site.user) await log.chown(site.user.uid, site.user.gid);
  return log;
}

/** The end of the log, for an error message; nothing that was written before position `from`. */
export async function serverLogTail(site: ServerSite, from = 0): Promise<string> {
  const log = await unlessError(open(pathOf(site), 'r'), 'ENOENT');
  if (log === undefined) return '(the server wrote no log)';
  try {
    const { size } = await log.stat();
    const length = Math.max(0, Math.min(size - from, TAIL_BYTES));
    const { buffer } = await log.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } finally {
    await log.close();
  }
}
