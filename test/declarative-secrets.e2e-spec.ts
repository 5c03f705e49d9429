// Secrets of a document: where they come from, where they may go, and where they never are.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ImportPlan } from '../src/contract/declarative.contract.js';
import { aChat, call, until } from './support/calls.js';
import { CanaryScanner } from './support/canary-scanner.js';
import {
  aDocument,
  applied,
  EXPORT,
  exportDocument,
  exportText,
  type HubDocument,
  planOf,
  revisionOf,
  sendImport,
} from './support/declarative.js';
import { dumpTables } from './support/dump.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

type Fields = Record<string, unknown>;

const PASSPHRASE = 'correct horse battery staple';
const BASE = 'http://127.0.0.1:18080/v1';
const KEY = { from_env: 'FAST_API_KEY' };

const model = (fields: Fields = {}): Fields => ({
  alias: 'fast',
  provider: 'openai_compatible',
  model_name: 'm',
  api_base: BASE,
  api_key: KEY,
  ...fields,
});
const documentOf = (...models: Fields[]): HubDocument => aDocument({ models });

describe('references to variables', () => {
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
  beforeEach(() => applied(hub, documentOf(), { prune: true }));

  const view = async (alias = 'fast'): Promise<Fields> =>
    (await hub.request('get', `${CONFIGS}/by-alias/${alias}`).expect(200)).body as Fields;
  const sentWith = async (alias: string): Promise<Fields> => {
    await until(
      () => call(hub, aChat(alias)),
      ({ status }) => status === 200,
      5000,
    );
    return provider.calls.at(-1)?.headers as Fields;
  };

  it('are resolved from what the request brings along', async () => {
    const document = documentOf(
      model({
        api_base: { from_env: 'BASE' },
        api_version: { from_env: 'API_VERSION' },
        auth_headers: { 'X-Plain': 'plain', 'X-Secret': { from_env: 'HEADER' } },
      }),
      model({ alias: 'whole', api_base: provider.url, auth_headers: { from_env: 'HEADERS' } }),
    );
    const env = {
      FAST_API_KEY: 'sk-from-the-request-1',
      BASE: provider.url,
      API_VERSION: '2024-10-21',
      HEADER: 'secret-value',
      HEADERS: '{"X-Whole": "whole-value"}',
    };
    await applied(hub, { document, env });
    expect(await view()).toMatchObject({ api_base: provider.url, api_version: '2024-10-21', api_key_hint: 'st-1' });
    expect(await sentWith('fast')).toMatchObject({
      authorization: 'Bearer sk-from-the-request-1',
      'x-plain': 'plain',
      'x-secret': 'secret-value',
    });
    expect(await sentWith('whole')).toMatchObject({ 'x-whole': 'whole-value' });
  });

  it('are never resolved from the environment of the hub', async () => {
    process.env['FAST_API_KEY'] = 'sk-of-the-process-itself';
    for (const variable of ['FAST_API_KEY', 'PATH', 'ENCRYPTION_KEYS', 'ADMIN_TOKEN']) {
      const answer = await sendImport(hub, documentOf(model({ api_key: { from_env: variable } }))).expect(422);
      expect(answer.body).toMatchObject({
        code: 'secret_reference_unresolved',
        errors: [{ field: 'models[0].api_key', message: expect.stringContaining(variable) as unknown }],
      });
    }
    delete process.env['FAST_API_KEY'];
  });

  it('that nobody sent are all named, and nothing is done', async () => {
    const revision = await revisionOf(hub);
    const document = documentOf(
      model({ auth_headers: { 'X-A': { from_env: 'ONE_HEADER' } } }),
      model({ alias: 'second', api_base: { from_env: 'SECOND_BASE' }, api_key: { from_env: 'SECOND_KEY' } }),
    );
    for (const env of [{}, { FAST_API_KEY: '', toString: '' }]) {
      for (const dry_run of [true, false]) {
        const answer = await sendImport(hub, { document, env }, { dry_run }).expect(422);
        const { errors } = answer.body as { errors: { field: string; message: string }[] };
        expect(errors.map(({ field, message }) => `${field}: ${/needs (\w+)/.exec(message)?.[1]}`).sort()).toEqual([
          'models[0].api_key: FAST_API_KEY',
          'models[0].auth_headers: ONE_HEADER',
          'models[1].api_base: SECOND_BASE',
          'models[1].api_key: SECOND_KEY',
        ]);
      }
    }
    expect(await revisionOf(hub)).toBe(revision);
  });

  it('that nobody sent can be gone on without, and the plan says so', async () => {
    const plan = await applied(hub, documentOf(model()), { on_missing_secret: 'skip' });
    expect(plan.missing_secrets).toEqual([{ name: 'fast', field: 'api_key', variable: 'FAST_API_KEY' }]);
    expect(plan.items[0]?.notes.join()).toMatch(/api_key is missing: FAST_API_KEY was not sent/);
    expect(await view()).toMatchObject({ has_api_key: false, status: 'needs_api_key' });
  });

  it('keep what is stored for the same address, and take it to no other', async () => {
    await applied(hub, { document: documentOf(model()), env: { FAST_API_KEY: 'sk-stored-0123456789' } });
    const same = await applied(hub, documentOf(model({ api_base: `${BASE}/deeper`, priority: 3 })));
    expect(same.items[0]).toMatchObject({
      action: 'change',
      notes: ['api_key is kept as it is stored: FAST_API_KEY was not sent'],
    });
    expect(await view()).toMatchObject({ has_api_key: true, api_key_hint: '6789' });

    for (const elsewhere of [{ api_base: 'https://evil.example.com/v1' }, { provider: 'openai' }]) {
      await sendImport(hub, documentOf(model(elsewhere))).expect(422, /secret_reference_unresolved/);
      const { api_key: _key, ...withoutKey } = model(elsewhere);
      await sendImport(hub, documentOf(withoutKey)).expect(422, /credential_required/);
    }
    expect(await view()).toMatchObject({ has_api_key: true, api_base: `${BASE}/deeper` });
    // Asked to go on without it, it is cleared: it does not come along either.
    const moved = await applied(hub, documentOf(model({ api_base: 'https://other.example.com/v1' })), {
      on_missing_secret: 'skip',
    });
    expect(moved.items[0]?.changes.find(({ field }) => field === 'api_key')).toMatchObject({ to: null });
    expect(await view()).toMatchObject({ has_api_key: false });
  });

  it('are checked like any other value', async () => {
    const refused: [Fields, Record<string, string>, string, string][] = [
      [model(), { FAST_API_KEY: 'short' }, 'validation_failed', 'models[0].api_key'],
      [model(), { FAST_API_KEY: 'sk-…abcd' }, 'masked_api_key', 'models[0].api_key'],
      [
        model({ api_base: { from_env: 'B' } }),
        { FAST_API_KEY: 'sk-0123456789', B: 'http://169.254.169.254/' },
        'api_base_not_allowed',
        'models[0].api_base',
      ],
      [
        model({ auth_headers: { from_env: 'H' } }),
        { FAST_API_KEY: 'sk-0123456789', H: 'no json' },
        'validation_failed',
        'models[0].auth_headers',
      ],
      [
        model({ auth_headers: { from_env: 'H' } }),
        { FAST_API_KEY: 'sk-0123456789', H: '{"host": "abc"}' },
        'validation_failed',
        'models[0].auth_headers',
      ],
      [
        model({ priority: { from_env: 'P' } }),
        { FAST_API_KEY: 'sk-0123456789', P: '1' },
        'validation_failed',
        'models[0].priority',
      ],
      [model({ api_key: { from_env: 'A', more: 1 } }), {}, 'validation_failed', 'models[0].api_key'],
      [model({ api_key: { sealed: 7 } }), {}, 'validation_failed', 'models[0].api_key'],
      [
        model({ api_base: { sealed: 'x'.repeat(40) } }),
        { FAST_API_KEY: 'sk-0123456789' },
        'validation_failed',
        'models[0].api_base',
      ],
    ];
    for (const [entry, env, code, field] of refused) {
      const answer = await sendImport(hub, { document: documentOf(entry), env });
      expect({ code: (answer.body as Fields)['code'], errors: (answer.body as Fields)['errors'] }).toMatchObject({
        code,
        errors: [{ field }],
      });
    }
    for (const env of [{ 'no name': 'x' }, { A: 7 }, { A: 'x'.repeat(70_000) }, [], 'x']) {
      await sendImport(hub, { document: documentOf(), env }).expect(400, /validation_failed/);
    }
  });
});

