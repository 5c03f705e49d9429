import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, until } from './support/calls.js';
import { FIELD_CASES, REQUIRED_CASES, saveNamedPrompts } from './support/config-fields.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';

type Body = Record<string, unknown>;

const ALL_CASES = { ...REQUIRED_CASES, ...FIELD_CASES };
const FIELDS = Object.entries(FIELD_CASES).map(([field, known]) => ({ field, ...known }));
const WRITABLE = Object.entries(ALL_CASES).map(([field, known]) => ({ field, ...known }));
const pathOf = (config: Body): string => `${CONFIGS}/${String(config['id'])}`;

const keyRing = randomKeyRing();
let hub: TestHub;
beforeAll(async () => {
  hub = await startHub({ env: { ENCRYPTION_KEYS: keyRing } });
  await saveNamedPrompts(hub);
});
afterAll(() => hub.close());

const create = async (fields: Body = {}): Promise<Body> =>
  (await hub.request('post', CONFIGS).send(aModelConfig(fields)).expect(201)).body as Body;

const put = (config: Body, change: Body): ReturnType<TestHub['request']> =>
  hub.request('put', pathOf(config)).send(change);

const read = async (config: Body): Promise<Body> => (await hub.request('get', pathOf(config)).expect(200)).body as Body;

/** The two sealed columns as they lie in the database. */
const storedSecrets = async (config: Body): Promise<unknown> => {
  const rows = await hub.database.query('SELECT api_key, auth_headers FROM ai_model_configs WHERE id = $1', [
    config['id'],
  ]);
  return rows[0];
};

const fieldsOf = (answer: Response): unknown[] => {
  const { errors = [] } = answer.body as { errors?: { field: string }[] };
  return errors.map((problem) => problem.field);
};

describe('model configurations over REST', () => {
  it('saves a config, shows every field but the secrets, and finds it by id and by alias', async () => {
    const sent = aModelConfig({
      alias: 'team/fast:1',
      api_key: 'sk-abcdefgh12345678',
      auth_headers: { 'X-Org': 'secret-org' },
    });
    const answer = await hub.request('post', CONFIGS).send(sent).expect(201);
    const config = answer.body as Body;
    expect(answer.headers['location']).toBe(`${CONFIGS}/${String(config['id'])}`);
    expect(answer.headers['etag']).toBe('"1"');
    expect(config).toMatchObject({
      alias: 'team/fast:1',
      has_api_key: true,
      api_key_hint: '5678',
      auth_header_names: ['X-Org'],
      max_tokens: 4096,
      max_retries: 3,
      is_streaming_supported: true,
      display_name: null,
      fallback_aliases: [],
      tags: {},
      status: 'configured',
      version: 1,
      multimodal_capabilities: { supports_files: false, supported_file_types: null },
    });
    expect(config).not.toHaveProperty('api_key');
    expect(config).not.toHaveProperty('auth_headers');
    const byId = await hub.request('get', `${CONFIGS}/${String(config['id'])}`).expect(200);
    const byAlias = await hub.request('get', `${CONFIGS}/by-alias/team/fast:1`).expect(200);
    const byEncodedAlias = await hub
      .request('get', `${CONFIGS}/by-alias/${encodeURIComponent('team/fast:1')}`)
      .expect(200);
    expect(byId.body).toEqual(config);
    expect(byAlias.body).toEqual(config);
    expect(byEncodedAlias.body).toEqual(config);
  });

  it('gives a config of three fields its defaults, and shows what is not set as null', async () => {
    const sent = { alias: 'bare', provider: 'openai', model_name: 'gpt-4o-mini' };
    const config = (await hub.request('post', CONFIGS).send(sent).expect(201)).body as Body;
    const initial = Object.fromEntries(FIELDS.map(({ field, initial: value }) => [field, value]));
    expect(config).toEqual({
      ...sent,
      ...initial,
      id: expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      has_api_key: false,
      api_key_hint: null,
      auth_header_names: [],
      multimodal_capabilities: {
        supports_files: false,
        supports_images: false,
        supports_videos: false,
        supports_audio: false,
        supported_file_types: null,
        max_file_size_mb: null,
      },
      status: 'needs_api_key',
      usage_count: 0,
      error_count: 0,
      last_used_at: null,
      last_error: null,
      version: 1,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: config['created_at'],
    });
  });

  it('takes and returns every field at once, and keeps it', async () => {
    const values = Object.fromEntries(FIELDS.map(({ field, set }) => [field, set]));
    const config = await create({ ...values, is_enabled: true });
    expect(config).toMatchObject({ ...values, is_enabled: true });
    expect(config['multimodal_capabilities']).toEqual({
      supports_files: true,
      supports_images: true,
      supports_videos: true,
      supports_audio: true,
      supported_file_types: values['supported_file_types'],
      max_file_size_mb: values['max_file_size_mb'],
    });
    expect(await read(config)).toEqual(config);
  });
});

