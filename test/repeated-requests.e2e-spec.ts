import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type supertest from 'supertest';
import { aModelConfig } from './factories/model-config.js';
import type { Json } from './support/calls.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { type HubProcess, startHubProcess } from './support/hub-process.js';

const TOKENS = '/api/v1/tokens';

describe('a request with an Idempotency-Key', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const post = (path: string, key: string, body: Json, token?: string): supertest.Test =>
    hub.request('post', path, token).set('idempotency-key', key).send(body);
  const configs = async (): Promise<number> =>
    ((await hub.request('get', `${CONFIGS}?limit=1`).expect(200)).body as { total: number }).total;

  it('is carried out once and answered the same again, byte for byte', async () => {
    const key = randomUUID();
    const body = aModelConfig({ alias: 'once', tags: { z: '1', a: '2' } });
    const first = await post(CONFIGS, key, body).expect(201);
    const second = await post(CONFIGS, key, body).expect(201);
    expect(second.text).toBe(first.text);
    expect(second.headers['location']).toBe(first.headers['location']);
    expect(second.headers['etag']).toBe(first.headers['etag']);
    const { total } = (await hub.request('get', `/api/v1/history?q=once`).expect(200)).body as { total: number };
    expect(total).toBe(1);
  });

  it('is refused when the content is another, and still holds for the first', async () => {
    const key = randomUUID();
    const body = aModelConfig({ alias: 'reused' });
    await post(CONFIGS, key, body).expect(201);
    const other = await post(CONFIGS, key, { ...body, alias: 'reused-2' }).expect(422);
    expect(other.body).toMatchObject({ code: 'idempotency_key_reused' });
    await post(TOKENS, key, { name: 'x', scopes: ['invoke'] }).expect(422);
    await post(CONFIGS, key, body).expect(201);
  });

  it('belongs to its token: another one may use the same key', async () => {
    const key = randomUUID();
    const token = await hub.createToken('models:write');
    await post(CONFIGS, key, aModelConfig({ alias: 'mine' })).expect(201);
    await post(CONFIGS, key, aModelConfig({ alias: 'theirs' }), token).expect(201);
  });

  it('is not kept when it failed: it may succeed later', async () => {
    const key = randomUUID();
    const blocker = (await post(CONFIGS, randomUUID(), aModelConfig({ alias: 'blocked' })).expect(201)).body as Json;
    const body = aModelConfig({ alias: 'blocked' });
    await post(CONFIGS, key, body).expect(409);
    await hub.request('delete', `${CONFIGS}/${String(blocker['id'])}`).expect(204);
    await post(CONFIGS, key, body).expect(201);
  });

  it('of many at once exactly one is carried out', async () => {
    const before = await configs();
    const key = randomUUID();
    const body = aModelConfig({ alias: 'at-once' });
    const answers = await Promise.all(Array.from({ length: 32 }, () => post(CONFIGS, key, body)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    const refused = answers
      .filter(({ status }) => status === 409)
      .map(({ body: problem }) => (problem as Json)['code']);
    expect(new Set(refused)).toEqual(new Set(refused.length > 0 ? ['idempotency_key_in_use'] : []));
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
    expect(await configs()).toBe(before + 1);
  });

  it('that created a token gives no text a second time, and keeps none', async () => {
    const key = randomUUID();
    const body = { name: 'once', scopes: ['invoke'] };
    const { id, token } = (await post(TOKENS, key, body).expect(201)).body as { id: string; token: string };
    const again = await post(TOKENS, key, body).expect(409);
    expect(again.body).toMatchObject({ code: 'token_already_created', detail: expect.stringContaining(id) });
    const kept = JSON.stringify(await hub.database.query('SELECT * FROM idempotency_keys'));
    expect(kept).toContain(id);
    expect(kept).not.toContain(token.slice(-40));
  });

  it('is forgotten after a day, and forgotten ones go', async () => {
    const key = randomUUID();
    await post(CONFIGS, key, aModelConfig({ alias: 'old-key' })).expect(201);
    await hub.database.query(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`);
    await post(CONFIGS, key, aModelConfig({ alias: 'old-key-2' })).expect(201);
    await post(CONFIGS, randomUUID(), aModelConfig({ alias: 'old-key-3' })).expect(201);
    const rows = await hub.database.query<{ old: boolean }>(
      `SELECT created_at < now() - interval '24 hours' AS old FROM idempotency_keys`,
    );
    expect(rows.filter(({ old }) => old)).toEqual([]);
  });

  it('needs a key of the right form', async () => {
    for (const key of ['', ' ', 'with blank', 'é', 'x'.repeat(201)]) {
      const answer = await hub
        .request('post', CONFIGS)
        .set('idempotency-key', Buffer.from(key).toString('latin1'))
        .send(aModelConfig());
      expect({ key, status: answer.status, body: answer.body }).toMatchObject({
        status: 400,
        body: { code: 'validation_failed', errors: [{ field: 'Idempotency-Key' }] },
      });
    }
  });
});

describe('a process that is killed between a change and its answer', () => {
  const ROUNDS = 8;
  const WRITERS = 6;
  let database: TestDatabase;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    env = {
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'hub-test-data-')),
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: 'admin-token-of-the-repeated-requests',
    };
  });
  afterAll(async () => {
    await database.drop();
    rmSync(env['DATA_DIR'] ?? '', { recursive: true, force: true });
  });

  const create = async (hub: HubProcess, key: string): Promise<number> => {
    const answer = await fetch(`${hub.url}${CONFIGS}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${env['ADMIN_TOKEN']}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ alias: `k-${key}`, provider: 'local', model_name: 'm', is_local: true }),
    });
    await answer.text();
    return answer.status;
  };

  it('does nothing twice when the request is sent again, and loses nothing', async () => {
    const keys: string[] = [];
    let unanswered: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const hub = await startHubProcess(env);
      const repeated = await Promise.all(unanswered.map((key) => create(hub, key)));
      expect(new Set(repeated)).toEqual(new Set(repeated.length > 0 ? [201] : []));
      unanswered = [];
      const writer = async (): Promise<void> => {
        for (;;) {
          const key = randomUUID();
          keys.push(key);
          try {
            expect(await create(hub, key)).toBe(201);
          } catch (error) {
            // The connection is gone: nobody knows whether it was done.
            if ((error as Error).name !== 'TypeError') throw error;
            return void unanswered.push(key);
          }
        }
      };
      const writers = Array.from({ length: WRITERS }, writer);
      await sleep(100 + 40 * round);
      await hub.stop('SIGKILL');
      await Promise.all(writers);
    }
    const hub = await startHubProcess(env);
    for (const key of unanswered) expect(await create(hub, key)).toBe(201);
    const rows = await database.query<{ alias: string }>('SELECT alias FROM ai_model_configs');
    expect(rows.map(({ alias }) => alias).sort()).toEqual(keys.map((key) => `k-${key}`).sort());
    const [history] = await database.query<{ count: string }>('SELECT count(*) FROM change_history');
    expect(Number(history?.count)).toBe(keys.length);
    await hub.stop();
    console.log(`${keys.length} requests over ${ROUNDS} kills: each done once`);
  });
});

