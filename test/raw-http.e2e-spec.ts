// Bytes that no client library would send, at both ways into the hub: the direct lane of calls, and the framework.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aChat, call, saveModel } from './support/calls.js';
import { shapeProblem } from './support/error-answer.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { speak, type WireAnswer } from './support/wire.js';

const BODY_END = '\r\n\r\n';

describe('bytes that are no proper HTTP', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let alias: string;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
    alias = String((await saveModel(hub, { api_base: provider.url }))['alias']);
    // From now on the token is known to the lane.
    await call(hub, aChat(alias));
  });
  beforeEach(() => void (provider.calls.length = 0));
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const WAYS = [
    ['the direct lane', '/v1/chat/completions'],
    ['the framework', CONFIGS],
  ] as const;

  const head = (path: string, lines: string[], host = 'host: hub'): string =>
    [
      `POST ${path} HTTP/1.1`,
      host,
      `authorization: Bearer ${hub.adminToken}`,
      'content-type: application/json',
      ...lines,
    ].join('\r\n') + BODY_END;

  const body = (): string => JSON.stringify(aChat(alias));
  const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  /** What an attacker would have carried out in the name of the next caller on the connection. */
  const smuggled = (): string =>
    `GET ${CONFIGS} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${hub.adminToken}${BODY_END}`;

  const ABUSE: [string, (path: string) => string[]][] = [
    [
      'a length and chunks',
      (path) => [head(path, ['content-length: 6', 'transfer-encoding: chunked']), `0\r\n\r\n${smuggled()}`],
    ],
    [
      'chunks and a length',
      (path) => [head(path, ['transfer-encoding: chunked', 'content-length: 6']), `0\r\n\r\n${smuggled()}`],
    ],
    ['two lengths', (path) => [head(path, ['content-length: 0', `content-length: ${smuggled().length}`]), smuggled()]],
    ['a length with a plus', (path) => [head(path, ['content-length: +4']), `abcd${smuggled()}`]],
    ['a length in hex', (path) => [head(path, ['content-length: 0x10']), smuggled()]],
    ['a negative length', (path) => [head(path, ['content-length: -1']), smuggled()]],
    ['a length beyond all numbers', (path) => [head(path, [`content-length: ${'9'.repeat(40)}`]), smuggled()]],
    ['a list of lengths', (path) => [head(path, ['content-length: 4, 4']), `abcd${smuggled()}`]],
    [
      'a blank before the colon',
      (path) => [head(path, ['transfer-encoding : chunked', 'content-length: 4']), `0\r\n\r\n${smuggled()}`],
    ],
    ['an unknown coding', (path) => [head(path, ['transfer-encoding: xchunked']), chunked(body()) + smuggled()]],
    [
      'chunks that are not the last coding',
      (path) => [head(path, ['transfer-encoding: chunked, identity']), chunked(body()) + smuggled()],
    ],
    [
      'chunks twice',
      (path) => [
        head(path, ['transfer-encoding: chunked', 'transfer-encoding: identity']),
        chunked(body()) + smuggled(),
      ],
    ],
    [
      'a coding behind a tab',
      (path) => [head(path, ['transfer-encoding:\x0bchunked', 'content-length: 4']), `0\r\n\r\n${smuggled()}`],
    ],
    [
      'a folded line',
      (path) => [head(path, ['transfer-encoding:\r\n chunked', 'content-length: 4']), `0\r\n\r\n${smuggled()}`],
    ],
    [
      'a chunk size that is none',
      (path) => [head(path, ['transfer-encoding: chunked']), `zz\r\n${body()}\r\n0\r\n\r\n`],
    ],
    [
      'a chunk size beyond all numbers',
      (path) => [head(path, ['transfer-encoding: chunked']), `${'f'.repeat(20)}\r\n${body()}`],
    ],
    ['a negative chunk size', (path) => [head(path, ['transfer-encoding: chunked']), `-1\r\n${body()}`]],
    [
      'a chunk longer than it says',
      (path) => [head(path, ['transfer-encoding: chunked']), `2\r\n${body()}\r\n0\r\n\r\n`],
    ],
    ['a chunk ended by LF', (path) => [head(path, ['transfer-encoding: chunked']), `2\n{}\n0\n\n${smuggled()}`]],
    [
      '20 KB of chunk extensions',
      (path) => [head(path, ['transfer-encoding: chunked']), `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
    ],
    ['NUL in a header', (path) => [head(path, ['x-a: b\0c', 'content-length: 2']), '{}']],
    ['NUL in the name of a header', (path) => [head(path, ['x-\0a: b', 'content-length: 2']), '{}']],
    ['NUL in the address', (path) => [head(`${path}?a=\0`, ['content-length: 2']), '{}']],
    ['CR alone between headers', (path) => [head(path, ['x-a: b\rx-b: c', 'content-length: 2']), '{}']],
    ['a header without a colon', (path) => [head(path, ['nonsense', 'content-length: 2']), '{}']],
    ['20 KB of headers', (path) => [head(path, [`x-a: ${'a'.repeat(20_000)}`, 'content-length: 2']), '{}']],
    [
      'three thousand headers',
      (path) => [head(path, [...Array.from({ length: 3000 }, (_, at) => `x-${at}: a`), 'content-length: 2']), '{}'],
    ],
    ['no Host', (path) => [head(path, ['content-length: 2'], 'x-no: host'), '{}']],
    ['two Hosts', (path) => [head(path, ['host: other', 'content-length: 2']), '{}']],
    ['a Host with a blank', (path) => [head(path, ['content-length: 2'], 'host: hub evil'), '{}']],
    ['a Host with a path', (path) => [head(path, ['content-length: 2'], 'host: hub/evil'), '{}']],
    ['a Host with a user', (path) => [head(path, ['content-length: 2'], 'host: admin@hub'), '{}']],
    ['another version', (path) => [head(path, ['content-length: 2']).replace('HTTP/1.1', 'HTTP/9.9'), '{}']],
    ['no version', (path) => [`POST ${path}\r\n\r\n`]],
    ['an unknown method', (path) => [head(path, ['content-length: 2']).replace('POST', 'HUB'), '{}']],
    ['a method in small letters', (path) => [head(path, ['content-length: 2']).replace('POST', 'post'), '{}']],
    ["HTTP/2's preface", () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']],
    ['TLS', () => ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']],
    [
      'a change of protocol',
      (path) => [head(path, ['connection: upgrade', 'upgrade: websocket', 'content-length: 2']), '{}'],
    ],
    ['a tunnel', () => [`CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: hub${BODY_END}`]],
    ['an expectation', (path) => [head(path, ['expect: 200-ok', 'content-length: 2']), '{}']],
    ['random bytes', () => [Array.from({ length: 4096 }, (_, at) => String.fromCharCode((at * 7919) % 256)).join('')]],
  ];

  /** Refused at once or cut, in our shape, and nothing was done for whoever sent it. */
  const problemOf = ({ statuses, isClosed, text }: WireAnswer, path: string): string | null => {
    const [status, ...others] = statuses;
    if (others.length > 0) return `is answered ${statuses.length} times`;
    if (status === undefined) return isClosed ? null : 'is neither answered nor cut';
    if (status < 400 || status >= 500) return `is answered with ${status}`;
    const [lines = '', body = ''] = text.split(BODY_END);
    const headers = Object.fromEntries(
      lines
        .split('\r\n')
        .slice(1)
        .map((line) => [line.split(':', 1)[0]?.toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    ) as Record<string, string>;
    // Of what the parser refuses, no path is known.
    const known = body.includes('urn:ai-model-hub') ? '/' : path;
    return shapeProblem(known, { status, headers, text: body });
  };

  describe.each(WAYS)('at %s', (_way, path) => {
    it.each(ABUSE)('are refused: %s', async (_name, form) => {
      const answer = await speak(hub.url, form(path));
      expect(problemOf(answer, path)).toBeNull();
      expect(provider.calls).toEqual([]);
    });
  });

  it('would be seen to be carried out: what is hidden behind a body is a request of its own on a proper connection', async () => {
    const { text, statuses } = await speak(hub.url, [
      head('/v1/chat/completions', [`content-length: ${body().length}`]) + body() + smuggled(),
    ]);
    expect(statuses).toEqual([200, 200]);
    expect(text).toContain(`"alias":"${alias}"`);
    expect(provider.calls).toHaveLength(1);
  });

  it('answers many requests that are sent at once on one connection in their order', async () => {
    const one = head('/v1/chat/completions', [`content-length: ${body().length}`]) + body();
    const other = 'GET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n';
    const third = 'GET /nowhere HTTP/1.1\r\nhost: hub\r\n\r\n';
    const { statuses } = await speak(hub.url, [(one + other + third).repeat(100)], { quietMilliseconds: 1000 });
    expect(statuses).toEqual(Array.from({ length: 100 }, () => [200, 200, 404]).flat());
  });

  it('leaves the process alive, and its log without an error', async () => {
    await hub.request('get', '/health/live').expect(200);
    expect((await call(hub, aChat(alias))).status).toBe(200);
    expect(hub.logs()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
});