describe('each field of a PUT', () => {
  it('is in the table of this test', async () => {
    const { body } = await hub.request('get', '/docs/openapi.json').expect(200);
    const { schemas } = (body as { components: { schemas: Record<string, { properties: object }> } }).components;
    const documented = Object.keys(schemas['ModelConfigUpdate']?.properties ?? {});
    expect(documented.sort()).toEqual([...Object.keys(ALL_CASES), 'api_key', 'auth_headers'].sort());
  });

  it.each(WRITABLE)('$field: set, kept when absent', async ({ field, set, other }) => {
    const config = await create({ provider: 'openai', api_key: null });
    const changed = (await put(config, { [field]: set }).expect(200)).body as Body;
    expect(changed[field]).toEqual(set);
    expect(changed).toMatchObject({ version: 2, model_name: field === 'model_name' ? set : config['model_name'] });
    const kept = (await put(config, { custom_parameters: { touched: true } }).expect(200)).body as Body;
    if (field !== 'custom_parameters') expect(kept[field]).toEqual(set);
    expect(kept['version']).toBe(3);
    const again = (await put(config, { [field]: other }).expect(200)).body as Body;
    expect(again[field]).toEqual(other);
    expect(await read(config)).toEqual(again);
  });

  it.each(WRITABLE)('$field: null', async ({ field, set, nullable }) => {
    const config = await create({ provider: 'openai', api_key: null });
    await put(config, { [field]: set }).expect(200);
    const before = await read(config);
    const answer = await put(config, { [field]: null });
    if (nullable) {
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ [field]: null, version: 3 });
      expect(await read(config)).toEqual(answer.body);
    } else {
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'validation_failed' });
      expect(fieldsOf(answer)).toContain(field);
      expect(await read(config)).toEqual(before);
    }
  });

  it.each(WRITABLE)('$field: wrong values are refused by name, in PUT and in POST', async ({ field, bad }) => {
    const config = await create({ provider: 'openai', api_key: null });
    for (const value of bad) {
      for (const answer of [
        await put(config, { [field]: value }),
        await hub.request('post', CONFIGS).send(aModelConfig({ [field]: value })),
      ]) {
        expect({ value, status: answer.status, code: (answer.body as Body)['code'] }).toEqual({
          value,
          status: 400,
          code: expect.stringMatching(/^(?:validation_failed|api_base_not_allowed)$/),
        });
        expect(fieldsOf(answer)).toContain(field);
      }
    }
    expect(await read(config)).toEqual(config);
  });

  it.each(Object.keys(REQUIRED_CASES))('%s cannot be left out of a POST', async (field) => {
    const answer = await hub
      .request('post', CONFIGS)
      .send({ ...aModelConfig(), [field]: undefined })
      .expect(400);
    expect((answer.body as Body)['errors']).toEqual([{ field, message: `${field} must be sent` }]);
  });

  it('says once of each field that is missing that it must be sent', async () => {
    const { body } = await hub.request('post', CONFIGS).send({}).expect(400);
    const { errors, detail } = body as { errors: { field: string; message: string }[]; detail: string };
    const missing = Object.keys(REQUIRED_CASES).map((field) => ({ field, message: `${field} must be sent` }));
    expect(new Set(errors)).toEqual(new Set(missing));
    expect(errors).toHaveLength(missing.length);
    for (const { message } of missing) expect(detail.split('; ')).toContain(message);
    // Sent, but as nothing: that is another mistake.
    const empty = await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: null, model_name: '' }))
      .expect(400);
    expect(new Set(fieldsOf(empty))).toEqual(new Set(['alias', 'model_name']));
    expect(empty.text).not.toContain('must be sent');
  });

  it('api_key and auth_headers: absent keeps, null clears, a value replaces', async () => {
    const config = await create({ api_key: 'first-key-1111', auth_headers: { 'X-One': 'a', 'X-Two': 'b' } });
    const sealed = await storedSecrets(config);
    await put(config, { description: 'other' }).expect(200);
    expect(await storedSecrets(config)).toEqual(sealed);

    const replaced = await put(config, { api_key: 'the-second-key-2222', auth_headers: { 'X-Three': 'c' } }).expect(
      200,
    );
    expect(replaced.body).toMatchObject({ api_key_hint: '2222', auth_header_names: ['X-Three'], status: 'configured' });

    const cleared = await put(config, { api_key: null, auth_headers: null }).expect(200);
    expect(cleared.body).toMatchObject({
      has_api_key: false,
      api_key_hint: null,
      auth_header_names: [],
      status: 'needs_api_key',
    });
    expect(await storedSecrets(config)).toEqual({ api_key: null, auth_headers: null });
  });

  it('shows at most a quarter of a key as its hint', async () => {
    expect(await create({ api_key: 'abcdefgh' })).toMatchObject({ api_key_hint: 'gh' });
    expect(await create({ api_key: 'abcdefghijklmnop' })).toMatchObject({ api_key_hint: 'mnop' });
    expect(await create({ api_key: 'x'.repeat(508) + 'tail' })).toMatchObject({ api_key_hint: 'tail' });
  });

  it.each([
    ['api_key', ['', 'short', 'with space 123', 'ключ-ключ-ключ', 'k'.repeat(513), 7, [], {}]],
    ['auth_headers', ['X-A: b', [], {}, { Host: 'a' }, { 'X-A': 7 }, { 'X-A': 'a\nb' }, { 'X-Forwarded-For': 'a' }]],
  ])('%s: wrong values are refused by name', async (field, values) => {
    const config = await create();
    for (const value of values) {
      const answer = await put(config, { [field]: value });
      expect({ value, status: answer.status, fields: fieldsOf(answer) }).toEqual({
        value,
        status: 400,
        fields: expect.arrayContaining([field]),
      });
    }
    expect(await read(config)).toEqual(config);
  });

  it('counts characters as the database does', async () => {
    // An emoji with its presentation selector is two characters to PostgreSQL.
    const heart = '❤\u{FE0F}';
    const config = await create({ display_name: heart.repeat(100) });
    expect(config['display_name']).toBe(heart.repeat(100));
    const answer = await put(config, { display_name: heart.repeat(101) }).expect(400);
    expect(fieldsOf(answer)).toEqual(['display_name']);
    await put(config, { display_name: '🚀'.repeat(200) }).expect(200);
  });

  it('refuses fields that nobody can write, and fields that nobody knows, by name', async () => {
    const config = await create();
    for (const field of ['id', 'status', 'version', 'usage_count', 'has_api_key', 'created_at', 'modelName', 'nope']) {
      const answers = [
        await put(config, { [field]: config[field] ?? 'x' }).expect(400),
        await hub
          .request('post', CONFIGS)
          .send(aModelConfig({ [field]: 'x' }))
          .expect(400),
      ];
      for (const answer of answers) {
        expect(answer.body).toMatchObject({
          code: 'validation_failed',
          errors: [{ field, message: `${field} is not known here` }],
        });
      }
    }
    expect(await read(config)).toEqual(config);
  });

  it('names every field that is wrong at once', async () => {
    const answer = await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: '', max_tokens: 'many', nope: 1 }))
      .expect(400);
    expect(new Set(fieldsOf(answer))).toEqual(new Set(['alias', 'max_tokens', 'nope']));
  });

  it('refuses its own alias as a fallback', async () => {
    const config = await create({ alias: 'lonely' });
    expect(fieldsOf(await put(config, { fallback_aliases: ['lonely'] }).expect(400))).toEqual(['fallback_aliases']);
    await put(config, { fallback_aliases: ['companion'] }).expect(200);
    expect(fieldsOf(await put(config, { alias: 'companion' }).expect(400))).toEqual(['fallback_aliases']);
  });
});