/** The same text but for its first letter. */
const otherFirst = (text: string): string => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;

describe('sealed secrets', () => {
  let hub: TestHub;
  let sealed: HubDocument;

  const sealedExport = async (body: Fields = {}): Promise<HubDocument> =>
    (
      await hub
        .request('post', EXPORT)
        .send({ passphrase: PASSPHRASE, format: 'json', ...body })
        .expect(200)
    ).body as HubDocument;
  const wipe = (): Promise<ImportPlan> => applied(hub, documentOf(), { prune: true });
  const copyOf = (): HubDocument => structuredClone(sealed);
  const refusedWith = async (document: HubDocument, code: string, passphrase = PASSPHRASE): Promise<Fields> => {
    const answer = await sendImport(hub, { document, passphrase });
    expect((answer.body as Fields)['code']).toBe(code);
    return answer.body as Fields;
  };

  beforeAll(async () => {
    hub = await startHub();
    const models = documentOf(
      model({ api_key: 'sk-of-fast-0123456789', auth_headers: { 'X-A': 'header-of-fast' } }),
      model({ alias: 'second', api_key: 'sk-of-second-012345678' }),
    );
    await applied(hub, models);
    sealed = await sealedExport();
    await wipe();
  });
  afterAll(() => hub.close());

  it('are of no use without the passphrase, or with another one', async () => {
    await refusedWith(sealed, 'passphrase_wrong', 'another passphrase');
    const answer = await sendImport(hub, sealed).expect(422, /secret_reference_unresolved/);
    expect(answer.text).toContain('needs the passphrase');
    const plan = await planOf(hub, sealed, { on_missing_secret: 'skip' });
    expect(plan.missing_secrets).toContainEqual({ name: 'second', field: 'api_key', variable: null });
  });

  it('open only where they were sealed for: not for another alias, field or address', async () => {
    const edits: ((first: Fields, second: Fields) => void)[] = [
      (first) => (first['alias'] = 'renamed'),
      (first) => (first['api_base'] = 'https://evil.example.com/v1'),
      (first, second) => (first['api_key'] = second['api_key']),
      (first) => (first['api_key'] = first['auth_headers']),
      (first) => (first['api_key'] = { sealed: otherFirst((first['api_key'] as { sealed: string }).sealed) }),
      (first) => (first['api_key'] = { sealed: '' }),
      (first) => (first['api_key'] = { sealed: '!' }),
    ];
    for (const edit of edits) {
      const document = copyOf();
      const [first = {}, second = {}] = document.models ?? [];
      edit(first, second);
      const { errors } = await refusedWith(document, 'sealed_secret_unreadable');
      expect(errors).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ field: expect.stringMatching(/^models\[0\]\./) as unknown }),
        ]),
      );
    }
    // Another path at the same origin is the same place.
    const document = copyOf();
    Object.assign(document.models?.[0] ?? {}, { api_base: 'http://127.0.0.1:18080/v2', priority: 1 });
    expect((await applied(hub, { document, passphrase: PASSPHRASE })).summary.create).toBe(2);
    await wipe();
  });

  it('cannot be made to cost more than they do', async () => {
    for (const change of [{ n: 2 ** 30 }, { r: 1000 }, { p: 64 }, { kdf: 'pbkdf2' }, { salt: '' }, { check: 7 }]) {
      const document = copyOf();
      document.sealing = { ...document.sealing, ...change };
      const answer = await sendImport(hub, { document, passphrase: PASSPHRASE }).expect(400);
      expect(answer.body).toMatchObject({ errors: [{ field: 'sealing' }] });
    }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        sendImport(hub, { document: sealed, passphrase: 'wrong passphrase' }, { dry_run: true }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([422, 429]));
    expect(answers.find(({ status }) => status === 429)?.headers['retry-after']).toBe('1');
  });

  it.each(['short', '', 'x'.repeat(1025), null, 7, undefined])(
    'need a passphrase of some length: %j',
    async (passphrase) => {
      await hub
        .request('post', EXPORT)
        .send({ passphrase })
        .expect(400, /passphrase/);
    },
  );

  it('are new each time, in the history, and never given to a repeated request', async () => {
    await applied(hub, { document: sealed, passphrase: PASSPHRASE });
    const first = await hub
      .request('post', EXPORT)
      .set('idempotency-key', 'e1')
      .send({ passphrase: PASSPHRASE })
      .expect(200);
    const second = await hub
      .request('post', EXPORT)
      .set('idempotency-key', 'e1')
      .send({ passphrase: PASSPHRASE })
      .expect(200);
    expect(second.text).not.toBe(first.text);
    expect(first.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/yaml; charset=utf-8',
    });
    const history = await hub.request('get', '/api/v1/history').query({ kind: 'export' }).expect(200);
    const { entries } = history.body as { entries: { action: string; changes: Fields[] }[] };
    expect(entries[0]).toMatchObject({ action: 'export', subject_name: 'sealed export' });
    expect(entries[0]?.changes).toContainEqual({ field: 'secrets', from: null, to: 3 });
    const reader = await hub.createToken('models:read');
    await hub.request('get', '/api/v1/history', reader).query({ kind: 'export' }).expect(403);
    await wipe();
  });

  it('that the hub itself cannot open are named, and the rest is exported', async () => {
    await applied(hub, { document: sealed, passphrase: PASSPHRASE });
    await hub.database.query(`UPDATE ai_model_configs SET api_key = 'hub1.gone.AAAA.BBBB' WHERE alias = 'second'`);
    const document = await sealedExport();
    expect(document.sealing).toMatchObject({ not_sealed: ['second.api_key'] });
    expect(document.models?.map(({ api_key }) => Object.keys(api_key as object))).toEqual([['sealed'], ['from_env']]);
    await wipe();
  });
});

