// What an import takes, and what it refuses: sizes, depths, types, and documents of other programs.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ImportPlan } from '../src/contract/declarative.contract.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, until } from './support/calls.js';
import {
  actionsOf,
  aDocument,
  applied,
  exportDocument,
  IMPORT,
  planOf,
  PROMPTS,
  sendImport,
} from './support/declarative.js';
import { startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { rawRequest } from './support/raw-request.js';

type Fields = Record<string, unknown>;

const MEGABYTE = 1024 * 1024;
const LITELLM = readFileSync(new URL('fixtures/litellm-config.yaml', import.meta.url), 'utf8');

describe('the body of an import', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const send = (type: string | null, body: string | Buffer, path = IMPORT): ReturnType<typeof rawRequest> =>
    rawRequest(hub.url, {
      method: 'POST',
      path,
      headers: { authorization: `Bearer ${hub.adminToken}`, ...(type !== null && { 'content-type': type }) },
      body,
    });
  const EMPTY = 'version: 1\nkind: ai-model-hub\nmodels: []\n';

  it.each([
    'application/yaml',
    'application/x-yaml',
    'text/yaml',
    'text/x-yaml',
    'application/yaml; charset=utf-8',
    'Application/YAML',
  ])('may be YAML: %s', async (type) => {
    expect((await send(type, EMPTY)).status).toBe(200);
  });

  it('may be JSON, the document itself or in an envelope, there also as text', async () => {
    const document = aDocument({ models: [] });
    for (const body of [
      document,
      { document },
      { document: EMPTY },
      { document: JSON.stringify(document) },
      { document: '{version: 1, kind: ai-model-hub, models: []}' },
    ]) {
      expect((await send('application/json', JSON.stringify(body))).status).toBe(200);
    }
    // A YAML type with JSON in it is YAML, too.
    expect((await send('application/yaml', JSON.stringify(document))).status).toBe(200);
  });

  it('is neither anything else, nor compressed; and no other route takes YAML', async () => {
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/toml']) {
      expect((await send(type, EMPTY)).status).toBe(415);
    }
    const compressed = await rawRequest(hub.url, {
      method: 'POST',
      path: IMPORT,
      headers: {
        authorization: `Bearer ${hub.adminToken}`,
        'content-type': 'application/yaml',
        'content-encoding': 'gzip',
      },
      body: gzipSync(EMPTY),
    });
    expect(compressed.status).toBe(415);
    for (const path of [CONFIGS, PROMPTS, '/api/v1/tokens', '/v1/chat/completions']) {
      expect((await send('application/yaml', 'a: 1', path)).status).toBe(415);
    }
  });

  it.each([
    ['', 400],
    ['null', 400],
    ['7', 400],
    ['"text"', 400],
    ['[]', 200],
    ['{}', 400],
    ['{"models": []}', 400],
    ['{"version": 1, "kind": "ai-model-hub"}', 200],
    ['{"version": 2, "kind": "ai-model-hub"}', 400],
    ['{"version": "1", "kind": "ai-model-hub"}', 400],
    ['{"version": 1, "kind": "other"}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "agents": []}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": {}}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": null}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": [null]}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "sealing": 7}', 400],
    ['{"document": 7}', 400],
    ['{"document": null}', 400],
    ['{"document": {}, "more": 1}', 400],
    ['{"document": "a: [1"}', 400],
    ['{"document": {"version": 1, "kind": "ai-model-hub"}, "format": "litellm"}', 400],
    ['{"document": {"version": 1, "kind": "ai-model-hub"}, "format": "toml"}', 400],
    ['{"document": {"version": 1, "kind": "ai-model-hub"}, "passphrase": "short"}', 400],
    ['{"a": 1', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": [{"__proto__": {"admin": true}}]}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": [{"alias": "a\\u0000b"}]}', 400],
    ['{"version": 1, "kind": "ai-model-hub", "models": [{"alias": "\\ud800"}]}', 400],
    [`{"version": 1, "kind": "ai-model-hub", "models": ${'['.repeat(100)}${']'.repeat(100)}}`, 400],
    ['['.repeat(100_000), 400],
  ])('%j', async (body, status) => {
    const answer = await send('application/json', body);
    expect({ status: answer.status, text: answer.text.slice(0, 300) }).toMatchObject({ status });
  });

  it('in YAML that is wrong is refused with its line, and never repeated', async () => {
    for (const text of [
      'a: [1',
      'a: 1\na: 2',
      'a: !!binary aGk=',
      'a: *b',
      'a: &a [*a]',
      '--- 1\n--- 2',
      'key: "sk-secret-text',
      '['.repeat(50_000),
    ]) {
      const answer = await send('application/yaml', text);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({ code: expect.stringMatching(/^malformed_/) as unknown });
      expect(answer.text).not.toContain('sk-secret');
    }
    for (const bytes of [Buffer.from([0x61, 0x3a, 0xff]), Buffer.from('\ufeffa: 1', 'utf16le')]) {
      expect((await send('application/yaml', bytes)).status).toBe(400);
    }
    for (const text of ['models: [{__proto__: {a: 1}}]', 'constructor: {a: 1}', 'a: "\\0"', '"\\uD800": 1']) {
      expect((await send('application/yaml', text)).status).toBe(400);
    }
  });

  it('in YAML that would become a thousand times larger is refused', async () => {
    const laughs = 'abcdefghij'.split('').map(
      (name, index) =>
        `${name}: &${name} [${
          index === 0
            ? 'ha'
            : Array(10)
                .fill(`*${'abcdefghij'[index - 1]}`)
                .join()
        }]`,
    );
    const long = `a: &a "${'x'.repeat(10_000)}"\nb: [${Array(3000).fill('*a').join()}]`;
    const wide = `a: &a [${Array(1000).fill('1').join()}]\nb: [${Array(1000).fill('*a').join()}]`;
    for (const text of [laughs.join('\n'), long, wide]) expect((await send('application/yaml', text)).status).toBe(400);
    await hub.request('get', '/health/ready').expect(200);
  });

  it('may have 16 MB and not a byte more; other routes take one', async () => {
    const body = (bytes: number): string => `${EMPTY}#`.padEnd(bytes, 'x');
    expect((await send('application/yaml', body(16 * MEGABYTE))).status).toBe(200);
    const tooLarge = await send('application/yaml', body(16 * MEGABYTE + 1)).catch(() => null);
    // The connection may be closed before all of it was sent.
    expect(tooLarge === null || tooLarge.status === 413).toBe(true);
    const answer = await send('application/json', JSON.stringify({ alias: 'x'.repeat(2 * MEGABYTE) }), CONFIGS).catch(
      () => null,
    );
    expect(answer === null || answer.status === 413).toBe(true);
  });

  it('may have 5000 models, 10 000 versions of prompts, and not half a million values', async () => {
    const models = Array.from({ length: 5001 }, (_, index) => ({ alias: `m${index}` }));
    const answer = await sendImport(hub, aDocument({ models })).expect(400);
    expect(answer.body).toMatchObject({ errors: [{ field: 'models' }] });
    const versions = Array.from({ length: 5001 }, () => ({ prompt_content: 'x' }));
    const prompts = [
      { name: 'a', versions },
      { name: 'b', versions },
    ];
    const many = await sendImport(hub, aDocument({ prompts })).expect(400);
    expect(many.body).toMatchObject({ errors: [{ field: 'prompts' }] });
    const values = `{"version": 1, "kind": "ai-model-hub", "models": [{"alias": "a", "tags": [${'1,'.repeat(600_000)}1]}]}`;
    const refused = await send('application/json', values);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('malformed_request');
  });

  it.each(['dry_run=yes', 'dry_run=', 'prune=1', 'format=toml', 'on_missing_secret=maybe', 'plan=abc', 'unknown=1'])(
    'with the query %s is refused',
    async (query) => {
      expect((await send('application/yaml', EMPTY, `${IMPORT}?${query}`)).status).toBe(400);
    },
  );

  it('of someone without a token is not even parsed', async () => {
    const answer = await rawRequest(hub.url, {
      method: 'POST',
      path: IMPORT,
      headers: { 'content-type': 'application/yaml' },
      body: '['.repeat(MEGABYTE),
    });
    expect(answer.status).toBe(401);
    expect(answer.milliseconds).toBeLessThan(1000);
  });
});