describe('version and ETag', () => {
  it('a PUT that changes nothing keeps version, ETag and time', async () => {
    const config = await create({
      tags: { team: 'a', a: 'b' },
      custom_parameters: { long_name: 1, z: { yy: 1, x: 2 } },
    });
    const { id: _id, alias, tags, custom_parameters, priority } = config;
    const changes: Body[] = [
      {},
      { alias, priority },
      { tags: { team: 'a', a: 'b' } },
      { tags: { a: 'b', team: 'a' } },
      { custom_parameters: { long_name: 1, z: { yy: 1, x: 2 } } },
      { tags, custom_parameters, description: null, max_tokens: 4096 },
    ];
    for (const change of changes) {
      const answer = await put(config, change).expect(200);
      expect(answer.headers['etag']).toBe('"1"');
      expect(answer.body).toEqual(config);
    }
    const empty = await hub.request('put', pathOf(config)).expect(200);
    expect(empty.body).toEqual(config);
    // The order of a list is part of its value.
    await put(config, { fallback_aliases: ['a', 'b'] }).expect(200);
    expect((await put(config, { fallback_aliases: ['b', 'a'] }).expect(200)).body).toMatchObject({ version: 3 });
  });

  it('each change counts the version up and moves updated_at alone', async () => {
    const config = await create();
    const answer = await put(config, { priority: 7 }).expect(200);
    const changed = answer.body as Body;
    expect(answer.headers['etag']).toBe('"2"');
    expect(changed).toEqual({ ...config, priority: 7, version: 2, updated_at: changed['updated_at'] });
    expect(Date.parse(String(changed['updated_at']))).toBeGreaterThan(Date.parse(String(config['updated_at'])));
  });

  it.each(['put', 'delete'] as const)(
    '%s with a stale If-Match is 412, tells the current ETag, changes nothing',
    async (method) => {
      const config = await create();
      await put(config, { priority: 1 }).expect(200);
      const before = await read(config);
      for (const stale of ['"1"', '"3"', 'W/"2"', '"1", "3"', '"1",W/"2"', '""']) {
        const answer = await hub.request(method, pathOf(config)).set('if-match', stale).send({ priority: 9 });
        expect({ stale, status: answer.status, etag: answer.headers['etag'] }).toEqual({
          stale,
          status: 412,
          etag: '"2"',
        });
        expect(answer.body).toMatchObject({ code: 'precondition_failed', status: 412 });
      }
      expect(await read(config)).toEqual(before);
    },
  );

  it.each(['1', 'abc', '"1', '1"', '"1" "2"', '"1",', 'w/"1"', '*, "1"'])(
    'If-Match %s is malformed: 400',
    async (header) => {
      const config = await create();
      for (const method of ['put', 'delete'] as const) {
        const answer = await hub
          .request(method, pathOf(config))
          .set('if-match', header)
          .send({ priority: 9 })
          .expect(400);
        expect(fieldsOf(answer)).toEqual(['If-Match']);
      }
      expect(await read(config)).toEqual(config);
    },
  );

  it.each(['"1"', '"7", "1"', ' "1" ', '*'])('If-Match %s lets a PUT and a DELETE through', async (header) => {
    const changed = await create();
    await hub.request('put', pathOf(changed)).set('if-match', header).send({ priority: 9 }).expect(200);
    const removed = await create();
    await hub.request('delete', pathOf(removed)).set('if-match', header).expect(204);
    await hub.request('get', pathOf(removed)).expect(404);
  });

  it('If-Match on a config that is not there is 404, not 412', async () => {
    const gone = { id: randomUUID() };
    await hub.request('put', pathOf(gone)).set('if-match', '"1"').send({ priority: 1 }).expect(404);
    await hub.request('delete', pathOf(gone)).set('if-match', '*').expect(404);
  });

  it('If-None-Match gives 304 while the caller is up to date, by id and by alias', async () => {
    const config = await create();
    for (const path of [pathOf(config), `${CONFIGS}/by-alias/${String(config['alias'])}`]) {
      for (const known of ['"1"', 'W/"1"', '"9", "1"', '*']) {
        const answer = await hub.request('get', path).set('if-none-match', known).expect(304);
        expect(answer.headers['etag']).toBe('"1"');
        expect(answer.text).toBe('');
      }
      for (const old of ['"2"', '"9"', '1', 'W/"11"']) {
        const answer = await hub.request('get', path).set('if-none-match', old).expect(200);
        expect(answer.body).toEqual(config);
      }
    }
  });
});

