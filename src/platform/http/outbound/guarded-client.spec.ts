import { afterEach, describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { GuardedHttpClient, type GuardedHttpClientOptions, type OutboundRequest } from './guarded-client.js';
import { OutboundError } from './outbound-error.js';
import { OutboundPolicy } from './outbound-policy.js';
import { LOOPBACK_ORIGINS } from './private-origins.js';
import { readBounded } from './read-bounded.js';
import { startServer, type TestServer } from './servers.spec-support.js';

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

function openClient(options: GuardedHttpClientOptions = {}): GuardedHttpClient {
  const client = new GuardedHttpClient(new OutboundPolicy(LOOPBACK_ORIGINS), options);
  cleanups.push(() => client.close());
  return client;
}

async function serve(listener: RequestListener): Promise<TestServer> {
  const server = await startServer(listener);
  cleanups.push(server.close);
  return server;
}

/** A server that speaks raw TCP. */
async function serveRaw(listener: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    listener(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    sockets.forEach((socket) => socket.destroy());
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function aRequest(origin: string, change: Partial<OutboundRequest> = {}): OutboundRequest {
  return { url: new URL(`${origin}/v1/chat?alt=sse`), method: 'POST', headers: {}, signal: neverAborted(), ...change };
}

const neverAborted = (): AbortSignal => new AbortController().signal;

async function failureOf(work: Promise<unknown>): Promise<OutboundError> {
  const failure: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof OutboundError)) {
    throw new TypeError('expected an OutboundError', { cause: failure });
  }
  return failure;
}

describe('a request', () => {
  it('arrives as sent, asks for identity, and brings status, headers and body', async () => {
    const server = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        const seen = { url: request.url, method: request.method, headers: request.headers, text };
        response.writeHead(418, { 'x-many': ['a', 'b'] }).end(JSON.stringify(seen));
      });
    });
    const headers = { 'x-api-key': 'k', 'Accept-Encoding': 'gzip' };
    const response = await openClient().request(aRequest(server.origin, { headers, body: '{"a":1}' }));
    expect(response.status).toBe(418);
    expect(response.headers['x-many']).toEqual(['a', 'b']);
    expect(JSON.parse((await readBounded(response)).toString())).toMatchObject({
      url: '/v1/chat?alt=sse',
      method: 'POST',
      headers: { 'x-api-key': 'k', 'accept-encoding': 'identity', 'content-length': '7' },
      text: '{"a":1}',
    });
  });

  it('reuses its connections, and skips 1xx answers', async () => {
    const ports = new Set<number | undefined>();
    const server = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('ok');
    });
    const client = openClient();
    for (let count = 0; count < 50; count += 1) {
      expect((await readBounded(await client.request(aRequest(server.origin)))).toString()).toBe('ok');
    }
    // undici frees a connection a moment after the end of the body, so a second one may take part.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it('takes no proxy from the environment', async () => {
    const server = await serve((_request, response) => response.end('direct'));
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:1';
    cleanups.push(async () => delete process.env['HTTP_PROXY']);
    expect((await readBounded(await openClient().request(aRequest(server.origin)))).toString()).toBe('direct');
  });

  it('refuses a URL with credentials', async () => {
    const url = new URL('http://bob:hunter2@127.0.0.1:8000/');
    const failure = await failureOf(openClient().request(aRequest('http://127.0.0.1:8000', { url })));
    expect(failure.refusal?.reason).toBe('userinfo');
    expect(JSON.stringify(failure) + failure.message).not.toMatch(/bob|hunter2/u);
  });

  it.each([
    ['CR LF', 'sk-secret\r\nx-evil: 1'],
    ['NUL', 'sk-secret\u0000'],
    ['non-latin', 'sk-secret\u{1f600}'],
  ])('with %s in a header value fails without showing the value', async (_name, value) => {
    const server = await serve((_request, response) => response.end());
    const failure = await failureOf(
      openClient().request(aRequest(server.origin, { headers: { authorization: value } })),
    );
    expect(failure.kind).toBe('protocol');
    expect(failure.beforeBytesWereSent).toBe(true);
    expect(failure.cause).toBeUndefined();
    expect(`${failure.stack}${JSON.stringify(failure)}`).not.toMatch(/sk-secret|x-evil/u);
  });

  it.each(['Host', 'content-length', 'Transfer-Encoding', 'connection'])('may not set %s', async (name) => {
    const failure = await failureOf(
      openClient().request(aRequest('http://127.0.0.1:8000', { headers: { [name]: '1' } })),
    );
    expect(failure.kind).toBe('protocol');
  });
});

