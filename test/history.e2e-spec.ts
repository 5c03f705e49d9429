import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HistoryEntry, HistoryList } from '../src/contract/history.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, saveModel, until, type Json } from './support/calls.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { FIELD_CASES } from './support/config-fields.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

const HISTORY = '/api/v1/history';
/** What somebody sets, apart from the secrets. Prompts have a test of their own. */
const WRITABLE = ['alias', 'provider', 'model_name', ...Object.keys(FIELD_CASES)].filter(
  (field) => !field.startsWith('system_prompt'),
);
const fieldsOf = (config: Json): Json => Object.fromEntries(WRITABLE.map((field) => [field, config[field]]));

describe('the history of changes', () => {
  let hub: TestHub;
  let provider: FakeProvider;

  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const historyOf = async (id: unknown, query = ''): Promise<HistoryList> =>
    (await hub.request('get', `${CONFIGS}/${String(id)}/history${query}`).expect(200)).body as HistoryList;
  const change = async (id: unknown, fields: Json): Promise<Json> =>
    (
      await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send(fields)
        .expect(200)
    ).body as Json;
  const restore = (id: unknown, version: number, body: Json = {}): ReturnType<TestHub['request']> =>
    hub.request('post', `${CONFIGS}/${String(id)}/history/${version}/restore`).send(body);
  const count = async (): Promise<number> => {
    const [row] = await hub.database.query<{ count: string }>('SELECT count(*) FROM change_history');
    return Number(row?.count);
  };
  const revision = async (): Promise<number> => {
    const [row] = await hub.database.query<{ revision: string }>('SELECT revision FROM hub_revision');
    return Number(row?.revision);
  };

  it('says who changed what, when, and which revision it made', async () => {
    const token = await hub.createToken('models:read', 'models:write');
    const created = await hub.request('post', CONFIGS, token).set('x-request-id', 'create-it').send(aModelConfig());
    const { id, alias } = created.body as Json;
    await hub
      .request('put', `${CONFIGS}/${String(id)}`, token)
      .set('x-request-id', 'change-it')
      .send({ priority: 7, tags: { team: 'search' } })
      .expect(200);
    const { entries, total } = await historyOf(id);
    expect(total).toBe(2);
    expect(entries[0]).toMatchObject({
      kind: 'config',
      action: 'update',
      subject_id: id,
      subject_name: alias,
      version: 2,
      request_id: 'change-it',
      actor_name: 'test',
      revision: await revision(),
      changes: [
        { field: 'priority', from: 0, to: 7 },
        { field: 'tags', from: {}, to: { team: 'search' } },
      ],
    });
    expect(entries[1]).toMatchObject({ action: 'create', version: 1, request_id: 'create-it' });
    expect(entries[1]?.actor_id).toBe(entries[0]?.actor_id);
    expect(Math.abs(Date.parse(entries[0]?.changed_at ?? '') - Date.now())).toBeLessThan(10_000);
  });

  it('has nothing of a change that was refused, or that changed nothing', async () => {
    const config = await saveModel(hub, { alias: 'history-refused' });
    const before = [await count(), await revision()];
    await hub
      .request('put', `${CONFIGS}/${String(config['id'])}`)
      .send({ provider: 'gemini' })
      .expect(422);
    await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: 'history-refused' }))
      .expect(409);
    await hub
      .request('put', `${CONFIGS}/${String(config['id'])}`)
      .send({ priority: 0 })
      .expect(200);
    await hub
      .request('put', `${CONFIGS}/${String(config['id'])}`)
      .set('if-match', '"9"')
      .send({ priority: 1 })
      .expect(412);
    expect([await count(), await revision()]).toEqual(before);
  });

  it('shows secrets as fingerprints: the same text, the same secret', async () => {
    const config = await saveModel(hub, { alias: 'history-secrets', api_key: 'sk-history-one-000000001' });
    const id = config['id'];
    await change(id, { api_key: 'sk-history-two-000000002' });
    await change(id, { api_key: 'sk-history-one-000000001', auth_headers: { 'x-tenant': 'secret-of-a-header' } });
    const same = await change(id, { api_key: 'sk-history-one-000000001' });
    expect(same['version']).toBe(3);
    const { body } = await hub.request('get', `${CONFIGS}/${String(id)}/history/diff?from=1&to=3`).expect(200);
    expect((body as { changes: { field: string }[] }).changes.map(({ field }) => field)).toEqual([
      'auth_header_names',
      'auth_headers',
    ]);
    const { entries } = await historyOf(id);
    const keys = entries.map(({ changes }) => changes.find(({ field }) => field === 'api_key'));
    expect(keys[0]?.to).toBe(keys[1]?.from);
    expect(String(keys[0]?.to)).toMatch(/^k1:[0-9a-f]{16}$/);
    expect(keys[1]?.to).not.toBe(keys[1]?.from);
  });

  it('restores exactly the fields of any version', async () => {
    const config = await saveModel(hub, { alias: 'history-restore', provider: 'local', api_key: null });
    const id = config['id'];
    const versions: Json[] = [fieldsOf(config)];
    for (const field of WRITABLE.filter((name) => name in FIELD_CASES)) {
      const { set, other, nullable } = FIELD_CASES[field] as (typeof FIELD_CASES)[string];
      for (const value of [set, other, ...(nullable ? [null] : [])]) {
        const after = await change(id, { [field]: value });
        if (after['version'] === versions.length + 1) versions.push(fieldsOf(after));
      }
    }
    await change(id, { alias: 'history-renamed', model_name: 'another' });
    expect(versions.length).toBeGreaterThan(40);
    for (const [index, expected] of [...versions.entries()].toReversed()) {
      const { body } = await restore(id, index + 1).expect(200);
      expect(fieldsOf(body as Json)).toEqual(expected);
    }
    const { entries, total } = await historyOf(id, '?limit=1');
    expect(entries[0]).toMatchObject({ action: 'restore', version: total });
  });

  it('brings a deleted config back, with a key sent along, callable', async () => {
    const config = await saveModel(hub, { alias: 'history-deleted', api_base: provider.url, priority: 3 });
    const id = config['id'];
    await hub.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
    const deleted = await historyOf(id);
    expect(deleted.entries[0]).toMatchObject({ action: 'delete', version: 2, subject_name: 'history-deleted' });
    expect((await restore(id, 2).expect(404)).body).toMatchObject({ code: 'version_not_found' });
    const { body } = await restore(id, 1, { api_key: 'sk-entered-again-00000001' }).expect(200);
    expect(body).toMatchObject({ id, version: 3, priority: 3, status: 'configured', alias: 'history-deleted' });
    await until(
      () => call(hub, aChat('history-deleted')),
      ({ status }) => status === 200,
    );
    expect((await historyOf(id)).entries[0]).toMatchObject({ action: 'restore', version: 3 });
  });

  it('sends no stored key to the address of an older version', async () => {
    const config = await saveModel(hub, { alias: 'history-moved', api_base: 'http://127.0.0.1:9101/v1' });
    const id = config['id'];
    await change(id, { api_base: 'http://127.0.0.1:9102/v1', api_key: 'sk-for-the-second-0001' });
    const refused = await restore(id, 1).expect(422);
    expect(refused.body).toMatchObject({ code: 'credential_required', errors: [{ field: 'api_key' }] });
    const { body } = await restore(id, 1, { api_key: 'sk-for-the-first-00001' }).expect(200);
    expect(body).toMatchObject({ api_base: 'http://127.0.0.1:9101/v1', version: 3 });
    await restore(id, 2, { api_key: null }).expect(200);
  });

  it('honours If-Match and refuses what is no version', async () => {
    const { id } = await saveModel(hub, { alias: 'history-match' });
    await change(id, { priority: 5 });
    await restore(id, 1).set('if-match', '"1"').expect(412);
    await restore(id, 1).set('if-match', '"2"').expect(200);
    expect((await restore(id, 99).expect(404)).body).toMatchObject({ code: 'version_not_found' });
    for (const version of ['0', '-1', 'x', '1.5', '9999999999']) {
      const path = `${CONFIGS}/${String(id)}/history/${version}/restore`;
      expect((await hub.request('post', path).send({}).expect(400)).body).toMatchObject({ code: 'validation_failed' });
    }
    await hub.request('post', `${CONFIGS}/${String(id)}/history/1/restore`).expect(200);
    await hub.request('get', `${CONFIGS}/${randomUUID()}/history`).expect(404);
    await hub.request('get', `${CONFIGS}/${String(id)}/history/diff?from=1`).expect(400);
  });

  it('keeps tokens too, and nothing of their text', async () => {
    const { body } = await hub
      .request('post', '/api/v1/tokens')
      .send({ name: 'kept', scopes: ['invoke'] })
      .expect(201);
    const { id, token } = body as { id: string; token: string };
    await hub.request('delete', `/api/v1/tokens/${id}`).expect(204);
    const list = (await hub.request('get', `${HISTORY}?subject_id=${id}`).expect(200)).body as HistoryList;
    expect(list.entries.map(({ action, kind }) => [kind, action])).toEqual([
      ['token', 'revoke'],
      ['token', 'create'],
    ]);
    expect(list.entries[0]?.changes).toEqual([{ field: 'revoked_at', from: null, to: expect.any(String) }]);
    expect(JSON.stringify(list)).not.toContain(token.slice(-20));
  });

  it('cannot be changed, not even by SQL', async () => {
    for (const statement of [
      `UPDATE change_history SET actor_id = 'nobody'`,
      'DELETE FROM change_history',
      'TRUNCATE change_history',
    ]) {
      await expect(hub.database.query(statement)).rejects.toThrow('append-only');
    }
    expect(await count()).toBeGreaterThan(0);
  });

  it('filters and pages everything, newest first', async () => {
    const get = async (query: string): Promise<HistoryList> =>
      (await hub.request('get', `${HISTORY}?${query}`).expect(200)).body as HistoryList;
    const all = await get('limit=1000');
    expect(all.total).toBe(await count());
    expect(all.entries.map(({ id }) => id)).toEqual(all.entries.map(({ id }) => id).toSorted((a, b) => b - a));
    const matching = (is: (entry: HistoryEntry) => boolean): number => all.entries.filter(is).length;
    const middle = all.entries[Math.floor(all.entries.length / 2)] as HistoryEntry;
    const since = Date.parse(middle.changed_at);
    for (const [query, is] of [
      ['kind=token', ({ kind }) => kind === 'token'],
      ['action=restore', ({ action }) => action === 'restore'],
      ['actor_id=admin&kind=config', ({ actor_id: actor, kind }) => actor === 'admin' && kind === 'config'],
      ['q=HISTORY-DEL', ({ subject_name: name }) => name.includes('history-del')],
      ['q=%25', () => false],
      [`from=${middle.changed_at}`, ({ changed_at: at }) => Date.parse(at) >= since],
      [`to=${middle.changed_at}`, ({ changed_at: at }) => Date.parse(at) < since],
    ] as [string, (entry: HistoryEntry) => boolean][]) {
      expect({ query, total: (await get(query)).total }).toEqual({ query, total: matching(is) });
    }
    const page = await get('skip=3&limit=2');
    expect(page).toMatchObject({ skip: 3, limit: 2, total: all.total });
    expect(page.entries.map(({ id }) => id)).toEqual(all.entries.slice(3, 5).map(({ id }) => id));
    for (const query of ['kind=nothing', 'from=yesterday', 'limit=1001', 'other=1', 'skip=-1']) {
      await hub.request('get', `${HISTORY}?${query}`).expect(400);
    }
  });

  it('shows each token what its scopes may read', async () => {
    const models = await hub.createToken('models:read');
    const { body } = await hub.request('get', `${HISTORY}?limit=1000`, models).expect(200);
    const kinds = new Set((body as HistoryList).entries.map(({ kind }) => kind));
    expect([...kinds]).toEqual(['config']);
    await hub.request('get', `${HISTORY}?kind=token`, models).expect(403);
    await hub.request('get', HISTORY, await hub.createToken('usage:read', 'invoke')).expect(403);
  });

  it('holds no secret, in any form', async () => {
    const key = `sk-canary-${randomUUID()}`;
    const header = `header-canary-${randomUUID()}`;
    const { id } = await saveModel(hub, {
      alias: 'history-canary',
      api_base: provider.url,
      api_key: key,
      auth_headers: { 'x-canary': header },
    });
    await change(id, { priority: 9 });
    await restore(id, 1).expect(200);
    await hub.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
    const scanner = new CanaryScanner([
      { name: 'key', text: key, allowed: [key.slice(-4), 'sk-canary-'] },
      { name: 'header', text: header, allowed: ['header-canary-'] },
    ]);
    const answers = (await hub.request('get', `${HISTORY}?limit=1000`).expect(200)).text;
    const rows = JSON.stringify(await hub.database.query('SELECT * FROM change_history'));
    expect(rows).toContain('history-canary');
    expect([...scanner.scan('answers', answers), ...scanner.scan('rows', rows)]).toEqual([]);
  });
});