describe('DELETE', () => {
  it('removes a config once, and its alias is free again', async () => {
    const config = await create({ alias: 'short-lived' });
    const answer = await hub.request('delete', pathOf(config)).expect(204);
    expect(answer.text).toBe('');
    for (const method of ['get', 'put', 'delete'] as const) {
      const missing = await hub.request(method, pathOf(config)).expect(404);
      expect(missing.body).toMatchObject({ code: 'config_not_found' });
    }
    await hub.request('get', `${CONFIGS}/by-alias/short-lived`).expect(404);
    expect((await create({ alias: 'short-lived' }))['id']).not.toBe(config['id']);
  });

  it('refuses an id that is no UUID', async () => {
    for (const id of ['7', 'not-a-uuid', `${randomUUID()}0`]) {
      const answer = await hub.request('delete', `${CONFIGS}/${id}`).expect(400);
      expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'id' }] });
    }
  });
});

describe('aliases', () => {
  it('belong to one config: 409 on create and on rename, naming the field', async () => {
    const first = await create({ alias: 'wanted' });
    const second = await create({ alias: 'other' });
    const created = await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: 'wanted' }))
      .expect(409);
    const renamed = await put(second, { alias: 'wanted', priority: 5 }).expect(409);
    for (const answer of [created, renamed]) {
      expect(answer.body).toMatchObject({ code: 'alias_taken', status: 409, errors: [{ field: 'alias' }] });
    }
    expect(await read(first)).toEqual(first);
    expect(await read(second)).toEqual(second);
  });

  it('differ by case, and can be taken over after a rename', async () => {
    const config = await create({ alias: 'Case' });
    await create({ alias: 'case' });
    await put(config, { alias: 'moved' }).expect(200);
    await create({ alias: 'Case' });
    await hub.request('get', `${CONFIGS}/by-alias/moved`).expect(200);
  });
});

