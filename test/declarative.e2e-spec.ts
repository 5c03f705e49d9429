// The whole configuration as a document: written, read back, planned, applied, refused.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ImportPlan } from '../src/contract/declarative.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, until } from './support/calls.js';
import { FIELD_CASES } from './support/config-fields.js';
import {
  actionsOf,
  aDocument,
  applied,
  EXPORT,
  exportDocument,
  exportText,
  planOf,
  PROMPTS,
  revisionOf,
  sendImport,
} from './support/declarative.js';
import { anEditedDocument } from './support/edited-documents.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

type Fields = Record<string, unknown>;

const RULES = '/api/v1/alerts/rules';
/** Alert rules that are there from the beginning, and are not changed by `fill`. */
const UNTOUCHED_RULES = 7;
const PASSPHRASE = 'a passphrase with spaces, 你好';
const SECRETS = { key: 'sk-the-key-of-fast-0123456789', header: 'value-of-the-header-98765' };

const create = async (hub: TestHub, fields: Fields): Promise<string> =>
  ((await hub.request('post', CONFIGS).send(aModelConfig(fields)).expect(201)).body as { id: string }).id;

const createPrompt = async (hub: TestHub, fields: Fields): Promise<string> =>
  ((await hub.request('post', PROMPTS).send(fields).expect(201)).body as { id: string }).id;

const everyField = Object.fromEntries(Object.entries(FIELD_CASES).map(([field, { set }]) => [field, set]));

/** So deep that it just fits into the body of a single model. */
const DEEP: unknown = JSON.parse(`${'['.repeat(61)}1${']'.repeat(61)}`);

/** One of its own, and one of those that are there from the beginning. */
const fillRules = async (hub: TestHub): Promise<void> => {
  const rule = { name: 'own', kind: 'spend', scope: 'tag', scope_value: 'team:b', threshold: 0.1, language: 'zh-CN' };
  await hub.request('post', RULES).send(rule).expect(201);
  const { body } = await hub.request('get', RULES).query({ q: 'error-rate' }).expect(200);
  const [first] = (body as { rules: { id: string }[] }).rules;
  await hub.request('put', `${RULES}/${first?.id}`).send({ threshold: 35, severity: 'warning' }).expect(200);
};

/** A hub with something of everything in it. */
const fill = async (hub: TestHub, apiBase: string): Promise<void> => {
  const support = await createPrompt(hub, {
    name: 'support-v2',
    display_name: '客服',
    description: 'for all',
    tags: { team: 'b', area: 'a' },
    prompt_content: 'Hello {{name}},\n  you are in {{place}}.\n',
    variables: [
      { name: 'name', type: 'string', default: 'friend' },
      { name: 'place', type: 'enum', options: ['x', 'y'], default: 'x' },
    ],
    example_variables: { place: 'y', name: 'Ann' },
    message: 'first',
    labels: { production: 1, stable: 1 },
  });
  const version = (body: Fields): PromiseLike<unknown> =>
    hub.request('post', `${PROMPTS}/${support}/versions`).send(body).expect(201);
  await version({
    prompt_content: 'Second\r\nwith\ttabs\u2028and more',
    variables: [],
    example_variables: {},
    message: 'two',
  });
  await version({
    prompt_content: 'Hello {{name}},\n  you are in {{place}}.\n',
    variables: [
      { name: 'name', type: 'text' },
      { name: 'place', type: 'text' },
    ],
    message: '',
  });
  await hub.request('put', `${PROMPTS}/${support}/labels/production`).send({ version: 2 }).expect(200);
  const old = await createPrompt(hub, { name: 'old', prompt_content: '{ plain', syntax: 'plain', priority: -3 });
  await hub.request('delete', `${PROMPTS}/${old}`).expect(204);
  await create(hub, {
    alias: 'fast',
    api_base: apiBase,
    api_key: SECRETS.key,
    auth_headers: { 'X-Canary': SECRETS.header },
  });
  await create(hub, {
    alias: 'every/field:1.0',
    api_key: 'key-for-EVERY_FIELD_1_0_API_KEY',
    ...everyField,
    api_base: apiBase,
    system_prompt_name: 'support-v2',
    system_prompt_label: 'production',
  });
  await create(hub, { alias: 'no-key', provider: 'openai', api_base: null, api_key: null });
  await create(hub, {
    alias: 'odd',
    api_key: 'key-for-ODD_API_KEY',
    description: ' # a comment?\n- or: "a list"\n\n\n',
    display_name: 'yes',
    tags: { '<<': '~', on: 'null', '1': '0x1' },
    custom_parameters: { z: [1.5, null, { b: 1, a: 2 }], a: '__', deep: DEEP, ключ: true },
  });
  await fillRules(hub);
};

