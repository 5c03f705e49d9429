import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateToken } from '../src/platform/auth/token-text.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { createTestDatabase, postgresSocket } from './support/database.js';
import type supertest from 'supertest';

const SESSION = '/console/session';
const HEADER = 'x-hub-console';

type Body = Record<string, unknown>;

const cookieIn = ({ headers }: supertest.Response): string =>
  (headers['set-cookie'] as unknown as string[] | undefined)?.[0] ?? '';
const valueOf = (cookie: string): string => cookie.split(';', 1)[0] ?? '';

const signIn = (hub: TestHub, body: object, cookie = ''): supertest.Test =>
  hub.request('post', SESSION, null).set(HEADER, '1').set('cookie', cookie).send(body);

const asConsole = (hub: TestHub, method: 'get' | 'post' | 'delete', path: string, cookie: string): supertest.Test =>
  hub.request(method, path, null).set(HEADER, '1').set('cookie', cookie);

describe('a session of the console', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  it('may what its token may, and ends with it', async () => {
    const { body } = await hub.request('post', '/api/v1/tokens').send({ name: 'one', scopes: ['models:read'] });
    const { id, token } = body as { id: string; token: string };
    const signedIn = await signIn(hub, { token }).expect(200);
    expect(signedIn.body).toEqual({ token_id: id, scopes: ['models:read'] });
    const cookie = valueOf(cookieIn(signedIn));
    await asConsole(hub, 'get', CONFIGS, cookie).expect(200);
    expect((await asConsole(hub, 'get', SESSION, cookie).expect(200)).body).toEqual(signedIn.body);
    expect((await asConsole(hub, 'get', '/api/v1/tokens', cookie).expect(403)).body).toMatchObject({
      code: 'scope_missing',
    });
    await hub.request('delete', `/api/v1/tokens/${id}`).expect(204);
    await asConsole(hub, 'get', CONFIGS, cookie).expect(401);
  });

  it('is in a cookie that no script reads and no other site sends, and holds no token that can be read', async () => {
    const cookie = cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200));
    expect(cookie).toMatch(
      /^hub_session=[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]+; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Strict$/,
    );
    expect(Buffer.from(valueOf(cookie).split('.')[1] ?? '', 'base64url').toString('latin1')).not.toContain(
      hub.adminToken,
    );
    const rows = JSON.stringify(await hub.database.query('SELECT * FROM console_sessions'));
    expect(rows).not.toContain(hub.adminToken);
    expect(rows).not.toContain(valueOf(cookie).slice('hub_session='.length, 30));
    expect(hub.logs()).not.toContain(valueOf(cookie));
  });

  it('opens nothing without the header of the console, or when the browser says that another site asks', async () => {
    const cookie = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    await hub.request('get', CONFIGS, null).set('cookie', cookie).expect(401);
    for (const site of ['cross-site', 'same-site', 'none']) {
      await asConsole(hub, 'get', CONFIGS, cookie).set('sec-fetch-site', site).expect(401);
    }
    await asConsole(hub, 'get', CONFIGS, cookie).set('sec-fetch-site', 'same-origin').expect(200);
    const { body } = await hub.request('post', SESSION, null).send({ token: hub.adminToken }).expect(400);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ field: HEADER }] });
  });

  it('is another one after each signing in, and the one before is over', async () => {
    const first = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    const second = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }, first).expect(200)));
    expect(second).not.toBe(first);
    expect((await asConsole(hub, 'get', CONFIGS, first).expect(401)).body).toMatchObject({ code: 'session_expired' });
    await asConsole(hub, 'get', CONFIGS, second).expect(200);
  });

  it('is over after signing out, after its time, and after twelve idle hours', async () => {
    const open = async (): Promise<string> =>
      valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    const left = await open();
    const answer = await asConsole(hub, 'delete', SESSION, left).expect(204);
    expect(cookieIn(answer)).toMatch(/^hub_session=; .*Expires=Thu, 01 Jan 1970/);
    await asConsole(hub, 'get', CONFIGS, left).expect(401);
    for (const change of [`expires_at = now()`, `last_seen_at = now() - interval '13 hours'`]) {
      const cookie = await open();
      await hub.database.query(`UPDATE console_sessions SET ${change}`);
      const { body } = await asConsole(hub, 'get', CONFIGS, cookie).expect(401);
      expect(body).toMatchObject({ code: 'session_expired' });
    }
  });

  it('is nothing that can be made up', async () => {
    const cookie = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    const changed = cookie.slice(0, -2) + (cookie.endsWith('AA') ? 'BB' : 'AA');
    await asConsole(hub, 'get', CONFIGS, changed).expect(401);
    await asConsole(hub, 'get', CONFIGS, `hub_session=${'A'.repeat(43)}.${'A'.repeat(60)}`).expect(401);
    await asConsole(hub, 'get', CONFIGS, 'hub_session=nonsense').expect(401);
  });

  it('is begun by a token that holds, and by no other', async () => {
    for (const token of [generateToken('api').text, 'nonsense', hub.serviceToken]) {
      const { body } = await signIn(hub, { token }).expect(401);
      expect(body).toMatchObject({ code: 'token_invalid' });
    }
    for (const body of [{}, { token: 'a', code: 'b' }]) await signIn(hub, body).expect(400);
    await signIn(hub, { code: 'A'.repeat(43) }).expect(401);
  });

  it('calls models as the playground', async () => {
    const cookie = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    const chat = { model: 'nobody', messages: [{ role: 'user', content: 'Hello' }] };
    const { body } = await asConsole(hub, 'post', '/v1/chat/completions', cookie).send(chat).expect(404);
    expect(body).toMatchObject({ error: { code: 'model_not_found' } });
    await hub.request('post', '/v1/chat/completions', null).set('cookie', cookie).send(chat).expect(401);
  });
});

