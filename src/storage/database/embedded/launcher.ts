import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { PostgresBinaries } from './binaries.js';
import { SUPERUSER } from './cluster.js';
import type { EmbeddedPostgresConnection } from './embedded-postgres-types.js';
import { EmbeddedPostgresError, hasErrorCode, messageOf } from './embedded-postgres-error.js';
import {
  assertOwnServer,
  assertSafeSettings,
  connectAsOwner,
  disconnect,
  ensureDatabase,
  takeOwnerLock,
} from './owner-connection.js';
import { clearStalePidFiles, pidFilePath, readPidFile, runningServer } from './pid-file.js';
import { serverLogTail } from './server-log.js';
import { hasExited, spawnServer, type StartedServer, stopServer } from './server-process.js';
import type { ServerSite } from './server-site.js';
import { PORT } from './socket-directory.js';

const START_DEADLINE_MS = 20_000;
const POLL_MS = 10;
const PAUSE_AFTER_EXIT_MS = 50;

/** What a server says when it ended only because another one starts, stops or has just died. */
const PASSING_OBSTACLE = /lock file|shared memory block/;

/** Everything that is known before a server runs. */
export interface ServerPlan {
  readonly site: ServerSite;
  readonly binaries: PostgresBinaries;
  readonly socketDirectory: string;
  readonly database: string;
  readonly report: (line: string) => void;
}

/** The session that holds the owner lock, and how others reach the same server. */
export interface OwnedServer {
  readonly owner: Client;
  readonly connection: EmbeddedPostgresConnection;
  /** Whether it was running already. */
  readonly adopted: boolean;
}

/**
 * Gets the cluster's server and the ownership of it: one that runs is adopted, else one is started. Everything is
 * asked anew in each round, since another process may be starting, stopping or killing the same server.
 */
export async function bringUp(plan: ServerPlan): Promise<OwnedServer> {
  const deadline = performance.now() + START_DEADLINE_MS;
  let started: StartedServer | undefined;
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      return await becomeOwner(plan, started !== undefined);
    } catch (error) {
      if (error instanceof EmbeddedPostgresError) throw error;
      lastError = error;
    }
    if (started && hasExited(started)) {
      await assertPassing(plan.site, started);
      started = undefined;
    }
    started ??= await spawnWhereNoneRuns(plan);
    await sleep(POLL_MS);
  }
  throw await tooLate(plan.site, started, lastError);
}

async function becomeOwner(plan: ServerPlan, isOurStart: boolean): Promise<OwnedServer> {
  const connection = await connectionOf(plan);
  const owner = await connectAsOwner(connection);
  try {
    await assertOwnServer(owner, plan.site, plan.binaries.majorVersion);
    await takeOwnerLock(owner, plan.site.dataDir);
    await prepareServer(plan, owner);
  } catch (error) {
    await disconnect(owner);
    throw error;
  }
  return { owner, connection, adopted: !isOurStart };
}

/** The rest of the start, as owner: a server that is not fit for use is not left behind. */
async function prepareServer(plan: ServerPlan, owner: Client): Promise<void> {
  try {
    await assertSafeSettings(owner);
    await ensureDatabase(owner, plan.database);
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) await stopServer(plan.site.cluster);
    throw error;
  }
}

/** A running server says in its pid file where it listens, which may differ from where we would have it listen. */
async function connectionOf({ site, socketDirectory, database }: ServerPlan): Promise<EmbeddedPostgresConnection> {
  const file = await readPidFile(pidFilePath(site.cluster));
  return { host: file?.socketDirectory ?? socketDirectory, port: file?.port ?? PORT, user: SUPERUSER, database };
}

async function spawnWhereNoneRuns(plan: ServerPlan): Promise<StartedServer | undefined> {
  const { site, socketDirectory } = plan;
  const isFree = await clearStalePidFiles(site.cluster, join(socketDirectory, `.s.PGSQL.${PORT}.lock`));
  return isFree ? spawnServer(site, plan.binaries, socketDirectory) : undefined;
}

async function assertPassing(site: ServerSite, { logStart }: StartedServer): Promise<void> {
  const tail = await serverLogTail(site, logStart);
  if (!PASSING_OBSTACLE.test(tail)) throw startFailed('ended at once', tail);
  await sleep(PAUSE_AFTER_EXIT_MS);
}

async function tooLate(site: ServerSite, started: StartedServer | undefined, lastError: unknown): Promise<Error> {
  const tail = await serverLogTail(site, started?.logStart);
  // 57P03: it is replaying its log. Stopping it would start that work over, again and again.
  if (hasErrorCode(lastError, '57P03')) return startFailed('is still recovering; start again in a moment', tail);
  if (started && started.child.pid === (await runningServer(site.cluster))) await stopServer(site.cluster);
  return startFailed(`did not answer within ${START_DEADLINE_MS / 1000} s (${messageOf(lastError)})`, tail);
}

function startFailed(what: string, tail: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_failed',
    `The embedded PostgreSQL server ${what}. The end of its log:\n${tail}`,
  );
}