/** What the documents of `fill` refer to. */
const variablesOf = async (hub: TestHub): Promise<Record<string, string>> => {
  const names = JSON.stringify(await exportDocument(hub)).matchAll(/\{"from_env":"([A-Z0-9_]+)"\}/g);
  return Object.fromEntries(
    [...names].map(([, name = '']) => [
      name,
      name.endsWith('_HEADERS')
        ? JSON.stringify({ 'X-Canary': SECRETS.header })
        : name === 'FAST_API_KEY'
          ? SECRETS.key
          : `key-for-${name}`,
    ]),
  );
};

const answersWith = async (hub: TestHub, provider: FakeProvider, alias: string): Promise<Fields> => {
  await until(
    () => call(hub, aChat(alias)),
    ({ status }) => status === 200,
    5000,
  );
  return provider.calls.at(-1)?.headers as Fields;
};

describe('export, wipe, import', () => {
  let source: TestHub;
  let target: TestHub;
  let provider: FakeProvider;

  beforeAll(async () => {
    provider = await startFakeProvider();
    source = await startHub();
    await fill(source, provider.url);
  });
  beforeEach(async () => {
    target = await startHub();
  });
  afterEach(() => target.close());
  afterAll(async () => {
    await source.close();
    await provider.close();
  });

  it('is the same text each time, in both formats, without ids, times and secrets', async () => {
    for (const format of ['yaml', 'json'] as const) {
      const text = await exportText(source, format);
      expect(await exportText(source, format)).toBe(text);
      for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/created_at|updated_at|usage_count|"id"|\bid:/);
    }
    expect(await exportText(source)).toMatch(
      /^version: 1\nkind: ai-model-hub\nmodels:\n- alias: every\/field:1\.0\n {2}provider: /,
    );
    const { models } = await exportDocument(source);
    expect(models?.map(({ alias }) => alias)).toEqual(['every/field:1.0', 'fast', 'no-key', 'odd']);
    expect(models?.[1]).toMatchObject({
      api_key: { from_env: 'FAST_API_KEY' },
      auth_headers: { from_env: 'FAST_AUTH_HEADERS' },
    });
    expect(models?.[2]).toMatchObject({ api_key: null, auth_headers: null, description: null });
  });

  it.each(['yaml', 'json'] as const)(
    'with the values of its variables: the same bytes, and the keys work (%s)',
    async (format) => {
      const text = await exportText(source, format);
      const plan = await applied(target, { document: text, env: await variablesOf(source) });
      expect(plan.summary).toEqual({ create: 7, change: 1, delete: 0, unchanged: UNTOUCHED_RULES });
      expect(plan.missing_secrets).toEqual([]);
      expect(await exportText(target, 'yaml')).toBe(await exportText(source, 'yaml'));
      expect(await exportText(target, 'json')).toBe(await exportText(source, 'json'));
      expect(await answersWith(target, provider, 'fast')).toMatchObject({
        authorization: `Bearer ${SECRETS.key}`,
        'x-canary': SECRETS.header,
      });
    },
  );

  it('with secrets sealed to a passphrase: the same bytes, and the keys work', async () => {
    const sealed = await source.request('post', EXPORT).send({ passphrase: PASSPHRASE, format: 'json' }).expect(200);
    for (const secret of Object.values(SECRETS)) expect(sealed.text).not.toContain(secret);
    expect(sealed.body).toMatchObject({ sealing: { kdf: 'scrypt', n: 2 ** 17, r: 8, p: 1, not_sealed: [] } });
    const plan = await applied(target, { document: sealed.body as object, passphrase: PASSPHRASE });
    expect(plan.summary.create).toBe(7);
    expect(await exportText(target)).toBe(await exportText(source));
    expect(await answersWith(target, provider, 'fast')).toMatchObject({
      authorization: `Bearer ${SECRETS.key}`,
      'x-canary': SECRETS.header,
    });
  });

  it('into itself: nothing to do, also with the secrets sent once more', async () => {
    const revision = await revisionOf(source);
    for (const body of [
      await exportText(source),
      { document: await exportDocument(source), env: await variablesOf(source) },
    ]) {
      for (const prune of [false, true]) {
        const plan = await applied(source, body, { prune });
        expect(plan.summary).toEqual({ create: 0, change: 0, delete: 0, unchanged: 8 + UNTOUCHED_RULES });
      }
    }
    expect(await revisionOf(source)).toBe(revision);
  });

  it('after a wipe: everything is there again, and the rest is gone', async () => {
    const text = await exportText(source);
    const env = await variablesOf(source);
    await applied(target, { document: text, env });
    await applied(target, aDocument({ models: [], prompts: [], alert_rules: [] }), { prune: true });
    expect(await exportDocument(target, { sections: 'models' })).toEqual(aDocument({ models: [] }));
    expect((await exportDocument(target)).prompts?.every((prompt) => prompt['is_active'] === false)).toBe(true);
    expect((await exportDocument(target)).alert_rules).toEqual([]);
    await create(target, { alias: 'stranger' });
    const plan = await applied(target, { document: text, env }, { prune: true });
    expect(actionsOf(plan)).toContain('delete model stranger');
    expect(await exportText(target)).toBe(text);
  });
});

