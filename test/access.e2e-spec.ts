import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { GRANTABLE_SCOPES, type GrantableScope } from '../src/contract/scopes.js';
import type { CreatedToken } from '../src/contract/token.contract.js';
import { PublicRoute } from '../src/platform/auth/require-scope.js';
import { generateToken, hashToken } from '../src/platform/auth/token-text.js';
import { readEnv } from '../src/platform/config/env.js';
import { ThisInstance } from '../src/platform/config/this-instance.js';
import { DirectLane } from '../src/platform/http/direct-lane.js';
import { PlatformModule } from '../src/platform/platform.module.js';
import { aModelConfig } from './factories/model-config.js';
import { codeOf, shapeProblem } from './support/error-answer.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { rawRequest, type RawAnswer } from './support/raw-request.js';
import { nameOf, routesOf, type Route } from './support/routes.js';

type Body = Record<string, unknown>;
/** `several`: one of several scopes, told apart in a test of its own. */
/** `page`: for browsers, and in no document of the API. */
type Access = 'public' | 'page' | 'any token' | 'several' | 'internal' | GrantableScope;

const TOKENS = '/api/v1/tokens';
const REVOKED_WITHIN_MILLISECONDS = 3000;
const EXPIRES_AFTER_MILLISECONDS = 2000;