describe('a secret that is imported and exported', () => {
  it('is nowhere but with the provider', async () => {
    const hub = await startHub();
    const text = (): string => randomBytes(24).toString('base64url').replaceAll(/[-_]/g, '7');
    const secrets = { key: text(), next: text(), header: text(), passphrase: text(), literal: text() };
    const exchanges: string[] = [];
    const send = async (body: string | object, query: Fields = {}): Promise<void> => {
      const answer = await sendImport(hub, body, query as Record<string, string>);
      exchanges.push(`${answer.status} ${answer.text} ${JSON.stringify(answer.headers)}`);
    };
    const document = documentOf(
      model({ auth_headers: { 'X-A': { from_env: 'H' } } }),
      model({ alias: 'plain', api_key: secrets.literal }),
    );
    for (const query of [{ dry_run: true }, {}])
      await send({ document, env: { FAST_API_KEY: secrets.key, H: secrets.header } }, query);
    await send({ document, env: { FAST_API_KEY: secrets.next, H: secrets.header } });
    // Refused in all kinds of ways, with secrets in wrong places.
    await send(`models: [{alias: ${secrets.literal}: x`);
    await send(`a: "${secrets.literal}`);
    await send({ document, env: { [`no ${secrets.literal}`]: secrets.key } });
    await send(documentOf(model({ api_key: [secrets.literal] }), model({ alias: 'x', priority: secrets.literal })));
    await send(
      {
        model_list: [
          {
            model_name: 'm',
            litellm_params: {
              model: 'openai/m',
              api_key: secrets.literal,
              aws_secret_access_key: secrets.key,
              temperature: secrets.header,
            },
          },
        ],
        general_settings: { master_key: secrets.next },
      },
      { dry_run: true },
    );
    const sealed = await hub.request('post', EXPORT).send({ passphrase: secrets.passphrase }).expect(200);
    exchanges.push(sealed.text, await exportText(hub), JSON.stringify(await exportDocument(hub)));
    await send({ document: sealed.text, passphrase: secrets.passphrase });
    await send({ document: sealed.text, passphrase: `${secrets.passphrase}x` });
    exchanges.push((await hub.request('get', '/api/v1/history')).text);
    expect(exchanges.filter((exchange) => exchange.startsWith('200'))).toHaveLength(5);

    const scanner = new CanaryScanner(
      Object.entries(secrets).map(([name, value]) => ({ name, text: value, allowed: [value.slice(-4)] })),
    );
    expect(exchanges.flatMap((exchange, index) => scanner.scan(`answer ${index}`, exchange))).toEqual([]);
    expect(scanner.scan('log', hub.logs())).toEqual([]);
    const dump = await dumpTables((query) => hub.database.query(query));
    expect(scanner.scan('database', JSON.stringify(dump))).toEqual([]);
    await hub.close();
  });
});