describe('masked keys', () => {
  it.each(['***', '********', 'sk-…abcd', '••••', '••••••••', 'sk-...abcd', 'sk-***abcd', 'xxxxxxxx', 'XXXXXXXXXXXX'])(
    '%s is refused as a key and inside auth_headers, and the stored ones stay',
    async (mask) => {
      const config = await create({ auth_headers: { 'X-Key': 'real-header' } });
      const sealed = await storedSecrets(config);
      const changes = [
        { field: 'api_key', change: { api_key: mask } },
        { field: 'auth_headers', change: { auth_headers: { 'X-Other': 'fine', 'X-Key': mask } } },
      ];
      for (const { field, change } of changes) {
        const answers = [await put(config, change), await hub.request('post', CONFIGS).send(aModelConfig(change))];
        for (const answer of answers) {
          expect(answer.status).toBe(422);
          expect(answer.body).toMatchObject({ code: 'masked_api_key', status: 422 });
          expect(fieldsOf(answer)).toContain(field);
        }
      }
      expect(await storedSecrets(config)).toEqual(sealed);
      expect(await read(config)).toEqual(config);
    },
  );

  it('keys that only look a little like a mask are taken', async () => {
    for (const api_key of ['sk-a*b*c*d*e', 'sk-proj.abc..def.ghi', 'box-xxxxxxxx', 'sk-...0123456789']) {
      await create({ api_key });
    }
  });
});

