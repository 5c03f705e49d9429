import { prepareBinaries } from './binaries.js';
import { prepareCluster } from './cluster.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres-types.js';
import { bringUp, type ServerPlan } from './launcher.js';
import { RunningServer } from './running-server.js';
import { type ServerSite, settleServerSite } from './server-site.js';
import { prepareSocketDirectory } from './socket-directory.js';

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.js';

export type {
  EmbeddedPostgres,
  EmbeddedPostgresConnection,
  EmbeddedPostgresOptions,
} from './embedded-postgres-types.js';

/**
 * Starts the PostgreSQL server of a data directory, or takes over the one that a killed process left running. Fails
 * with an {@link EmbeddedPostgresError}, and so does a second living process on the same data directory.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    assertUnixSockets();
    const plan = await prepare(options);
    const owned = await bringUp(plan);
    if (owned.adopted) plan.report('Took over the embedded database that an earlier process had left running.');
    return new RunningServer(plan, owned);
  } catch (error) {
    throw EmbeddedPostgresError.from(error);
  }
}

// The binaries exist for Windows too, but there it needs TCP, a password and another way to verify and to stop the
// server, none of which was tried: an honest refusal instead.
function assertUnixSockets(): void {
  if (process.platform !== 'win32') return;
  throw new EmbeddedPostgresError(
    'unsupported_platform',
    'The embedded database does not run on Windows: set DATABASE_URL to a PostgreSQL 15+ server, or use WSL or a container',
  );
}

async function prepare({ dataDir, database = 'ai_model_hub', report }: EmbeddedPostgresOptions): Promise<ServerPlan> {
  const site = await settleServerSite(dataDir);
  reportSite(site, report);
  const binaries = await prepareBinaries(site.directory, site.user);
  await prepareCluster(site, binaries, report);
  return { site, binaries, database, report, socketDirectory: await prepareSocketDirectory(site) };
}

function reportSite({ dataDir, directory, user, location }: ServerSite, report: (line: string) => void): void {
  if (!location) return;
  report(`The embedded database is in ${directory}, since its user "${user?.name}" cannot enter ${dataDir}.`);
}