describe('a config.yaml of LiteLLM', () => {
  let hub: TestHub;

  beforeEach(async () => {
    hub = await startHub();
  });
  afterEach(() => hub.close());

  const KEYS = [
    'AZURE_API_KEY_EU',
    'OPENAI_API_KEY',
    'ANTHROPIC_API_KEY',
    'GEMINI_API_KEY',
    'MISTRAL_API_KEY',
    'DEEPSEEK_API_KEY',
    'HF_TOKEN',
  ];
  const env = Object.fromEntries(KEYS.map((name) => [name, `key-of-${name}`]));

  it('is imported, with a report of what has no counterpart, and its models are called', async () => {
    const provider = await startFakeProvider();
    const text = LITELLM.replace('http://127.0.0.1:18080/v1', provider.url);
    const missing = await sendImport(hub, text).expect(422);
    expect((missing.body as { errors: unknown[] }).errors).toHaveLength(KEYS.length + 1);
    const plan = await planOf(hub, { document: text, env });
    const done = await applied(hub, { document: text, env });
    expect(done).toEqual({ ...plan, dry_run: false, revision: expect.any(Number) as unknown });
    expect(done).toMatchObject({ format: 'litellm', summary: { create: 11, change: 0, delete: 0, unchanged: 0 } });
    expect(done.report.filter(({ level }) => level === 'unsupported').map(({ path }) => path)).toEqual(
      expect.arrayContaining(['model_list[11]', 'model_list[14]', 'router_settings.routing_strategy']),
    );
    const { models } = await exportDocument(hub);
    expect(models?.find(({ alias }) => alias === 'gpt-4o')).toMatchObject({
      provider: 'openai',
      fallback_aliases: ['gpt-4o-2', 'claude-sonnet', 'home'],
      input_price_per_million: 2.5,
    });
    const statuses = await hub.request('get', CONFIGS).query({ limit: 100 }).expect(200);
    expect(new Set((statuses.body as { models: Fields[] }).models.map(({ status }) => status))).toEqual(
      new Set(['configured']),
    );
    await until(
      () => call(hub, aChat('house-vllm')),
      ({ status }) => status === 200,
      5000,
    );
    expect(provider.calls.at(-1)).toMatchObject({
      body: { model: 'meta-llama/Llama-3.1-8B-Instruct' },
      headers: { 'x-team': 'search' },
    });
    const again = await planOf(hub, { document: text, env });
    expect(again.summary).toEqual({ create: 0, change: 0, delete: 0, unchanged: 11 });
    await provider.close();
  });

  it('goes through the same checks as any other model', async () => {
    const document = {
      model_list: [
        {
          model_name: 'inside',
          litellm_params: { model: 'openai/m', api_base: 'http://10.1.2.3/v1', api_key: 'none' },
        },
      ],
    };
    const answer = await sendImport(hub, document).expect(400, /api_base_not_allowed/);
    expect(answer.body).toMatchObject({ errors: [{ field: 'model_list[0].api_base' }] });
    // Named as another format it is one that it is not.
    await sendImport(hub, document, { format: 'hub' }).expect(400, /kind must be/);
    await sendImport(hub, document, { format: 'langfuse' }).expect(400, /data must be a list/);
  });

  it('deletes what it does not name only when asked to', async () => {
    await hub
      .request('post', CONFIGS)
      .send(aModelConfig({ alias: 'mine' }))
      .expect(201);
    const document = { model_list: [{ model_name: 'theirs', litellm_params: { model: 'ollama/llama3' } }] };
    expect(actionsOf(await applied(hub, document))).toEqual(['create model theirs']);
    expect(actionsOf(await planOf(hub, document, { prune: true }))).toEqual([
      'delete model mine',
      'unchanged model theirs',
    ]);
  });
});