/** What each route needs. A route that is missing here, or is no more, fails the test. */
const ACCESS: Record<string, Access> = {
  'GET /': 'page',
  'GET /console': 'page',
  'GET /console/*': 'page',
  'GET /console/assets/:name': 'page',
  'POST /console/session': 'public',
  'GET /console/session': 'any token',
  'DELETE /console/session': 'any token',
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /info': 'any token',
  'GET /metrics': 'usage:read',
  'GET /docs': 'any token',
  'GET /docs/openapi.json': 'any token',
  'GET /docs/start.js': 'any token',
  'GET /docs/:asset': 'any token',
  'POST /v1/chat/completions': 'invoke',
  'POST /api/v1/chat/completions': 'invoke',
  'POST /api/v1/chat/completions/stream': 'invoke',
  'POST /v1/embeddings': 'invoke',
  'POST /v1/responses': 'invoke',
  'POST /v1/messages': 'invoke',
  'POST /v1/messages/count_tokens': 'invoke',
  'GET /v1/models': 'invoke',
  'GET /v1/models/*': 'invoke',
  'GET /api/v1/models': 'several',
  'GET /api/v1/models/providers': 'several',
  'GET /api/v1/models/management/list': 'models:read',
  'POST /api/v1/models/management/add': 'models:write',
  'PUT /api/v1/models/management/update/:id': 'models:write',
  'DELETE /api/v1/models/management/remove/:id': 'models:write',
  'GET /api/v1/models/management/providers': 'models:read',
  'POST /api/v1/models/management/test/:id': 'models:write',
  'GET /api/v1/status/health': 'several',
  'GET /api/v1/status/metrics': 'several',
  'GET /api/v1/models/providers/:provider/known-models': 'models:read',
  'GET /api/v1/ai-models/configs': 'models:read',
  'GET /api/v1/ai-models/configs/:id': 'models:read',
  'GET /api/v1/ai-models/configs/by-alias/*': 'models:read',
  'GET /api/v1/ai-models/active': 'models:read',
  'POST /api/v1/ai-models/configs': 'models:write',
  'PUT /api/v1/ai-models/configs/:id': 'models:write',
  'DELETE /api/v1/ai-models/configs/:id': 'models:write',
  'POST /api/v1/ai-models/configs/:id/discover': 'models:write',
  'POST /api/v1/ai-models/configs/:id/test': 'models:write',
  'POST /api/v1/ai-models/configs/test': 'models:write',
  'POST /api/v1/ai-models/configs/test-all': 'models:write',
  'GET /api/v1/ai-models/configs/:id/history': 'models:read',
  'GET /api/v1/ai-models/configs/:id/history/diff': 'models:read',
  'POST /api/v1/ai-models/configs/:id/history/:version/restore': 'models:write',
  'GET /api/v1/ai-models/prompts': 'prompts:read',
  'POST /api/v1/ai-models/prompts': 'prompts:write',
  'POST /api/v1/ai-models/prompts/validate': 'prompts:read',
  'POST /api/v1/ai-models/prompts/render': 'prompts:read',
  'GET /api/v1/ai-models/prompts/protected-labels': 'prompts:read',
  'PUT /api/v1/ai-models/prompts/protected-labels': 'admin',
  'GET /api/v1/ai-models/prompts/by-name/:name': 'prompts:read',
  'GET /api/v1/ai-models/prompts/by-name/:name/resolved': 'prompts:read',
  'GET /api/v1/ai-models/prompts/:id': 'prompts:read',
  'PUT /api/v1/ai-models/prompts/:id': 'prompts:write',
  'DELETE /api/v1/ai-models/prompts/:id': 'prompts:write',
  'POST /api/v1/ai-models/prompts/:id/unarchive': 'prompts:write',
  'POST /api/v1/ai-models/prompts/:id/render': 'prompts:read',
  'GET /api/v1/ai-models/prompts/:id/history': 'prompts:read',
  'GET /api/v1/ai-models/prompts/:id/usages': 'prompts:read',
  'GET /api/v1/ai-models/prompts/:id/diff': 'prompts:read',
  'GET /api/v1/ai-models/prompts/:id/versions': 'prompts:read',
  'POST /api/v1/ai-models/prompts/:id/versions': 'prompts:write',
  'GET /api/v1/ai-models/prompts/:id/versions/:number': 'prompts:read',
  'POST /api/v1/ai-models/prompts/:id/versions/:number/restore': 'prompts:write',
  'GET /api/v1/ai-models/prompts/:id/labels': 'prompts:read',
  'PUT /api/v1/ai-models/prompts/:id/labels/:label': 'prompts:write',
  'DELETE /api/v1/ai-models/prompts/:id/labels/:label': 'prompts:write',
  'GET /api/v1/ai-models/export': 'several',
  'POST /api/v1/ai-models/export': 'admin',
  'POST /api/v1/ai-models/import': 'several',
  'GET /api/v1/history': 'several',
  'GET /api/v1/ai-models/statistics': 'usage:read',
  'GET /api/v1/alerts': 'alerts:read',
  'GET /api/v1/alerts/:id': 'alerts:read',
  'POST /api/v1/alerts/:id/acknowledge': 'alerts:write',
  'DELETE /api/v1/alerts/:id/acknowledge': 'alerts:write',
  'GET /api/v1/alerts/rules': 'alerts:read',
  'POST /api/v1/alerts/rules': 'alerts:write',
  'GET /api/v1/alerts/rules/:id': 'alerts:read',
  'PUT /api/v1/alerts/rules/:id': 'alerts:write',
  'DELETE /api/v1/alerts/rules/:id': 'alerts:write',
  'GET /api/v1/alerts/rules/:id/history': 'alerts:read',
  'GET /api/v1/alerts/silences': 'alerts:read',
  'POST /api/v1/alerts/silences': 'alerts:write',
  'DELETE /api/v1/alerts/silences/:id': 'alerts:write',
  'POST /api/v1/tokens': 'admin',
  'GET /api/v1/tokens': 'admin',
  'GET /api/v1/instances': 'models:read',
  'DELETE /api/v1/tokens/:id': 'admin',
  'POST /api/v1/alerts/channels': 'alerts:write',
  'GET /api/v1/alerts/channels': 'alerts:read',
  'GET /api/v1/alerts/channels/:id': 'alerts:read',
  'PUT /api/v1/alerts/channels/:id': 'alerts:write',
  'DELETE /api/v1/alerts/channels/:id': 'alerts:write',
  'POST /api/v1/alerts/channels/:id/test': 'alerts:write',
  'GET /api/v1/alerts/notifications': 'alerts:read',
  'POST /api/v1/alerts/notifications/:id/retry': 'alerts:write',
  'GET /api/v1/encryption-keys': 'admin',
  'POST /api/v1/encryption-keys': 'admin',
  'PUT /api/v1/encryption-keys/active': 'admin',
  'POST /api/v1/encryption-keys/rewrap': 'admin',
  'DELETE /api/v1/encryption-keys/:id': 'admin',
  'GET /api/v1/budgets': 'alerts:read',
  'POST /api/v1/budgets': 'alerts:write',
  'GET /api/v1/budgets/:id': 'alerts:read',
  'PUT /api/v1/budgets/:id': 'alerts:write',
  'DELETE /api/v1/budgets/:id': 'alerts:write',
  'GET /internal/v1/snapshot': 'internal',
  'GET /internal/v1/prompts/:name/versions/:number': 'internal',
  'GET /internal/v1/changes': 'internal',
  'POST /internal/v1/usage': 'internal',
  'POST /internal/v1/connection-tests': 'internal',
  'GET /internal/v1/sessions/:id': 'internal',
  'POST /internal/v1/instances': 'internal',
  'DELETE /internal/v1/instances/:id': 'internal',
};