describe('a plan and what is then done', () => {
  let hub: TestHub;

  beforeEach(async () => {
    hub = await startHub();
  });
  afterEach(() => hub.close());

  const stateOf = async (): Promise<{ text: string; revision: string | undefined; history: string | undefined }> => ({
    text: await exportText(hub),
    revision: await revisionOf(hub),
    history: (await hub.database.query<{ count: string }>('SELECT count(*) FROM change_history'))[0]?.count,
  });

  it('tells each field, from what to what, as the history then does', async () => {
    const id = await create(hub, { alias: 'fast', priority: 1, tags: { a: 'b' }, api_key: 'sk-one-0123456789' });
    const document = aDocument({
      models: [
        { alias: 'fast', priority: 5, description: 'new', tags: null, api_key: 'sk-two-0123456789' },
        { ...aModelConfig({ alias: 'added' }), api_key: null },
      ],
    });
    // `null` clears what can be cleared; tags cannot be null, as in a PUT.
    await sendImport(hub, document).expect(400, /tags/);
    Object.assign(document.models?.[0] ?? {}, { tags: {} });
    const plan = await planOf(hub, document);
    expect(plan).toMatchObject({ dry_run: true, format: 'hub', revision: null, report: [], missing_secrets: [] });
    expect(plan.items.map(({ name, action }) => [name, action])).toEqual([
      ['added', 'create'],
      ['fast', 'change'],
    ]);
    const changes = plan.items[1]?.changes ?? [];
    expect(changes.map(({ field }) => field)).toEqual(['api_key', 'description', 'priority', 'tags']);
    expect(changes[2]).toEqual({ field: 'priority', from: 1, to: 5 });
    expect(JSON.stringify(plan)).not.toMatch(/sk-one|sk-two/);
    const done = await applied(hub, document);
    expect(done.items).toEqual(plan.items);
    expect(String(done.revision)).toBe(await revisionOf(hub));
    const history = await hub.request('get', `${CONFIGS}/${id}/history`).expect(200);
    expect((history.body as { entries: { changes: unknown }[] }).entries[0]?.changes).toEqual(changes);
  });

  it('are the same for whatever is edited, and the plan changes nothing', async () => {
    const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stdout.write(`plan: run again with FUZZ_SEED=${SEED}\n`);
    const documents = fc.sample(anEditedDocument(), { numRuns: 40, seed: SEED });
    for (const [index, document] of documents.entries()) {
      const query = { prune: index % 3 === 0, on_missing_secret: 'skip' };
      const before = await stateOf();
      const answer = await sendImport(hub, document, { ...query, dry_run: true });
      expect(await stateOf()).toEqual(before);
      const real = await sendImport(hub, document, query);
      expect({ document, status: real.status }).toEqual({ document, status: answer.status });
      if (answer.status !== 200) {
        expect((real.body as Fields)['errors']).toEqual((answer.body as Fields)['errors']);
        expect(await stateOf()).toEqual(before);
        continue;
      }
      const [planned, done] = [answer.body as ImportPlan, real.body as ImportPlan];
      expect(done).toEqual({ ...planned, dry_run: false, revision: expect.any(Number) });
      const { create: created, change, delete: removed } = planned.summary;
      expect((await revisionOf(hub)) === before.revision).toBe(created + change + removed === 0);
      const again = await planOf(hub, document, query);
      expect({ document, left: again.items.filter(({ action }) => action !== 'unchanged') }).toEqual({
        document,
        left: [],
      });
    }
  });

  it('a plan that was looked at is applied, or nothing', async () => {
    const id = await create(hub, { alias: 'fast', priority: 1 });
    const document = aDocument({ models: [{ alias: 'fast', priority: 2 }] });
    const { plan_digest: plan } = await planOf(hub, document);
    await hub.request('put', `${CONFIGS}/${id}`).send({ priority: 9 }).expect(200);
    const before = await stateOf();
    await sendImport(hub, document, { plan }).expect(409, /plan_outdated/);
    expect(await stateOf()).toEqual(before);
    const { plan_digest: next } = await planOf(hub, document);
    expect((await applied(hub, document, { plan: next })).summary.change).toBe(1);
  });

  it('a failing apply changes nothing, and names everything that is wrong', async () => {
    await create(hub, { alias: 'kept', api_base: 'http://127.0.0.1:18080/v1', api_key: 'sk-kept-0123456789' });
    await createPrompt(hub, { name: 'kept-prompt', prompt_content: 'x' });
    const before = await stateOf();
    const document = aDocument({
      prompts: [
        { name: 'fine', versions: [{ prompt_content: 'Hello' }], labels: { production: 1 } },
        { name: 'broken', versions: [{ prompt_content: 'Hello {{name' }] },
      ],
      models: [
        { ...aModelConfig({ alias: 'good' }) },
        { alias: 'kept', priority: 'high', unknown_field: 1 },
        { alias: 'incomplete' },
        { ...aModelConfig({ alias: 'masked', api_key: 'sk-…abcd' }) },
        { ...aModelConfig({ alias: 'good' }) },
        { alias: 'nobody', provider: 'nothing', model_name: '' },
        7 as unknown as Fields,
      ],
    });
    await sendImport(hub, document).expect(400, /models\[6\] must be an object/);
    document.models?.pop();
    for (const dry_run of [true, false]) {
      const answer = await sendImport(hub, document, { dry_run }).expect(422);
      const body = answer.body as { code: string; errors: { field: string }[] };
      expect(body.code).toBe('import_refused');
      expect(body.errors.map(({ field }) => field).sort()).toEqual([
        'models[1].priority',
        'models[1].unknown_field',
        'models[2].model_name',
        'models[2].provider',
        'models[3].api_key',
        'models[4].alias',
        'models[5].model_name',
        'models[5].provider',
        'prompts[1].versions[0].prompt_content',
      ]);
      expect(await stateOf()).toEqual(before);
    }
    // What only the rules between fields, or the database, can refuse: after others were written.
    const late = aDocument({
      models: [
        { ...aModelConfig({ alias: 'a-good-one' }) },
        { alias: 'kept', api_base: 'https://elsewhere.example.com/v1' },
        { ...aModelConfig({ alias: 'no-base', provider: 'azure_openai', api_base: null }) },
        { ...aModelConfig({ alias: 'metadata', api_base: 'http://169.254.169.254/latest' }) },
        { ...aModelConfig({ alias: 'private', api_base: 'http://10.0.0.1/v1' }) },
        { ...aModelConfig({ alias: 'own', fallback_aliases: ['own'] }) },
        { ...aModelConfig({ alias: 'no-prompt', system_prompt_name: 'nowhere' }) },
      ],
    });
    const answer = await sendImport(hub, late).expect(422);
    expect((answer.body as { errors: { field: string }[] }).errors.map(({ field }) => field).sort()).toEqual([
      'models[1].api_key',
      'models[2].api_base',
      'models[3].api_base',
      'models[4].api_base',
      'models[5].fallback_aliases',
      'models[6].system_prompt_name',
    ]);
    expect(await stateOf()).toEqual(before);
  });

  it('one code, when all that is wrong is of one kind; at most a hundred are listed', async () => {
    const models = Array.from({ length: 300 }, (_, index) => ({
      alias: `m${index}`,
      provider: 'openai',
      model_name: '',
    }));
    const answer = await sendImport(hub, aDocument({ models })).expect(400);
    const body = answer.body as { code: string; detail: string; errors: unknown[] };
    expect(body.code).toBe('validation_failed');
    expect(body.errors).toHaveLength(100);
    expect(body.detail).toMatch(/^Nothing was changed\. 300 /);
    const private_ = { models: [aModelConfig({ api_base: 'http://10.0.0.1/v1' })] };
    await sendImport(hub, aDocument(private_)).expect(400, /api_base_not_allowed/);
    const masked = { models: [aModelConfig({ api_key: '********' })] };
    await sendImport(hub, aDocument(masked)).expect(422, /masked_api_key/);
  });

  it('prune deletes what the sections that are there do not name, and nothing else', async () => {
    for (const alias of ['one', 'two', 'three']) await create(hub, { alias });
    await createPrompt(hub, { name: 'a', prompt_content: 'a' });
    await createPrompt(hub, { name: 'b', prompt_content: 'b' });
    const onlyModels = aDocument({ models: [{ alias: 'one' }] });
    expect(actionsOf(await applied(hub, onlyModels))).toEqual(['unchanged model one']);
    expect(actionsOf(await planOf(hub, onlyModels, { prune: true }))).toEqual(
      ['unchanged model one', 'delete model three', 'delete model two'].sort((a, b) =>
        (a.split(' ')[2] ?? '').localeCompare(b.split(' ')[2] ?? ''),
      ),
    );
    await applied(hub, onlyModels, { prune: true });
    expect((await exportDocument(hub)).models?.map(({ alias }) => alias)).toEqual(['one']);
    expect((await exportDocument(hub)).prompts?.map(({ is_active }) => is_active)).toEqual([true, true]);
    const plan = await applied(hub, aDocument({ prompts: [{ name: 'b' }] }), { prune: true });
    expect(actionsOf(plan)).toEqual(['delete prompt a', 'unchanged prompt b']);
    expect(plan.items[0]?.notes.join()).toMatch(/archived/);
    expect((await exportDocument(hub)).models).toHaveLength(1);
    // A prompt that a model follows is not taken away from under it.
    await applied(
      hub,
      aDocument({ models: [{ alias: 'one', system_prompt_name: 'b', system_prompt_label: 'latest' }] }),
    );
    await sendImport(hub, aDocument({ prompts: [] }), { prune: true }).expect(409, /prompt_in_use/);
    await applied(hub, aDocument({ models: [], prompts: [] }), { prune: true });
  });

  it('a repeated request is carried out once', async () => {
    const document = aDocument({ models: [aModelConfig({ alias: 'once' })] });
    const send = (body: object): ReturnType<typeof sendImport> =>
      sendImport(hub, body).set('idempotency-key', 'import-1');
    const first = await send(document).expect(200);
    const revision = await revisionOf(hub);
    const second = await send(document).expect(200);
    expect(second.body).toEqual(first.body);
    expect(await revisionOf(hub)).toBe(revision);
    await send(aDocument({ models: [] })).expect(422, /idempotency_key_reused/);
  });

  it('each section needs its own scope', async () => {
    const writer = await hub.createToken('models:write');
    const prompter = await hub.createToken('prompts:write');
    const models = aDocument({ models: [aModelConfig({ alias: 'm' })] });
    const prompts = aDocument({ prompts: [{ name: 'p', versions: [{ prompt_content: 'x' }] }] });
    await sendImport(hub, models, {}, prompter).expect(403, /models:write/);
    await sendImport(hub, prompts, {}, writer).expect(403, /prompts:write/);
    await sendImport(hub, { ...models, ...prompts }, {}, writer).expect(403, /prompts:write/);
    await sendImport(hub, models, {}, writer).expect(200);
    await sendImport(hub, prompts, {}, prompter).expect(200);
    for (const [scope, sections] of [
      ['models:read', ['models']],
      ['prompts:read', ['prompts']],
    ] as const) {
      const token = await hub.createToken(scope);
      const { body } = await hub.request('get', EXPORT, token).query({ format: 'json' }).expect(200);
      expect(Object.keys(body as object)).toEqual(['version', 'kind', ...sections]);
      await hub
        .request('get', EXPORT, token)
        .query({ sections: 'models,prompts' })
        .expect(403, /scope_missing/);
      await hub.request('post', EXPORT, token).send({ passphrase: PASSPHRASE }).expect(403);
    }
  });

  it('two at once do not get into each other', async () => {
    const documents = Array.from({ length: 6 }, (_, index) =>
      aDocument({
        models: Array.from({ length: 20 }, (_unused, place) => ({
          ...aModelConfig({ alias: `m${(place * 7 + index) % 20}`, priority: index, api_key: null }),
        })),
      }),
    );
    const answers = await Promise.all(documents.map((document) => sendImport(hub, document)));
    expect(answers.map(({ status }) => status)).toEqual(documents.map(() => 200));
    const { models } = await exportDocument(hub);
    expect(new Set(models?.map(({ priority }) => priority)).size).toBe(1);
  });

  it('gets along with single changes of the same rows, and with usage being counted', async () => {
    const provider = await startFakeProvider();
    const aliases = Array.from({ length: 10 }, (_, index) => `m${index}`);
    const prompts = [{ name: 'p', versions: [{ prompt_content: 'one' }], labels: { production: 1 } }];
    const document = (priority: number): ReturnType<typeof aDocument> =>
      aDocument({
        prompts,
        models: aliases.map((alias) => ({
          ...aModelConfig({ alias, priority, api_base: provider.url, api_key: 'sk-0123456789' }),
          system_prompt_name: 'p',
        })),
      });
    await applied(hub, document(0));
    const { body } = await hub.request('get', CONFIGS).expect(200);
    const ids = (body as { models: { id: string }[] }).models.map(({ id }) => id);
    const prompt = ((await hub.request('get', `${PROMPTS}/by-name/p`).expect(200)).body as { id: string }).id;
    const work = Array.from({ length: 20 }, (_, index) => [
      sendImport(hub, document(index + 1)),
      hub.request('put', `${CONFIGS}/${ids[index % ids.length]}`).send({ max_retries: index % 5 }),
      hub.request('put', `${CONFIGS}/${ids[(index * 3) % ids.length]}`).send({ system_prompt_label: 'latest' }),
      hub.request('post', `${PROMPTS}/${prompt}/versions`).send({ prompt_content: `text ${index}` }),
      hub.request('put', `${PROMPTS}/${prompt}/labels/production`).send({ version: 1 }),
    ]).flat();
    const calls = Promise.all(aliases.map((alias) => call(hub, aChat(alias))));
    const statuses = (await Promise.all(work)).map(({ status }) => status);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    expect(new Set((await calls).map(({ status }) => status))).toEqual(new Set([200]));
    // 429: too many imports at once.
    expect(new Set(statuses)).toEqual(new Set([200, 201, 429]));
    await provider.close();
  });
});
