import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '../../platform/errors/app-error.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';
import { parsePrivateOrigins } from '../../platform/http/outbound/private-origins.js';
import {
  startCanary,
  startServer,
  type Canary,
  type TestServer,
} from '../../platform/http/outbound/servers.spec-support.js';
import { hostileUrls } from '../../platform/http/outbound/ssrf-corpus.spec-data.js';
import { MediaFetcher, type FetchingCall } from './media-fetcher.js';
import { MediaPolicy } from './media-policy.js';

let canary: Canary;
let server: TestServer;
beforeAll(async () => {
  canary = await startCanary();
  server = await startServer((request, response) => {
    if (request.url === '/to-name')
      response.writeHead(301, { location: `https://rebound.example.com:${canary.port}/` });
    response.end('hello');
  });
});
afterAll(() => Promise.all([canary.close(), server.close()]));

const call = (milliseconds = 5000): FetchingCall => {
  const signal = new AbortController().signal;
  return {
    aborted: false,
    reason: undefined,
    remainingMilliseconds: milliseconds,
    addEventListener: signal.addEventListener.bind(signal),
    removeEventListener: signal.removeEventListener.bind(signal),
  };
};

const open = (): MediaFetcher =>
  new MediaFetcher(new MediaPolicy(parsePrivateOrigins(server.origin), () => null), {
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    connectTimeoutMilliseconds: 1000,
  });

const failureOf = async (fetcher: MediaFetcher, url: string, by = call()): Promise<unknown> =>
  fetcher.fetch({ url: new URL(url), field: 'f', limitBytes: 1000 }, by).then(
    () => null,
    (error: unknown) => error,
  );

describe('MediaFetcher', () => {
  it('brings the bytes and what the server says of them', async () => {
    const fetcher = open();
    const order = { url: new URL(server.origin), field: 'f', limitBytes: 1000 };
    expect(await fetcher.fetch(order, call())).toEqual({ bytes: Buffer.from('hello'), contentType: null });
    await fetcher.close();
  });

  it('connects to no name that stands for a private address, asked for or redirected to', async () => {
    const fetcher = open();
    const rebound = hostileUrls(canary.port).filter(({ reason }) => reason === null);
    expect(rebound.length).toBeGreaterThanOrEqual(4);
    for (const url of [...rebound.map(({ text }) => text), `${server.origin}/to-name`]) {
      const failure = await failureOf(fetcher, url);
      expect([url, failure instanceof AppError && failure.code, (failure as AppError).param]).toEqual([
        url,
        'media_not_allowed',
        'f',
      ]);
    }
    expect(canary.connections()).toBe(0);
    await fetcher.close();
  });

  it('does not begin for a call that has ended, and says what ended it', async () => {
    const fetcher = open();
    const gone = new OutboundError('aborted', 'The caller left.');
    expect(await failureOf(fetcher, server.origin, { ...call(), aborted: true, reason: gone })).toBe(gone);
    await fetcher.close();
  });

  it('has no time left when the call has none', async () => {
    const fetcher = open();
    expect(await failureOf(fetcher, server.origin, call(50))).toMatchObject({
      code: 'media_not_available',
      param: 'f',
    });
    await fetcher.close();
  });
});
