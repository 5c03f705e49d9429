import { randomBytes } from 'node:crypto';
import pg from 'pg';

interface Server {
  host: string;
  port: number;
  user: string;
}

export interface TestDatabase {
  name: string;
  /** For `DATABASE_URL`. */
  url: string;
  query: <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;
  drop(): Promise<void>;
}

const server = (): Server => JSON.parse(process.env['TEST_POSTGRES'] ?? 'null') as Server;

/** The unix socket of the run's PostgreSQL, for a proxy in front of it. */
export const postgresSocket = (): { path: string; user: string } => {
  const { host, port, user } = server();
  return { path: `${host}/.s.PGSQL.${port}`, user };
};

const withClient = async <Result>(database: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client({ ...server(), database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** What was edited by hand is in no history: with this, whoever fetches what changed fetches everything. */
export const raiseWholeRevision = ({ query }: Pick<TestDatabase, 'query'>): Promise<unknown> =>
  query(`WITH next AS (
    UPDATE hub_revision SET revision = revision + 1, whole_revision = revision + 1 RETURNING revision)
    SELECT pg_notify('hub_revision', revision::text) FROM next`);

/** A database of its own for a test file, on the run's real PostgreSQL; `empty`: not migrated. */
export async function createTestDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const name = `hub_test_${randomBytes(6).toString('hex')}`;
  const template = empty ? 'template0' : 'hub_test_template';
  await withClient('postgres', (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const { host, port, user } = server();
  return {
    name,
    url: `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`,
    query: async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
      withClient(name, async (client) => (await client.query<Row>(text, values)).rows),
    drop: async () => {
      await withClient('postgres', (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}
