// What somebody without a token can make the process do: nothing but say 401. And what a caller can make it do with a
// body that is cheap to send and dear to read.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateToken } from '../src/platform/auth/token-text.js';
import { openCall, type Answer } from './support/calls.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { codeOf, shapeProblem } from './support/error-answer.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { CONFIGS, randomKeyRing } from './support/hub.js';
import { rawRequest, type RawAnswer } from './support/raw-request.js';

const MEGABYTE = 1024 * 1024;
const CHAT = '/v1/chat/completions';
const ANSWER_MILLISECONDS = 2000;
const BLOCKED_MILLISECONDS = 500;

const ROUTES = [
  ['POST', CONFIGS],
  ['PUT', `${CONFIGS}/5a07888d-dcce-4436-a215-21a20068a3ad`],
  ['POST', '/api/v1/tokens'],
  ['POST', '/internal/v1/usage'],
  ['POST', CHAT],
  ['POST', '/api/v1/chat/completions'],
  ['POST', '/api/v1/chat/completions/stream'],
] as const;

const BAD_BODIES = {
  'half an object': '{"alias": ',
  'no JSON': 'alias=a',
  'a list': '[]',
  'a forbidden key': '{"__proto__":{"x":1}}',
  'too deep': '['.repeat(30_000),
  'too many values': `{"a":[${'{},'.repeat(60_000)}{}]}`,
};

/** A body that is parsed, or walked through, in many seconds. */
const DEAR_BODIES: [string, Buffer][] = [
  ['[[[[…', Buffer.alloc(30 * MEGABYTE, '[')],
  ['{"a":[{},{},…', Buffer.concat([Buffer.from('{"a":['), Buffer.alloc(30 * MEGABYTE, '{},'), Buffer.from('{}]}')])],
];

describe('a caller whom nobody knows', () => {
  // A process of its own: what blocks it must not block the one that measures.
  let hub: HubProcess;
  let database: TestDatabase;
  const adminToken = generateToken('admin').text;
  const serviceToken = generateToken('service').text;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await startHubProcess({
      PORT: '0',
      DATABASE_URL: database.url,
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: adminToken,
      // Nobody known comes in here, and often: how that is slowed down is a test of its own.
      AUTH_FAILURES_PER_MINUTE: '1000000',
      STORAGE_SERVICE_TOKEN: serviceToken,
    });
  });
  afterAll(async () => {
    await hub.stop();
    await database.drop();
  });

  const send = (method: string, path: string, token: string | null, body: Buffer | string): Promise<RawAnswer> =>
    rawRequest(hub.url, {
      method,
      path,
      headers: {
        'content-type': 'application/json',
        // As every client library does: the hub may answer before it has read the body, and then must not cut it.
        connection: 'keep-alive',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body,
    });

  it.each(ROUTES)('%s %s says 401 without a look at the body', async (method, path) => {
    for (const [name, body] of Object.entries(BAD_BODIES)) {
      for (const token of [null, 'garbage', generateToken('api').text]) {
        const answer = await send(method, path, token, body);
        const code = token === null ? 'token_missing' : 'token_invalid';
        expect({ name, status: answer.status, code: codeOf(answer) }).toEqual({ name, status: 401, code });
        expect({ name, shape: shapeProblem(path, answer) }).toEqual({ name, shape: null });
      }
      // It is the body that is refused when the caller is known.
      const known = await send(method, path, path.startsWith('/internal') ? serviceToken : adminToken, body);
      expect({ name, status: known.status }).toEqual({ name, status: 400 });
    }
  });

  /** Asks for signs of life while something goes on; answers the longest wait for one. */
  const longestWaitWhile = async (work: Promise<unknown>): Promise<number> => {
    const isOver = work.then(() => true);
    let longest = 0;
    do {
      const { status, milliseconds } = await rawRequest(hub.url, { method: 'GET', path: '/health/live' });
      expect(status).toBe(200);
      longest = Math.max(longest, milliseconds);
    } while (!(await Promise.race([isOver, sleep(5, false)])));
    return longest;
  };

  it.each(DEAR_BODIES)('30 MB of %s hold nobody up', async (_name, body) => {
    for (const [token, status, code] of [
      ['garbage', 401, 'token_invalid'],
      [generateToken('api').text, 401, 'token_invalid'],
      [adminToken, 400, 'malformed_request'],
    ] as const) {
      const call = send('POST', CHAT, token, body);
      const wait = await longestWaitWhile(call);
      const answer = await call;
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status, code });
      expect(shapeProblem(CHAT, answer)).toBeNull();
      expect(answer.milliseconds).toBeLessThan(ANSWER_MILLISECONDS);
      expect(wait).toBeLessThan(BLOCKED_MILLISECONDS);
    }
  });

  it.each([
    ['that says its length', {}],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])(
    'a body over 1 MB %s is too large for a configuration, and 1 MB is not',
    async (_name, framing: Record<string, string>) => {
      const bodyOf = (bytes: number): string => {
        const frame = JSON.stringify({ description: '' });
        return JSON.stringify({ description: 'x'.repeat(bytes - frame.length) });
      };
      const post = async (token: string, bytes: number): Promise<Answer> =>
        openCall(hub.url, token, bodyOf(bytes), { path: CONFIGS, headers: framing }).done;
      for (const token of [adminToken, 'garbage']) {
        const large = await post(token, MEGABYTE + 1);
        expect({ token, status: large.status, code: codeOf(large) }).toEqual({
          token,
          status: 413,
          code: 'body_too_large',
        });
        expect(shapeProblem(CONFIGS, large)).toBeNull();
      }
      expect((await post(adminToken, MEGABYTE)).status).toBe(400);
      expect((await post('garbage', MEGABYTE)).status).toBe(401);
    },
  );
});
