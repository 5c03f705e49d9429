import type { IncomingMessage } from 'node:http';

/** A name, an IPv4 or an IPv6 address, and a port. */
const HOST = /^(?:[\w.~-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;

/**
 * Whether the request says once, and properly, whom it means. We decide nothing by it; but a proxy in front may, and two
 * programs that read one request in two ways are how requests are smuggled.
 */
export const hasProperHost = ({ headers, rawHeaders, httpVersion }: IncomingMessage): boolean => {
  const { host } = headers;
  if (host === undefined) return httpVersion === '1.0';
  return HOST.test(host) && countOfHosts(rawHeaders) === 1;
};

/** Node keeps the first of several. */
const countOfHosts = (rawHeaders: readonly string[]): number => {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
};
