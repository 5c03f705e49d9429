import { canParseUrl } from '../can-parse-url.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { GuardedHttpClient } from './guarded-client.js';
import type { ResolveHost } from './guarded-connector.js';
import { OutboundError } from './outbound-error.js';
import { OutboundPolicy } from './outbound-policy.js';
import { LOOPBACK_ORIGINS, parsePrivateOrigins, type PrivateOrigins } from './private-origins.js';
import { startCanary, startServer, type Canary } from './servers.spec-support.js';
import { hostileUrls } from './ssrf-corpus.spec-data.js';

const ipv4 = (address: string): LookupAddress => ({ address, family: 4 });
const resolvesTo =
  (...addresses: string[]): ResolveHost =>
  () =>
    Promise.resolve(addresses.map(ipv4));

function openClient(allowed: PrivateOrigins, resolve: ResolveHost): GuardedHttpClient {
  return new GuardedHttpClient(new OutboundPolicy(allowed), { resolve, connectTimeoutMilliseconds: 1000 });
}

async function failureOf(client: GuardedHttpClient, url: URL, headers = {}): Promise<OutboundError> {
  const request = client.request({ url, method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(5000) });
  const failure: unknown = await request.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof OutboundError)) {
    throw new TypeError(`expected an OutboundError for ${url.href}`, { cause: failure });
  }
  return failure;
}

let canary: Canary;
beforeAll(async () => {
  canary = await startCanary();
});
afterAll(() => canary.close());

describe('forged addresses', () => {
  it('reach no canary, even when nobody checked the text before the call', async () => {
    const client = openClient(parsePrivateOrigins('https://other.example:443'), resolvesTo('127.0.0.1', '127.0.0.2'));
    const urls = hostileUrls(canary.port).filter((form) => canParseUrl(form.text));
    expect(urls.length).toBeGreaterThanOrEqual(60);
    for (const { text } of urls) {
      const failure = await failureOf(client, new URL(text));
      expect([text, failure.kind, failure.beforeBytesWereSent]).toEqual([text, 'refused', true]);
    }
    expect(canary.connections()).toBe(0);
    await client.close();
  });

  it('would have reached it: with loopback listed the canary is hit', async () => {
    const before = canary.connections();
    const client = openClient(LOOPBACK_ORIGINS, resolvesTo('127.0.0.1'));
    for (const host of ['127.0.0.1', 'localhost']) {
      await failureOf(client, new URL(`http://${host}:${canary.port}/`));
    }
    expect(canary.connections()).toBe(before + 2);
    await client.close();
  });
});

describe('resolved addresses', () => {
  it.each([
    ['private', ['127.0.0.1']],
    ['one private among public', ['93.184.216.34', '127.0.0.2', '93.184.216.35']],
    ['metadata', ['169.254.169.254']],
  ])('refuses %s', async (_name, addresses) => {
    const before = canary.connections();
    const client = openClient([], resolvesTo(...addresses));
    const failure = await failureOf(client, new URL(`https://api.example.com:${canary.port}/`));
    expect(failure.kind).toBe('refused');
    expect(canary.connections()).toBe(before);
    await client.close();
  });

  it('refuses metadata behind a listed name', async () => {
    const client = openClient(parsePrivateOrigins('http://models.corp.example:*'), resolvesTo('169.254.169.254'));
    const failure = await failureOf(client, new URL('http://models.corp.example:8080/'));
    expect(failure.refusal?.reason).toBe('metadata_address');
    await client.close();
  });

  it('judges again at each connect: public when checked and first resolved, private later', async () => {
    const before = canary.connections();
    let calls = 0;
    const client = openClient([], async () => {
      calls += 1;
      if (calls === 1) {
        // Later than the connect timeout, so that the spec sends nothing to the real public address.
        await new Promise((resolve) => setTimeout(resolve, 1100));
        return [ipv4('93.184.216.34')];
      }
      return [ipv4('127.0.0.1')];
    });
    const url = new URL(`https://flip.example.com:${canary.port}/`);
    expect((await failureOf(client, url)).kind).toBe('connect');
    const second = await failureOf(client, url);
    expect([calls, second.kind, second.refusal?.reason]).toEqual([2, 'refused', 'private_address']);
    expect(canary.connections()).toBe(before);
    await client.close();
  });

  it('judges again at each connect: a listed name that answered and then flips to metadata', async () => {
    const server = await startServer((_request, response) => response.setHeader('connection', 'close').end('ok'));
    const answers = ['127.0.0.1', '169.254.169.254'];
    const client = openClient(parsePrivateOrigins('http://models.corp.example:*'), () =>
      Promise.resolve([ipv4(answers.shift()!)]),
    );
    const url = new URL(`http://models.corp.example:${server.port}/`);
    const { body } = await client.request({ url, method: 'GET', headers: {}, signal: AbortSignal.timeout(2000) });
    expect((await body.toArray()).join('')).toBe('ok');
    expect((await failureOf(client, url)).refusal?.reason).toBe('metadata_address');
    await client.close();
    await server.close();
  });

  it('pins: a listed name connects to what the one lookup answered', async () => {
    const server = await startServer((request, response) => response.end(request.headers.host));
    let calls = 0;
    const client = openClient(parsePrivateOrigins(`http://models.corp.example:${server.port}`), () => {
      calls += 1;
      return Promise.resolve([ipv4('127.0.0.1')]);
    });
    const url = new URL(`http://models.corp.example:${server.port}/`);
    const { body } = await client.request({ url, method: 'GET', headers: {}, signal: AbortSignal.timeout(2000) });
    expect((await body.toArray()).join('')).toBe(`models.corp.example:${server.port}`);
    expect(calls).toBe(1);
    await client.close();
    await server.close();
  });

  it('reports a name without addresses, and a resolver that fails, as connect', async () => {
    const empty = openClient([], () => Promise.resolve([]));
    expect((await failureOf(empty, new URL('https://api.example.com/'))).kind).toBe('connect');
    await empty.close();
    const broken = openClient([], () => Promise.reject(Object.assign(new Error('secret'), { code: 'ENOTFOUND' })));
    const failure = await failureOf(broken, new URL('https://api.example.com/'));
    expect([failure.kind, failure.networkCode, failure.beforeBytesWereSent]).toEqual(['connect', 'ENOTFOUND', true]);
    expect(failure.message).not.toContain('secret');
    await broken.close();
  });
});

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('are never followed: %d', async (status) => {
    const before = canary.connections();
    const server = await startServer((_request, response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${canary.port}/steal` }).end('moved');
    });
    const client = openClient(LOOPBACK_ORIGINS, resolvesTo('127.0.0.1'));
    const failure = await failureOf(client, new URL(server.origin), { 'x-api-key': 'canary-secret' });
    expect(failure.kind).toBe('redirect');
    expect(failure.beforeBytesWereSent).toBe(false);
    expect(canary.connections()).toBe(before);
    await client.close();
    await server.close();
  });
});
