import type { RedisOptions } from 'ioredis';
import { StartupError } from '../errors/startup-error.js';
import { canParseUrl } from '../http/can-parse-url.js';
import type { Secret } from '../secrets/secret.js';

/** Where Redis is and who asks; holds the password in clear, so it is never logged. */
export type RedisAddress = Pick<RedisOptions, 'host' | 'port' | 'username' | 'password' | 'db' | 'tls'>;

const DEFAULT_PORT = 6379;

// No message of a parser: it would quote the address, password and all.
const refuse = (problem: string): never => {
  throw new StartupError(`REDIS_URL ${problem}.`);
};

const parse = (url: Secret): URL => {
  const text = url.reveal();
  return canParseUrl(text)
    ? new URL(text)
    : refuse('cannot be read: special characters in the user name or the password must be percent-encoded');
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('has a % in the user name or the password that must be written %25');
  }
};

/** Reads `redis://user:password@host:6379/0`; `rediss://` for TLS. */
export const redisAddressOf = (url: Secret): RedisAddress => {
  const { protocol, hostname, port, username, password, pathname, search, hash } = parse(url);
  if (search || hash) {
    refuse(
      'must end with the number of the database: ? and # in the password must be percent-encoded, such as %23 for #',
    );
  }
  if (!hostname) refuse('must name a host, such as redis://:password@cache:6379');
  if (!/^\/?\d{0,5}$/.test(pathname)) refuse('must end with the number of the database, such as /0');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || DEFAULT_PORT),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decode(username) }),
    ...(password && { password: decode(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
};
