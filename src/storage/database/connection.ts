import { parse } from 'pg-connection-string';
import { StartupError } from '../../platform/errors/startup-error.js';
import type { Secret } from '../../platform/secrets/secret.js';
import type { EmbeddedPostgresConnection } from './embedded/embedded-postgres.js';

/** How to reach PostgreSQL; `host` may be the directory of a unix socket. */
export interface DatabaseConnection {
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  database: string;
  ssl: boolean | object | undefined;
}

const parseUrl = (url: Secret): ReturnType<typeof parse> => {
  try {
    return parse(url.reveal());
  } catch {
    // The parser's message quotes the address, password and all.
    throw new StartupError(
      'DATABASE_URL cannot be read: special characters in the user name or the password must be percent-encoded, such as %23 for #.',
    );
  }
};

/** Reads `postgresql://user:password@host:5432/database?sslmode=…`, also `?host=/socket/directory`. */
export const connectionFromUrl = (url: Secret): DatabaseConnection => {
  const parsed = parseUrl(url);
  return {
    host: parsed.host ?? 'localhost',
    port: Number(parsed.port ?? 5432),
    user: parsed.user,
    password: parsed.password,
    database: parsed.database ?? 'postgres',
    ssl: parsed.ssl as boolean | object | undefined,
  };
};

export const connectionFromEmbedded = (embedded: EmbeddedPostgresConnection): DatabaseConnection => ({
  ...embedded,
  password: embedded.password,
  ssl: undefined,
});