describe('where the two services are apart', () => {
  it('a session holds at both, and a little longer where the models are', async () => {
    const shared = { STORAGE_SERVICE_TOKEN: 's'.repeat(40) };
    const storage = await startHub({ env: { ...shared, SERVICE_ROLE: 'storage' } });
    const models = await startHub({
      env: { ...shared, SERVICE_ROLE: 'ai-model', STORAGE_SERVICE_URL: storage.url, ADMIN_TOKEN: storage.adminToken },
      database: storage.database,
    });
    const cookie = valueOf(cookieIn(await signIn(storage, { token: storage.adminToken }).expect(200)));
    await asConsole(models, 'get', '/v1/models', cookie).expect(200);
    // With its own token inside, as anybody's: the storage service sees who asks.
    await asConsole(models, 'get', '/api/v1/models/management/list', cookie).expect(200);
    await asConsole(models, 'get', '/v1/models', `hub_session=${'A'.repeat(43)}.${'A'.repeat(60)}`).expect(401);
    await models.request('post', SESSION, null).set(HEADER, '1').send({ token: storage.adminToken }).expect(404);
    await storage.stop();
    await asConsole(models, 'get', '/v1/models', cookie).expect(200);
    await models.close();
  });
});

describe('the first start', () => {
  it('prints a link that signs in once', async () => {
    const env = { ADMIN_TOKEN: undefined, ENCRYPTION_KEYS: randomKeyRing() };
    const hub = await startHub({ env });
    const link = hub.application.notices('http://hub.test').join('\n');
    const [, code = ''] = /http:\/\/hub\.test\/console\/#sign-in=(\S+) /.exec(link) ?? [];
    const { body } = await signIn(hub, { code }).expect(200);
    expect(body).toMatchObject({ token_id: 'admin' });
    await signIn(hub, { code }).expect(401);
    await hub.stop();
    const again = await startHub({ env, dataDir: hub.dataDir, database: hub.database });
    expect(again.application.notices('http://hub.test').join('\n')).not.toContain('sign-in');
    await again.close();
  });
});

describe('with https', () => {
  it('the cookie is bound to the host', async () => {
    const hub = await startHub({ env: { PUBLIC_URL: 'https://hub.test' } });
    const cookie = cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200));
    expect(cookie).toMatch(/^__Host-hub_session=.*; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
    await asConsole(hub, 'get', CONFIGS, valueOf(cookie)).expect(200);
    await hub.close();
  });
});

describe('while the database is away', () => {
  it('whoever was there goes on, as far as that goes', async () => {
    const database = await createTestDatabase();
    const proxy = await startFaultProxy(postgresSocket());
    const url = `postgresql://${postgresSocket().user}@127.0.0.1:${proxy.port}/${database.name}`;
    const hub = await startHub({ database, env: { DATABASE_URL: url } });
    const cookie = valueOf(cookieIn(await signIn(hub, { token: hub.adminToken }).expect(200)));
    await asConsole(hub, 'get', SESSION, cookie).expect(200);
    proxy.set({ line: 'down' });
    await asConsole(hub, 'get', SESSION, cookie).expect(200);
    await asConsole(hub, 'get', CONFIGS, cookie).expect(503);
    const unknown = `hub_session=${'A'.repeat(43)}.${'A'.repeat(60)}`;
    const { body } = await asConsole(hub, 'get', SESSION, unknown).expect(503);
    expect(body as Body).toMatchObject({ code: 'token_check_unavailable' });
    await hub.close();
    await proxy.close();
  });
});
