import { canParseUrl } from '../can-parse-url.js';
import { addressKind } from './address-kind.js';

const SCHEMES = ['http', 'https', 'smtp', 'smtps'] as const;

/** One origin that the operator allows although it is private, or not encrypted. */
export interface PrivateOrigin {
  /** `smtps` is a mail server with TLS from the first byte, `smtp` any other. */
  readonly scheme: (typeof SCHEMES)[number];
  /** As `URL` spells it: lower case, IPv6 in brackets, no trailing dot. */
  readonly host: string;
  /** null: any port. */
  readonly port: number | null;
}

/** The parsed value of `ALLOWED_PRIVATE_ORIGINS`. */
export type PrivateOrigins = readonly PrivateOrigin[];

/** A mistake in `ALLOWED_PRIVATE_ORIGINS`. Names the entry by its position, never its text. */
export class PrivateOriginError extends Error {
  constructor(position: number, problem: string) {
    super(`Entry ${position} ${problem} An entry is scheme://host:port, for example http://127.0.0.1:11434.`);
    this.name = 'PrivateOriginError';
  }
}

const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

/** What an embedded installation allows by default: model servers on the same machine. */
export const LOOPBACK_ORIGINS: PrivateOrigins = LOOPBACK_HOSTS.flatMap((host) => [
  { scheme: 'http', host, port: null },
  { scheme: 'https', host, port: null },
]);

/** Parses the comma-separated text of `ALLOWED_PRIVATE_ORIGINS`; blank text allows nothing. */
export function parsePrivateOrigins(text: string): PrivateOrigins {
  if (text.trim() === '') {
    return [];
  }
  return text.split(',').map((entry, index) => parseEntry(entry.trim(), index + 1));
}

/** How an origin is listed: with exactly this port, with any port, or not at all. */
export function findListing(
  origins: PrivateOrigins,
  scheme: string,
  host: string,
  port: number,
): 'exact_port' | 'any_port' | null {
  const ports = origins.filter((origin) => origin.scheme === scheme && origin.host === host).map((found) => found.port);
  if (ports.includes(port)) {
    return 'exact_port';
  }
  return ports.includes(null) ? 'any_port' : null;
}

function parseEntry(entry: string, position: number): PrivateOrigin {
  if (entry === '') {
    throw new PrivateOriginError(position, 'is empty: there is a comma too many.');
  }
  const [, prefix = '', rest] = /^([a-z]+):\/\/(.*)$/iu.exec(entry) ?? [];
  const scheme = SCHEMES.find((known) => known === prefix.toLowerCase());
  if (scheme === undefined || rest === undefined) {
    throw new PrivateOriginError(position, 'must begin with http:// or https://, or smtp:// or smtps:// for mail.');
  }
  if (/[/?#@\\\s]/u.test(rest)) {
    throw new PrivateOriginError(position, 'must end after the port: no path, query, fragment, user name or space.');
  }
  const [, host, port] = /^(\[[^\]]*\]|[^:[\]]+):(\d{1,5}|\*)$/u.exec(rest) ?? [];
  if (host === undefined || port === undefined) {
    const advice = 'needs a host and a port; * stands for any port, and an IPv6 address goes in brackets.';
    throw new PrivateOriginError(position, advice);
  }
  return {
    scheme,
    host: parseHost(host, position),
    port: port === '*' ? null : parsePort(Number(port), position),
  };
}

/** Folds the host exactly as the request's `URL` will, so that both spellings meet. */
function parseHost(text: string, position: number): string {
  if (text.includes('*')) {
    throw new PrivateOriginError(position, 'has a * in the host: only the port may be *.');
  }
  if (!canParseUrl(`http://${text}`)) {
    throw new PrivateOriginError(position, 'has no valid host.');
  }
  const host = new URL(`http://${text}`).hostname.replace(/\.$/u, '');
  if (addressKind(host.replace(/^\[|\]$/gu, '')) === 'metadata') {
    throw new PrivateOriginError(position, 'is a link-local or cloud metadata address, which is never allowed.');
  }
  return host;
}

function parsePort(port: number, position: number): number {
  if (port < 1 || port > 65_535) {
    throw new PrivateOriginError(position, 'needs a port from 1 to 65535, or * for any.');
  }
  return port;
}