describe('a stored secret stays with its destination', () => {
  const OTHER_ORIGIN = 'http://127.0.0.1:18081/v1';
  const moves: [string, Body][] = [
    ['another provider', { provider: 'local' }],
    ['another port', { api_base: OTHER_ORIGIN }],
    ['another host', { api_base: 'http://localhost:18080/v1' }],
    ['another scheme', { api_base: 'https://127.0.0.1:18080/v1' }],
    ['the default address', { provider: 'openai', api_base: null }],
  ];
  const withSecrets = (fields: Body = {}): Promise<Body> => create({ auth_headers: { 'X-Org': 'one' }, ...fields });

  it('is true for every move', async () => {
    // The last but one goes to an address that only another entry of ALLOWED_PRIVATE_ORIGINS would allow.
    const open = await startHub({
      env: { ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*,http://localhost:*,https://127.0.0.1:*' },
    });
    try {
      for (const [name, move] of moves) {
        const sent = aModelConfig({ auth_headers: { 'X-Org': 'one' } });
        const config = (await open.request('post', CONFIGS).send(sent).expect(201)).body as Body;
        const answer = await open.request('put', pathOf(config)).send(move);
        expect({ name, status: answer.status, fields: fieldsOf(answer) }).toEqual({
          name,
          status: 422,
          fields: ['api_key', 'auth_headers'],
        });
        expect(answer.body).toMatchObject({ code: 'credential_required' });
        expect((await open.request('get', pathOf(config)).expect(200)).body).toEqual(config);
      }
    } finally {
      await open.close();
    }
  });

  it('names only the secrets that are stored and were not sent', async () => {
    const both = await withSecrets();
    expect(fieldsOf(await put(both, { provider: 'local', api_key: 'a-new-key-1' }).expect(422))).toEqual([
      'auth_headers',
    ]);
    expect(fieldsOf(await put(both, { provider: 'local', auth_headers: null }).expect(422))).toEqual(['api_key']);
    const keyOnly = await create();
    expect(fieldsOf(await put(keyOnly, { provider: 'local' }).expect(422))).toEqual(['api_key']);
  });

  it('lets a move through when the secrets are sent again, or cleared, or were never there', async () => {
    const resent = await put(await withSecrets(), {
      api_base: OTHER_ORIGIN,
      api_key: 'a-new-key-1',
      auth_headers: { 'X-Org': 'two' },
    }).expect(200);
    expect(resent.body).toMatchObject({ api_base: OTHER_ORIGIN, has_api_key: true, auth_header_names: ['X-Org'] });
    const cleared = await put(await withSecrets(), { provider: 'local', api_key: null, auth_headers: null }).expect(
      200,
    );
    expect(cleared.body).toMatchObject({ provider: 'local', has_api_key: false, auth_header_names: [] });
    await put(await create({ api_key: null }), { provider: 'local', api_base: OTHER_ORIGIN }).expect(200);
  });

  it('lets another path, another spelling and other fields through', async () => {
    const config = await withSecrets();
    const sealed = await storedSecrets(config);
    for (const api_base of ['http://127.0.0.1:18080/v2/deep', 'HTTP://127.0.0.1:18080/v1', 'http://127.0.0.1:18080']) {
      await put(config, { api_base, provider: 'openai_compatible', model_name: 'other' }).expect(200);
    }
    expect(await storedSecrets(config)).toEqual(sealed);
    expect(await read(config)).toMatchObject({ status: 'configured', has_api_key: true });
  });
});

describe('api_base', () => {
  it.each(['azure_openai', 'openai_compatible'])(
    'is required by %s, on create and when it is cleared',
    async (provider) => {
      const answer = await hub
        .request('post', CONFIGS)
        .send(aModelConfig({ provider, api_base: undefined }))
        .expect(422);
      expect(answer.body).toMatchObject({ code: 'api_base_required', errors: [{ field: 'api_base' }] });
      const config = await create({ provider });
      await put(config, { api_base: null, api_key: null }).expect(422);
      const without = await create({ provider: 'openai', api_base: undefined });
      expect((await put(without, { provider, api_key: null }).expect(422)).body).toMatchObject({
        code: 'api_base_required',
      });
    },
  );

  it.each(['openai', 'gemini', 'claude', 'local', 'huggingface'])('%s has a default', async (provider) => {
    expect(await create({ provider, api_base: undefined })).toMatchObject({ provider, api_base: null });
  });

  it.each([
    'http://10.0.0.1/v1',
    'https://10.0.0.1/v1',
    'https://192.168.1.1/v1',
    'https://172.16.0.1/v1',
    'https://100.64.0.1/v1',
    'https://127.0.0.1/v1',
    'http://[::1]:11434/v1',
    'https://[fd00::1]/v1',
    'https://[::ffff:10.0.0.1]/v1',
    'https://0x0a000001/v1',
    'https://internal-host/v1',
    'https://db.internal/v1',
    'http://169.254.169.254/latest',
    'https://169.254.1.1/v1',
    'https://[fe80::1]/v1',
    'https://metadata.google.internal/v1',
    'https://user:password@api.example.com/v1',
    'http://user@127.0.0.1:18080/v1',
    'http://api.openai.com/v1',
    'ftp://api.openai.com/v1',
    'file:///etc/passwd',
    'https://api.openai.com:22/v1',
    'https://api.openai.com/v1?key=1',
    'https://api.openai.com/v1#x',
    'https://api.openai.com\\@127.0.0.1/',
    'https:/api.openai.com/v1',
    'api.openai.com/v1',
    'https:///v1',
    'not an address',
  ])('%s is not allowed', async (api_base) => {
    const config = await create({ provider: 'openai', api_key: null });
    const answers = [
      await put(config, { api_base }),
      await hub.request('post', CONFIGS).send(aModelConfig({ api_base })),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'api_base_not_allowed', errors: [{ field: 'api_base' }] });
      // What is refused may hold credentials: it is not repeated.
      expect(answer.text).not.toContain(api_base);
    }
    expect(await read(config)).toEqual(config);
  });

  it.each([
    'https://api.openai.com/v1',
    'https://93.184.215.14/v1',
    'http://localhost:11434/v1',
    'http://127.0.0.1:65535/',
  ])('%s is allowed', async (api_base) => {
    expect(await create({ api_base })).toMatchObject({ api_base });
  });
});