describe('too many invalid tokens from one address', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub({ env: { AUTH_FAILURES_PER_MINUTE: '20' } });
  });
  afterAll(() => hub.close());

  it.each([
    ['/api/v1/ai-models/configs', 'get'],
    ['/v1/models', 'get'],
    ['/v1/chat/completions', 'post'],
  ] as const)('%s answers 429 with Retry-After to them, and goes on to serve valid ones', async (path, method) => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 30; attempt += 1) {
      const answer = await hub.request(method, path, `wrong-token-${randomUUID()}`);
      statuses.push(answer.status);
      if (answer.status === 429) {
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect(answer.text).toContain('too_many_attempts');
        expect(answer.text).not.toContain('wrong-token');
      }
    }
    expect(new Set(statuses.slice(-5))).toEqual(new Set([429]));
    expect((await hub.request('get', '/api/v1/ai-models/configs')).status).toBe(200);
    expect((await hub.request('get', '/v1/models')).status).toBe(200);
    // No token at all is no attempt: browsers ask so before they sign in.
    expect((await hub.request('get', path === '/v1/chat/completions' ? '/v1/models' : path, null)).status).toBe(401);
  });

  it('says so in the log once, with the address', () => {
    const lines = hub
      .logs()
      .split('\n')
      .filter((line) => line.includes('Too many invalid tokens'));
    expect(lines.length).toBe(1);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ level: 'warn', address: '127.0.0.1' });
  });
});