describe('connecting', () => {
  it('reports a refused connection as safe to retry', async () => {
    const server = await startServer(() => undefined);
    await server.close();
    const failure = await failureOf(openClient().request(aRequest(server.origin)));
    expect([failure.kind, failure.beforeBytesWereSent, failure.networkCode]).toEqual(['connect', true, 'ECONNREFUSED']);
  });

  it('keeps its timeout, here of a TLS handshake that never answers', async () => {
    const origin = await serveRaw(() => undefined);
    const started = performance.now();
    const request = aRequest(origin.replace('http:', 'https:'));
    const failure = await failureOf(openClient({ connectTimeoutMilliseconds: 200 }).request(request));
    expect([failure.kind, failure.networkCode, failure.beforeBytesWereSent]).toEqual([
      'connect',
      'CONNECT_TIMEOUT',
      true,
    ]);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('does not let an aborted request wait for its connection', async () => {
    const origin = await serveRaw(() => undefined);
    const signal = AbortSignal.timeout(100);
    const started = performance.now();
    const failure = await failureOf(openClient().request(aRequest(origin.replace('http:', 'https:'), { signal })));
    expect([failure.kind, failure.beforeBytesWereSent]).toEqual(['timeout', true]);
    expect(performance.now() - started).toBeLessThan(400);
  });

  it('drops a request that is aborted in the queue, and keeps the connection it waited for', async () => {
    let requests = 0;
    const ports = new Set<number | undefined>();
    const server = await serve((request, response) => {
      requests += 1;
      ports.add(request.socket.remotePort);
      setTimeout(() => response.end('ok'), 200);
    });
    const client = openClient({ connectionsPerOrigin: 1 });
    const first = client.request(aRequest(server.origin));
    const failure = await failureOf(client.request(aRequest(server.origin, { signal: AbortSignal.timeout(50) })));
    expect([failure.kind, failure.beforeBytesWereSent]).toEqual(['timeout', true]);
    const third = client.request(aRequest(server.origin));
    expect((await readBounded(await first)).toString()).toBe('ok');
    expect((await readBounded(await third)).toString()).toBe('ok');
    expect([requests, ports.size]).toEqual([2, 1]);
  });
});

describe('deadlines and aborts', () => {
  it.each([150, 1100])('keeps the first-byte timeout of %d ms', async (firstByteTimeoutMilliseconds) => {
    const server = await serve(() => undefined);
    const started = performance.now();
    const failure = await failureOf(openClient().request(aRequest(server.origin, { firstByteTimeoutMilliseconds })));
    const overshoot = performance.now() - started - firstByteTimeoutMilliseconds;
    expect([failure.kind, failure.beforeBytesWereSent]).toEqual(['timeout', false]);
    expect(overshoot).toBeGreaterThan(-5);
    expect(overshoot).toBeLessThan(300);
  });

  it('refuses a signal that is already aborted', async () => {
    const signal = AbortSignal.abort();
    const failure = await failureOf(openClient().request(aRequest('http://127.0.0.1:8000', { signal })));
    expect([failure.kind, failure.beforeBytesWereSent]).toEqual(['aborted', true]);
  });

  it.each(['being read', 'not being read'])(
    'ends the upstream within a second when aborted while %s',
    async (state) => {
      let whenClosed: () => void = () => undefined;
      const closed = new Promise<void>((resolve) => (whenClosed = resolve));
      const server = await serve((_request, response) => {
        response.on('close', whenClosed);
        response.write('data: 1\n\n');
      });
      const abort = new AbortController();
      const { body } = await openClient().request(aRequest(server.origin, { signal: abort.signal }));
      const reading = state === 'being read' ? failureOf(body.toArray()) : Promise.resolve(null);
      setTimeout(() => abort.abort(), 50);
      const started = performance.now();
      await closed;
      expect(performance.now() - started).toBeLessThan(1000);
      expect((await reading)?.kind ?? 'aborted').toBe('aborted');
    },
  );

  it('ends the upstream when the body is destroyed', async () => {
    let whenClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (whenClosed = resolve));
    const server = await serve((_request, response) => {
      response.on('close', whenClosed);
      response.write('data: 1\n\n');
    });
    const { body } = await openClient().request(aRequest(server.origin));
    body.destroy();
    await closed;
    expect(body.destroyed).toBe(true);
  });

  it('leaves no listener on the signal after a complete answer', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const { signal } = new AbortController();
    const response = await openClient().request(aRequest(server.origin, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await readBounded(response);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('close() ends what is in flight, what is being opened, and later requests', async () => {
    const hanging = await serve((_request, response) => response.write('x'));
    const silent = await serve(() => undefined);
    const deaf = await serveRaw(() => undefined);
    const client = openClient();
    const { body } = await client.request(aRequest(hanging.origin));
    const reading = failureOf(body.toArray());
    const waiting = failureOf(client.request(aRequest(silent.origin)));
    const opening = failureOf(client.request(aRequest(deaf.replace('http:', 'https:'))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await client.close();
    const kinds = [await reading, await waiting, await opening].map((failure) => failure.kind);
    expect(kinds).toEqual(['aborted', 'aborted', 'aborted']);
    expect((await failureOf(client.request(aRequest(silent.origin)))).kind).toBe('aborted');
  });
});

describe('answers', () => {
  it.each(['gzip', 'br', 'identity, gzip'])('encoded as %s are refused', async (encoding) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync(Buffer.alloc(1_000_000)));
    });
    expect((await failureOf(openClient().request(aRequest(server.origin)))).kind).toBe('encoded');
  });

  it.each(['identity', 'Identity'])('with content-encoding %s are fine', async (encoding) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end('ok');
    });
    expect((await readBounded(await openClient().request(aRequest(server.origin)))).toString()).toBe('ok');
  });

  it.each([
    ['announced', { 'content-length': '5000000' }],
    ['not announced', {}],
  ])('over the limit are cut: %s', async (_name, headers) => {
    let whenClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (whenClosed = resolve));
    const server = await serve((_request, response) => {
      response.on('close', whenClosed).writeHead(200, headers);
      response.write(Buffer.alloc(2_000_000));
    });
    const response = await openClient().request(aRequest(server.origin));
    expect((await failureOf(readBounded(response, 1_000_000))).kind).toBe('too_large');
    await closed;
  });

  it('of exactly the limit are read, in many chunks', async () => {
    const server = await serve((_request, response) => response.end(Buffer.alloc(1_000_000, 'a')));
    const response = await openClient().request(aRequest(server.origin));
    expect(await readBounded(response, 1_000_000)).toHaveLength(1_000_000);
  });

  it('that nobody reads hold the upstream back', async () => {
    let written = 0;
    const server = await serve((_request, response) => {
      const write = (): void => {
        while (written < 100 && response.write(Buffer.alloc(1_000_000))) {
          written += 1;
        }
      };
      response.on('drain', write);
      write();
    });
    const { body } = await openClient().request(aRequest(server.origin));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(body.readableLength).toBeLessThan(1_000_000);
    body.destroy();
  });

  it.each([
    ['a connection closed before the head', '', 'reset'],
    ['a connection closed within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', 'reset'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'protocol'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'protocol'],
    ['a huge head', `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(100_000)}\r\n\r\n`, 'too_large'],
  ])('that break are told apart: %s', async (_name, answer, kind) => {
    const origin = await serveRaw((socket) => socket.once('data', () => socket.end(answer)));
    const client = openClient();
    const failure = await failureOf(client.request(aRequest(origin)).then((response) => readBounded(response)));
    expect([failure.kind, failure.beforeBytesWereSent]).toEqual([kind, false]);
  });

  it('cannot be read after they were destroyed', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const response = await openClient().request(aRequest(server.origin));
    response.body.destroy();
    expect((await failureOf(readBounded(response))).kind).toBe('aborted');
  });
});