describe('status', () => {
  it('follows from key, is_local and is_enabled, and from nothing else', async () => {
    const config = await create({ provider: 'openai', api_key: undefined });
    const steps: [Body, string][] = [
      [{}, 'needs_api_key'],
      [{ auth_headers: { authorization: 'Bearer something' } }, 'needs_api_key'],
      [{ api_key: 'a-real-key-1' }, 'configured'],
      [{ is_enabled: false }, 'disabled'],
      [{ api_key: null }, 'disabled'],
      [{ is_enabled: true }, 'needs_api_key'],
      [{ is_local: true }, 'configured'],
      [{ is_enabled: false }, 'disabled'],
      [{ is_enabled: true, is_local: false, api_key: 'a-real-key-2' }, 'configured'],
    ];
    for (const [change, status] of steps) {
      const answer = await put(config, change).expect(200);
      expect({ change, status: (answer.body as Body)['status'] }).toEqual({ change, status });
    }
  });
});

describe('an api_base that is not allowed any more', () => {
  let provider: FakeProvider;
  let stricter: TestHub;
  let config: Body;
  let path: string;
  beforeAll(async () => {
    provider = await startFakeProvider();
    config = await create({ api_base: provider.url, api_key: 'a-key-to-keep-1234' });
    path = pathOf(config);
    // The same database and keys, and an operator who takes the permission back.
    stricter = await startHub({
      database: hub.database,
      env: { ENCRYPTION_KEYS: keyRing, ADMIN_TOKEN: hub.adminToken, ALLOWED_PRIVATE_ORIGINS: 'none' },
    });
  });
  afterAll(async () => {
    await stricter.stop();
    await provider.close();
  });

  it('does not keep its config from being read, renamed, changed and disabled', async () => {
    expect((await stricter.request('get', path).expect(200)).body).toEqual(config);
    const steps: Body[] = [
      { is_enabled: false },
      { is_enabled: true },
      { alias: 'renamed-while-blocked' },
      { priority: 7, api_base: provider.url },
      { api_key: 'another-key-5678' },
    ];
    for (const change of steps) {
      const { api_key: _key, ...shown } = change;
      const answer = await stricter.request('put', path).send(change);
      expect({ change, status: answer.status, body: answer.body as Body }).toMatchObject({
        change,
        status: 200,
        body: { ...shown, api_base: provider.url },
      });
    }
    const byAlias = await stricter.request('get', `${CONFIGS}/by-alias/renamed-while-blocked`).expect(200);
    expect(byAlias.body).toMatchObject({ id: config['id'], version: 6, priority: 7, api_key_hint: '5678' });
  });

  it('is not called, and not chosen for another one', async () => {
    const before = await read(config);
    const body = aChat(before['alias']);
    for (const stream of [false, true]) {
      const blocked = await call(stricter, { ...body, stream });
      expect(blocked).toMatchObject({ status: 502, error: { code: 'destination_blocked' } });
    }
    expect(provider.calls).toEqual([]);
    // It is the address, not the config: where it is allowed the call goes through.
    await until(
      () => call(hub, body),
      ({ status }) => status === 200,
    );
    const reached = provider.calls.length;
    expect(reached).toBe(1);
    for (const apiBase of ['http://127.0.0.1:1/v1', `${provider.url}/other`, 'http://10.0.0.1/v1', 'http://[::1]/v1']) {
      const answer = await stricter
        .request('put', path)
        .send({ api_base: apiBase, api_key: 'a-new-key-1234', auth_headers: null });
      expect({ apiBase, status: answer.status, code: (answer.body as Body)['code'] }).toEqual({
        apiBase,
        status: 400,
        code: 'api_base_not_allowed',
      });
      expect(fieldsOf(answer)).toEqual(['api_base']);
    }
    const refused = await stricter.request('post', CONFIGS).send(aModelConfig({ api_base: provider.url }));
    expect(refused).toMatchObject({ status: 400, body: { code: 'api_base_not_allowed' } });
    expect((await read(config))['api_base']).toBe(provider.url);
  });
});