describe('prompts of Langfuse', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const LIST = [
    {
      name: 'Support/First Line',
      version: 2,
      type: 'text',
      prompt: 'Dear {{ customer name }}, {"a": {{b}}}',
      labels: ['production', 'latest'],
      tags: ['support', 'lang:de'],
      config: { temperature: 0.2 },
      commitMessage: 'friendlier',
    },
    {
      name: 'Support/First Line',
      version: 1,
      type: 'text',
      prompt: 'Hello {{customer name}}',
      labels: ['Staging 1'],
      tags: [],
      config: {},
    },
    {
      name: 'chat',
      version: 1,
      type: 'chat',
      prompt: [
        { role: 'system', content: 'You are {{role}}.' },
        { role: 'system', content: 'Be brief.' },
      ],
      labels: [],
      tags: [],
    },
    {
      name: 'dialogue',
      version: 1,
      type: 'chat',
      prompt: [
        { role: 'system', content: 'x' },
        { role: 'user', content: 'y' },
      ],
      labels: [],
      tags: [],
    },
  ];

  it('are imported, versions in order, labels kept, variables declared, the rest reported', async () => {
    const plan = await applied(hub, { document: LIST });
    expect(plan).toMatchObject({ format: 'langfuse', summary: { create: 2, unchanged: 0 } });
    expect(actionsOf(plan)).toEqual(['create prompt chat', 'create prompt support-first-line']);
    expect(plan.report.map(({ level, path }) => `${level} ${path}`).sort()).toEqual(
      [
        'adapted data[0].prompt',
        'unsupported data[0].config',
        'adapted data[1].prompt',
        'adapted data[1].labels',
        'adapted data[1].name',
        'unsupported data[3]',
      ].sort(),
    );
    const { prompts } = await exportDocument(hub);
    expect(prompts?.[1]).toMatchObject({
      name: 'support-first-line',
      display_name: 'Support/First Line',
      tags: { support: '', lang: 'de' },
      labels: { production: 2, 'staging-1': 1 },
      versions: [
        { version: 1, prompt_content: 'Hello {{customer_name}}' },
        { version: 2, prompt_content: 'Dear {{customer_name}}, {"a": {{b}}}', message: 'friendlier' },
      ],
    });
    expect(prompts?.[0]).toMatchObject({ versions: [{ prompt_content: 'You are {{role}}.\n\nBe brief.' }] });
    const id = ((await hub.request('get', `${PROMPTS}/by-name/support-first-line`).expect(200)).body as Fields)['id'];
    const rendered = await hub
      .request('post', `${PROMPTS}/${String(id)}/render`)
      .send({ variables: { customer_name: 'Ann', b: '1' } })
      .expect(200);
    expect((rendered.body as Fields)['text']).toBe('Dear Ann, {"a": 1}');
    const again = (await sendImport(hub, { data: LIST, meta: { page: 1 } }).expect(200)).body as ImportPlan;
    expect(again.summary).toMatchObject({ create: 0, change: 0 });
  });
});