const asRoute = (name: string): Route => {
  const [method = '', path = ''] = name.split(' ');
  return { method, path };
};
const isOpen = (access: Access | undefined): boolean => access === 'public' || access === 'page';
const GUARDED = Object.entries(ACCESS).filter(([, access]) => !isOpen(access));
const SCOPED = GUARDED.filter(([, access]) => access !== 'any token' && access !== 'several');
/** Served by the AI model service, which knows tokens by its snapshot. */
const isCallRoute = (name: string): boolean =>
  / \/(?:v1|api\/v1\/(?:chat|models|status))\//.test(`${name}/`) ||
  /ai-models\/.*\/(?:discover|test|test-all)$/.test(name);

const fillIn = (path: string): string =>
  path
    .replace(':id', randomUUID())
    .replace(/:(?:version|number)/, '1')
    .replace(':label', 'production')
    .replace(':name', 'some-prompt')
    .replace(':provider', 'openai')
    .replace(':asset', 'swagger-ui.css')
    .replace('*', 'some/alias');

describe('who may call what', () => {
  let hub: TestHub;
  let expired: string;
  let revoked: string;
  const unknown = generateToken('api').text;
  const withScope = new Map<GrantableScope, string>();
  const withoutScope = new Map<GrantableScope, string>();

  const send = (name: string, headers: Record<string, string>, path?: string): Promise<RawAnswer> => {
    const route = asRoute(name);
    const hasBody = route.method === 'POST' || route.method === 'PUT';
    return rawRequest(hub.url, {
      method: route.method,
      path: path ?? fillIn(route.path),
      headers: { ...(hasBody && { 'content-type': 'application/json' }), ...headers },
      body: hasBody ? '{}' : undefined,
    });
  };
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  const expectRefusal = (name: string, answer: RawAnswer, status: 401 | 403, code: string): void => {
    expect({ name, status: answer.status, code: codeOf(answer) }).toEqual({ name, status, code });
    expect({ name, shape: shapeProblem(fillIn(asRoute(name).path), answer) }).toEqual({ name, shape: null });
    if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^(?:Bearer|Basic) realm="/);
  };

  const createToken = async (body: Body, token?: string): Promise<CreatedToken> =>
    (
      await hub
        .request('post', TOKENS, token)
        .send({ name: 'test', ...body })
        .expect(201)
    ).body as CreatedToken;
  const revoke = (token: CreatedToken): PromiseLike<unknown> =>
    hub.request('delete', `${TOKENS}/${token.id}`).expect(204);
  const callsWith = async (token: string): Promise<number> => (await send('GET /v1/models', bearer(token))).status;

  /** Until the AI model service has heard of it. */
  const untilRefusedByCalls = async (token: string): Promise<void> => {
    const end = Date.now() + REVOKED_WITHIN_MILLISECONDS;
    while (Date.now() < end && (await callsWith(token)) !== 401) await sleep(25);
    expect(await callsWith(token)).toBe(401);
  };

  beforeAll(async () => {
    hub = await startHub();
    for (const scope of GRANTABLE_SCOPES) {
      withScope.set(scope, await hub.createToken(scope));
      withoutScope.set(scope, await hub.createToken(...GRANTABLE_SCOPES.filter((other) => other !== scope)));
    }
    const all = [...GRANTABLE_SCOPES];
    const expiresAt = Date.now() + EXPIRES_AFTER_MILLISECONDS;
    expired = (await createToken({ scopes: all, expires_at: new Date(expiresAt).toISOString() })).token;
    const toRevoke = await createToken({ scopes: all });
    revoked = toRevoke.token;
    // Both did work, so that what refuses them later is their end.
    expect([await callsWith(expired), await callsWith(revoked)]).toEqual([200, 200]);
    await revoke(toRevoke);
    await sleep(expiresAt - Date.now());
    await untilRefusedByCalls(revoked);
    await untilRefusedByCalls(expired);
  });
  afterAll(() => hub.close());

  it('is written down for every route of the running application, HEAD included', () => {
    const routes = routesOf(hub).map(nameOf);
    const expected = Object.keys(ACCESS).flatMap((name) =>
      name.startsWith('GET ') ? [name, name.replace('GET', 'HEAD')] : [name],
    );
    expect(routes.sort()).toEqual(expected.sort());
  });

  it('is documented for every route that is not internal', async () => {
    const { body } = await hub.request('get', '/docs/openapi.json').expect(200);
    const { paths } = body as { paths: Record<string, Record<string, { security?: unknown[] }>> };
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => {
        const name = `${method.toUpperCase()} ${path.replace('{alias}', '*').replace(/\{(\w+)\}/g, ':$1')}`;
        return `${name} ${security === undefined ? 'public' : 'guarded'}`;
      }),
    );
    const expected = Object.entries(ACCESS)
      .filter(([name, access]) => access !== 'internal' && access !== 'page' && !name.includes(' /docs'))
      .map(([name, access]) => `${name} ${access === 'public' ? 'public' : 'guarded'}`);
    expect(documented.sort()).toEqual(expected.sort());
  });

  it.each(Object.keys(ACCESS).filter((name) => isOpen(ACCESS[name])))('%s needs no token', async (name) => {
    const answers = [await send(name, {}), await send(name, bearer('garbage'))];
    const [first, second] = answers.map(({ status }) => status);
    expect(first).toBe(second);
    // What is asked for may be missing, or be no request to sign in; nobody is refused for his token.
    expect(name.includes(' /health') ? [200] : [200, 400, 404]).toContain(first);
  });

  it.each(GUARDED)('%s (%s) refuses a caller without a token', async (name) => {
    expectRefusal(name, await send(name, {}), 401, 'token_missing');
    // No token in places where none belongs.
    const path = `${fillIn(asRoute(name).path)}?token=${hub.adminToken}&api_key=${hub.adminToken}`;
    expectRefusal(name, await send(name, { cookie: `token=${hub.adminToken}` }, path), 401, 'token_missing');
    if (name.startsWith('GET ')) {
      expect((await send(name.replace('GET', 'HEAD'), {})).status).toBe(401);
    }
  });

  it.each(GUARDED)('%s (%s) refuses tokens that are none', async (name) => {
    const credentials = [
      '',
      'garbage',
      'Bearer',
      'Bearer ',
      `Bearer  `,
      'Bearer garbage',
      `Bearer ${unknown}`,
      `Bearer ${unknown.slice(0, -1)}x`,
      `Bearer ${hub.adminToken}x`,
      `Bearer ${hub.adminToken.slice(1)}`,
      `Bearer ${hub.adminToken} ${hub.adminToken}`,
      `Bearer ${hub.adminToken}, Bearer ${hub.adminToken}`,
      `Token ${hub.adminToken}`,
      hub.adminToken,
      `Bearer ${hashToken(hub.adminToken)}`,
      `Basic ${Buffer.from('admin:garbage').toString('base64')}`,
    ];
    for (const authorization of credentials) {
      expectRefusal(name, await send(name, { authorization }), 401, 'token_invalid');
    }
  });

  it.each(GUARDED)('%s (%s) refuses an expired and a revoked token', async (name) => {
    expectRefusal(name, await send(name, bearer(expired)), 401, 'token_invalid');
    expectRefusal(name, await send(name, bearer(revoked)), 401, 'token_invalid');
  });

  it.each(SCOPED)('%s refuses every scope but %s', async (name, access) => {
    const others = access === 'internal' ? hub.adminToken : (withoutScope.get(access as GrantableScope) ?? '');
    const answer = await send(name, bearer(others));
    expectRefusal(name, answer, 403, 'scope_missing');
    expect(answer.text).toContain(access);
  });

  it.each(GUARDED)('%s lets %s in', async (name, access) => {
    const token =
      access === 'internal'
        ? hub.serviceToken
        : (withScope.get(access as GrantableScope) ??
          (access === 'several' ? hub.adminToken : withScope.get('invoke')));
    const { status } = await send(name, bearer(token ?? ''));
    // 409: for what the key ring is, not for who asks.
    expect([200, 201, 204, 400, 404, ...(name.includes('/encryption-keys') ? [409] : [])]).toContain(status);
    if (name.startsWith('GET '))
      expect((await send(name.replace('GET', 'HEAD'), bearer(token ?? ''))).status).toBe(status);
  });

  it.each(SCOPED.filter(([, access]) => access !== 'internal'))(
    '%s (%s) is closed to the service token',
    async (name) => {
      // The AI model service does not know its own token: it is for the other side alone.
      const [status, code] = isCallRoute(name) ? ([401, 'token_invalid'] as const) : ([403, 'scope_missing'] as const);
      expectRefusal(name, await send(name, bearer(hub.serviceToken)), status, code);
    },
  );

  it.each(SCOPED.filter(([, access]) => access === 'internal'))(
    '%s (%s) is closed to every token that can be granted',
    async (name) => {
      for (const token of [hub.adminToken, ...withScope.values(), ...withoutScope.values()]) {
        expectRefusal(name, await send(name, bearer(token)), 403, 'scope_missing');
      }
    },
  );

  it.each(GUARDED)('%s (%s) takes x-api-key only under /v1', async (name) => {
    const answer = await send(name, { 'x-api-key': hub.adminToken });
    if (name.includes(' /v1/')) expect([200, 400, 404]).toContain(answer.status);
    else expectRefusal(name, answer, 401, 'token_missing');
    if (name.includes(' /v1/')) {
      expectRefusal(name, await send(name, { 'x-api-key': 'garbage' }), 401, 'token_invalid');
      const both = await send(name, { 'x-api-key': hub.adminToken, ...bearer('garbage') });
      expectRefusal(name, both, 401, 'token_invalid');
    }
  });

  it('takes the token as a password only where a browser reads: under /docs', async () => {
    const authorization = `Basic ${Buffer.from(`me:${hub.adminToken}`).toString('base64')}`;
    for (const [name] of GUARDED) {
      const answer = await send(name, { authorization });
      if (name.includes(' /docs')) expect({ name, status: answer.status }).toEqual({ name, status: 200 });
      else expectRefusal(name, answer, 401, 'token_invalid');
    }
  });

  it('the word Bearer is not case-sensitive', async () => {
    for (const word of ['bearer', 'BEARER', 'Bearer ']) {
      const answer = await send('GET /api/v1/ai-models/configs', { authorization: `${word} ${hub.adminToken}` });
      expect(answer.status).toBe(200);
    }
  });

  describe('granting', () => {
    it('a token gives what it has, and nothing it lacks', async () => {
      const { token } = await createToken({ scopes: ['admin', 'models:read'] });
      const child = await createToken({ scopes: ['models:read'] }, token);
      expect(child.scopes).toEqual(['models:read']);
      for (const scope of GRANTABLE_SCOPES.filter((other) => other !== 'admin' && other !== 'models:read')) {
        const answer = await hub.request('post', TOKENS, token).send({ name: 'x', scopes: ['models:read', scope] });
        expect(answer.status).toBe(403);
        expect(answer.body).toMatchObject({ code: 'scope_not_grantable' });
        expect(answer.text).toContain(scope);
      }
    });

    it.each([['internal'], ['*'], ['Admin'], [''], [null], [7]])('nobody can grant %j', async (scope) => {
      for (const scopes of [[scope], ['invoke', scope], scope]) {
        const answer = await hub.request('post', TOKENS).send({ name: 'x', scopes }).expect(400);
        expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'scopes' }] });
      }
    });

    it('a refused token leaves no row', async () => {
      const count = async (): Promise<unknown> => hub.database.query('SELECT count(*) FROM api_tokens');
      const before = await count();
      const { token } = { token: withScope.get('admin') };
      await hub
        .request('post', TOKENS, token)
        .send({ name: 'x', scopes: ['invoke'] })
        .expect(403);
      await hub
        .request('post', TOKENS)
        .send({ name: 'x', scopes: ['internal'] })
        .expect(400);
      await hub.request('post', TOKENS).send({ name: 'x', scopes: [] }).expect(400);
      await hub
        .request('post', TOKENS)
        .send({ name: 'x', scopes: ['invoke'], expires_at: '2020-01-01T00:00:00Z' })
        .expect(400);
      expect(await count()).toEqual(before);
    });

    it('shows the text once, and stores and logs only its hash', async () => {
      const created = await createToken({ name: 'reader', scopes: ['models:read'] });
      expect(created.token).toMatch(/^hub_api_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
      expect(created.token.startsWith(created.prefix)).toBe(true);
      const list = await hub.request('get', TOKENS).expect(200);
      const { token: _text, ...view } = created;
      expect((list.body as { tokens: Body[] }).tokens).toContainEqual(view);
      const secret = created.token.slice(created.prefix.length + 1);
      const rows = await hub.database.query<{ row: string; token_sha256: string }>(
        'SELECT api_tokens::text AS row, token_sha256 FROM api_tokens WHERE id = $1',
        [created.id],
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]?.token_sha256).toBe(hashToken(created.token));
      await hub.request('get', CONFIGS, created.token).expect(200);
      for (const text of [list.text, rows[0]?.row, hub.logs()]) expect(text).not.toContain(secret);
    });
  });

  it('a revoked token stops at once on storage and within 3 s on calls', async () => {
    const created = await createToken({ scopes: ['models:read', 'invoke'] });
    await hub.request('get', CONFIGS, created.token).expect(200);
    expect(await callsWith(created.token)).toBe(200);
    await revoke(created);
    await hub.request('get', CONFIGS, created.token).expect(401);
    await untilRefusedByCalls(created.token);
    await hub.request('delete', `${TOKENS}/${created.id}`).expect(404);
  });

  describe('odd forms of an address', () => {
    const CANARY = 'canary-of-the-access-test';
    beforeAll(async () => {
      await hub
        .request('post', CONFIGS)
        .send(aModelConfig({ alias: CANARY }))
        .expect(201);
    });

    const escapeAt = (path: string, index: number): string =>
      `${path.slice(0, index)}%${path.charCodeAt(index).toString(16)}${path.slice(index + 1)}`;
    const formsOf = (path: string): string[] => [
      `${path}/`,
      `${path}//`,
      `/${path}`,
      `//evil.example${path}`,
      `///${path}`,
      path.replaceAll('/', '//'),
      path.replaceAll('/', '/./'),
      path.replaceAll('/', '/%2e/'),
      path.replaceAll('/', '%2f'),
      path.replaceAll('/', '\\'),
      path.toUpperCase(),
      escapeAt(path, 1),
      escapeAt(path, path.length - 1),
      escapeAt(path, 1).toUpperCase(),
      `/health/..${path}`,
      `/health/%2e%2e${path}`,
      `/health/..%2f..${path}`,
      `/health;${path}`,
      `/docs/../..${path}`,
      `${path};a=b`,
      `${path}.json`,
      `${path}?`,
      `${path}#x`,
      `${path}%20`,
      `${path}%00`,
      `${path}/..`,
      `${path}/%2e%2e`,
      `http://127.0.0.1${path}`,
      `http://evil.example${path}`,
      `*${path}`,
    ];
    const HEADERS: Record<string, string>[] = [
      {},
      { host: 'health' },
      { host: 'localhost/health' },
      { 'x-forwarded-host': 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' },
    ];

    it.each(GUARDED)('%s (%s) lets none in without a token', async (name) => {
      const path = fillIn(asRoute(name).path);
      const before = await hub.database.query('SELECT count(*), max(version) FROM ai_model_configs');
      for (const form of formsOf(path)) {
        for (const headers of HEADERS) {
          const { status, text } = await send(name, headers, form);
          expect({ form, headers, status, refused: [400, 401, 404].includes(status) }).toMatchObject({ refused: true });
          expect(text).not.toContain(CANARY);
        }
      }
      expect(await hub.database.query('SELECT count(*), max(version) FROM ai_model_configs')).toEqual(before);
    });

    it('no header turns a public route into another one', async () => {
      for (const header of ['x-original-url', 'x-rewrite-url', 'x-forwarded-uri', 'x-forwarded-prefix']) {
        const answer = await send('GET /health', { [header]: CONFIGS });
        expect({ header, text: answer.text }).toEqual({ header, text: '{"status":"ok"}' });
      }
      const overridden = await send('POST /api/v1/tokens', { 'x-http-method-override': 'GET' }, '/health');
      expect(overridden.status).toBe(404);
    });
  });
});