describe('errors', () => {
  it('are problem+json with everything RFC 9457 and product.md ask for', async () => {
    const answer = await hub
      .request('post', `${CONFIGS}?draft=1`)
      .set('x-request-id', 'my.request_id-1')
      .send(aModelConfig({ alias: 'not good' }))
      .expect(400);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-request-id']).toBe('my.request_id-1');
    expect(answer.body).toEqual({
      type: expect.stringMatching(/validation_failed$/),
      title: expect.any(String),
      status: 400,
      detail: expect.stringContaining('alias'),
      instance: CONFIGS,
      code: 'validation_failed',
      request_id: 'my.request_id-1',
      errors: [{ field: 'alias', message: expect.stringContaining('alias') }],
    });
  });

  it('carry errors only where fields are meant', async () => {
    const { body } = await hub.request('get', pathOf({ id: randomUUID() })).expect(404);
    expect(Object.keys(body as Body).sort()).toEqual([
      'code',
      'detail',
      'instance',
      'request_id',
      'status',
      'title',
      'type',
    ]);
  });

  it.each(['', 'with space', 'a'.repeat(65), 'new\tline', 'ä', '"quoted"', 'a/b', 'a,b'])(
    'a request id that is not well-formed (%j) is replaced',
    async (sent) => {
      const answer = await hub
        .request('get', `${CONFIGS}/nope`)
        .set('x-request-id', Buffer.from(sent).toString('latin1'));
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.body).toMatchObject({ request_id: answer.headers['x-request-id'] });
    },
  );

  it('every answer carries a request id of its own', async () => {
    const [first, second] = await Promise.all([hub.request('get', CONFIGS), hub.request('get', CONFIGS)]);
    expect(first?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.headers['x-request-id']).not.toBe(first?.headers['x-request-id']);
  });

  it.each([
    ['{"alias": ', 400, 'malformed_json'],
    ['', 400, 'validation_failed'],
    ['[]', 400, 'malformed_request'],
    ['"text"', 400, 'malformed_request'],
    ['{"alias":"a\\u0000b"}', 400, 'malformed_request'],
    ['{"tags":{"__proto__":{"x":1}}}', 400, 'malformed_request'],
    [`{"description":"${'x'.repeat(1_048_576)}"}`, 413, 'body_too_large'],
  ])('body %#: %d %s', async (body, status, code) => {
    const answer = await hub.request('post', CONFIGS).set('content-type', 'application/json').send(body);
    expect({ status: answer.status, code: (answer.body as Body)['code'] }).toEqual({ status, code });
  });
});
