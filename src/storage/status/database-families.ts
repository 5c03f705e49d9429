import { labelled, type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import type { Database } from '../database/database.js';
import type { DatabaseListener } from '../database/database-listener.js';
import type { EmbeddedPostgres } from '../database/embedded/embedded-postgres.js';

/** The embedded server of this process, if it has one. */
export class EmbeddedServer {
  constructor(readonly running: Pick<EmbeddedPostgres, 'isUp' | 'restarts'> | null) {}
}

/** How the database does, from what this process noticed of it: nobody asks it for a page of metrics. */
export const databaseFamilies = (database: Database, listener: DatabaseListener): MetricFamily[] => [
  single(
    'hub_database_up',
    'Whether the database is there, as far as this process noticed; 0: what needs it is 503.',
    'gauge',
    () => (database.isUp ? 1 : 0),
  ),
  single('hub_database_outages_total', 'Times that the database went away.', 'counter', () => database.outages),
  labelled('hub_database_pool_connections', 'Connections of the pool, by state.', 'gauge', function* () {
    const pool = database.poolState;
    if (!pool) return;
    yield [{ state: 'idle' }, pool.idle];
    yield [{ state: 'in_use' }, pool.inUse];
  }),
  single(
    'hub_database_pool_limit',
    'Connections that the pool may have.',
    'gauge',
    () => database.poolState?.limit ?? null,
  ),
  single(
    'hub_database_pool_waiting_requests',
    'Who waits for a connection of the pool.',
    'gauge',
    () => database.poolState?.waiting ?? null,
  ),
  single(
    'hub_database_listener_up',
    'Whether the database tells changes of other processes; 0: they are found by looking.',
    'gauge',
    () => (listener.isListening ? 1 : 0),
  ),
];

/** Told by a process that runs the embedded database. */
export const embeddedDatabaseFamilies = (server: Pick<EmbeddedPostgres, 'isUp' | 'restarts'>): MetricFamily[] => [
  single('hub_embedded_database_up', 'Whether the embedded database runs.', 'gauge', () => (server.isUp ? 1 : 0)),
  single(
    'hub_embedded_database_restarts_total',
    'Times that the embedded database went away and was brought back.',
    'counter',
    () => server.restarts,
  ),
];