describe('a route that declares no scope', () => {
  @Controller('planted')
  class PlantedController {
    @Get('closed')
    @PublicRoute()
    declared(): string {
      return '';
    }

    @Get('open')
    forgotten(): string {
      return '';
    }
  }

  @PublicRoute()
  @Controller('fine')
  class FineController {
    @Get()
    declared(): string {
      return '';
    }
  }

  @Module({})
  class PlantedModule {
    static with(...controllers: Type[]): DynamicModule {
      const env = readEnv({
        SERVICE_ROLE: 'ai-model',
        STORAGE_SERVICE_URL: 'http://127.0.0.1:1',
        STORAGE_SERVICE_TOKEN: 'x'.repeat(40),
      });
      return {
        module: PlantedModule,
        imports: [PlatformModule.register(env, new DirectLane(0), new ThisInstance('0'))],
        controllers,
      };
    }
  }

  const start = async (...controllers: Type[]): Promise<void> => {
    const app = await NestFactory.create(PlantedModule.with(...controllers), new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    try {
      await app.init();
    } finally {
      await app.close();
    }
  };

  it('stops the start, by name', async () => {
    await expect(start(FineController, PlantedController)).rejects.toThrow(
      /declare no scope .*: PlantedController\.forgotten\.$/,
    );
  });

  it('is the reason: without it the same module starts', async () => {
    await expect(start(FineController)).resolves.toBeUndefined();
  });
});
