import { randomUUID } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { aMailChannel } from '../factories/alert-channel.js';
import { aModelConfig } from '../factories/model-config.js';
import { aUsageBatch, aUsageRecord } from '../factories/usage-record.js';
import { FIELD_CASES } from './config-fields.js';
import { aPrompt, PROMPTS } from './prompts.js';
import type { RawRequest } from './raw-request.js';
import type { Route } from './routes.js';

/** What a generated request may refer to: things that are there, and a model whose provider answers. */
export interface FuzzWorld {
  configIds: string[];
  promptIds: string[];
  ruleIds: string[];
  alertIds: string[];
  /** Webhooks whose receiver is the provider. */
  channelIds: string[];
  notificationIds: string[];
  budgetIds: string[];
  /** Of a prompt with the content of {@link FUZZ_TEMPLATE}. */
  promptName: string;
  alias: string;
  apiBase: string;
}

type Arbitrary<Value> = fc.Arbitrary<Value>;
type Fields = Record<string, unknown>;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'];

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '\u202e\u0007',
  'x'.repeat(101),
  'x'.repeat(20_000),
  '🚀'.repeat(300),
  '❤\u{FE0F}'.repeat(200),
  "' OR 1=1 --",
  '../../etc/passwd',
  '%s%n%00',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '-1',
  '1e400',
  'auto',
  '\r\nX-Injected: yes',
  'http://169.254.169.254/',
  'https://user:pass@example.com/',
];

/** JSON as text, since much of what is wrong cannot be written by a serialiser. */
const RAW = [
  'NaN',
  '-Infinity',
  '1e999',
  '-1e999',
  '-0',
  '01',
  '1.',
  '0x10',
  'undefined',
  '1e-400',
  '9007199254740993',
  '2147483648',
  '-9223372036854775809',
  '9'.repeat(400),
  '"\\ud800"',
  '"\\u0000"',
  '"\\x"',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{"a":1,"a":2}',
  '{"":{}}',
  '{"then":1,"toJSON":2,"toString":3,"length":-1}',
  `${'['.repeat(200)}${']'.repeat(200)}`,
  `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  '['.repeat(30_000),
  `[${'1,'.repeat(2000)}1]`,
];

const text = (): Arbitrary<string> => fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 30 }));

const nastyJson = (): Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...RAW),
    text().map((value) => JSON.stringify(value)),
    fc.constantFrom(0, -1, 1.5, 1e21, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 63).map(String),
    fc.constantFrom('null', 'true', 'false', '[]', '{}', '[null]', '[[]]', '[""]', '{"a":null}', '0', '1'),
    fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  );

const nastyKey = (): Arbitrary<string> =>
  fc.oneof(fc.constantFrom('__proto__', 'constructor', 'prototype', 'id', 'status', '', 'a'.repeat(300)), text());

/** A text with everything in it that a template may have. */
export const FUZZ_TEMPLATE = {
  prompt_content:
    '{{! 注释 }}你好，{{客户名}}！{{#items}}- {{.}}\n{{/items}}{{^items}}none{{/items}} \\{{ {{n}} {{on}}',
  syntax: 'mustache-strict-1',
  variables: [
    { name: '客户名', type: 'string', required: true, max_length: 20, example: '小明', untrusted: true },
    { name: 'items', type: 'string[]', default: ['a', 'b'] },
    { name: 'n', type: 'integer', min: 1, max: 9, default: 3 },
    { name: 'on', type: 'date', sensitive: true },
  ],
};
const VALUES = { 客户名: '小明', items: ['x'], n: 2, on: '2026-11-30' };

/** Of the routes under `/prompts`, by what stands behind it. */
const validPromptFields = (rest: string, { promptName }: FuzzWorld): Fields => {
  const content = { ...FUZZ_TEMPLATE, example_variables: VALUES };
  const metadata = { display_name: '客服', description: 'd', language: 'zh-CN', category: 'c', tags: { a: 'b' } };
  const flags = { is_active: true, is_public: true, priority: 1 };
  const fields: Record<string, Fields> = {
    '': { ...aPrompt(), ...content, ...metadata, ...flags, message: 'm', labels: { staging: 1 } },
    '/:id': { ...content, ...metadata, ...flags, message: 'm' },
    '/:id/versions': { ...content, prompt_content: `${randomUUID()} ${content.prompt_content}`, message: 'm' },
    '/:id/versions/:number/restore': { message: 'm' },
    '/:id/labels/:label': { version: 1, reason: 'r' },
    '/:id/render': { label: 'latest', version: null, variables: VALUES },
    '/render': { ...FUZZ_TEMPLATE, values: VALUES },
    '/validate': FUZZ_TEMPLATE,
    '/protected-labels': { labels: ['guarded', promptName] },
  };
  // Some take no body; one that comes all the same does no harm.
  return fields[rest] ?? { nothing: 'is read' };
};

/** Of the routes of the management API and of connection tests; null: another one. */
const validManagedFields = ({ path }: Route, { apiBase, configIds }: FuzzWorld): Fields | null => {
  const { alias, ...model } = aModelConfig({ api_base: apiBase });
  const managed = { ...model, max_tokens: 100, temperature: 0.5, is_local: false, custom_params: { seed: 1 } };
  if (path.endsWith('/management/add')) return { alias, ...managed };
  if (path.endsWith('/management/update/:id')) return managed;
  if (path.endsWith('/configs/test')) return { alias, ...model, id: configIds[0], modality: 'text' };
  if (path.endsWith('/configs/test-all')) return { ids: configIds.slice(0, 3), modality: 'text' };
  return /\/test(?:\/:id)?$/.test(path) ? { modality: 'text' } : null;
};

/** Of the routes under `/api/v1/alerts` that are about rules, alerts and silences; null: another one. */
const validAlertFields = ({ path }: Route): Fields | null => {
  const rule = {
    description: 'd',
    severity: 'info',
    threshold: 12.5,
    window_minutes: 15,
    channels: [],
    language: 'en',
  };
  const scope = { scope: 'alias', scope_value: 'fuzz-target', is_enabled: true, reminder_minutes: 60 };
  const times = { starts_at: '2000-01-01T00:00:00Z', ends_at: inAnHour() };
  if (path.endsWith('/alerts/rules')) return { name: `fuzz-${randomUUID()}`, kind: 'error_rate', ...rule, ...scope };
  if (path.endsWith('/alerts/rules/:id')) return { ...rule, ...scope };
  if (path.endsWith('/silences')) return { rule: 'error-rate', subject: 'fuzz*', ...times, comment: 'c' };
  return path.endsWith('/acknowledge') ? { nothing: 'is read' } : null;
};

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

/** A valid body of this route, as fields; null: it takes none. */
const validFields = (route: Route, world: FuzzWorld, isReal: boolean): Fields | null => {
  if (route.method === 'GET' || route.method === 'DELETE') return null;
  const everyField = Object.fromEntries(Object.entries(FIELD_CASES).map(([field, { set }]) => [field, set]));
  const prompts = route.path.split(PROMPTS)[1];
  if (prompts !== undefined) return validPromptFields(prompts, world);
  if (/\/alerts\/channels(?:\/:id)?$/.test(route.path)) return aFuzzedChannel(route, world);
  const alert = validAlertFields(route);
  if (alert !== null) return alert;
  const managed = validManagedFields(route, world);
  if (managed !== null) return managed;
  if (route.path.startsWith('/api/v1/budgets')) return aValidBudget();
  if (route.path.endsWith('/configs')) return aModelConfig({ ...everyField, api_base: world.apiBase });
  if (route.path.endsWith('/restore')) return { api_key: 'sk-restored-0123456789', auth_headers: null };
  if (route.path.endsWith('/:id')) return { ...everyField, api_base: world.apiBase, model_name: 'm' };
  if (route.path.endsWith('/discover')) return { apply: ['context_window', 'supports_images'] };
  if (route.path.endsWith('/tokens')) return { name: 'fuzz', scopes: ['invoke'], expires_at: '2999-01-01T00:00:00Z' };
  if (route.path.endsWith('/export')) return { format: 'json', passphrase: isReal ? 'correct horse battery' : 'short' };
  if (route.path.endsWith('/import')) return isReal ? aHubDocument(world) : A_LITELLM_CONFIG;
  if (route.path.endsWith('/encryption-keys')) return null;
  if (route.path.endsWith('/encryption-keys/active')) return { key_id: 'k1' };
  if (route.path.endsWith('/rewrap')) return { limit: 10, dry_run: false };
  if (route.path.endsWith('/connection-tests'))
    return { holder: randomUUID(), interval_minutes: 60, per_day: 10, providers: ['openai_compatible'] };
  if (route.path.endsWith('/v1/instances')) return anInstanceReport();
  if (route.path.endsWith('/usage'))
    return { ...aUsageBatch(aUsageRecord({ config_id: world.configIds[0], alias: world.alias })) };
  if (route.path.includes('/v1/messages')) return aMessagesRequest(world, isReal);
  if (route.path === '/v1/embeddings')
    return { model: isReal ? world.alias : 'no-such-model', input: ['hello'], encoding_format: 'float', user: 'u' };
  if (route.path === '/v1/responses') return aResponsesRequest(isReal ? world.alias : 'no-such-model', world);
  return {
    model: isReal ? world.alias : 'no-such-model',
    messages: [{ role: 'user', content: 'hello' }],
    stream: false,
    stream_options: { include_usage: true },
    temperature: 1,
    tools: [],
    prompt_template: { name: world.promptName, label: 'production', variables: VALUES },
  };
};

/** A new one is for mail, which nobody sends: the one that is changed and tested is a webhook. */
const aFuzzedChannel = ({ method }: Route, { apiBase }: FuzzWorld): Fields => {
  const rest = { is_enabled: true, min_severity: 'critical', language: 'en', secret: 'a secret' };
  return method === 'POST' ? aMailChannel({ ...rest, url: null }) : { ...rest, url: apiBase, smtp: null };
};

/** Refuses nothing: the other routes go on. */
const aValidBudget = (): Fields => ({
  name: `fuzz-${randomUUID()}`,
  limit_usd: 12.345678,
  description: 'd',
  is_enabled: true,
  scope: 'tag',
  scope_value: 'team:search',
  period: 'day',
  time_zone: 'Asia/Kolkata',
  thresholds: [50, 100],
  action: 'notify',
  severity: 'info',
  language: 'zh-CN',
  channels: ['a-channel'],
});

/** With every block in it that is read. */
const aMessagesRequest = ({ alias, promptName }: FuzzWorld, isReal: boolean): Fields => {
  const mark = { type: 'ephemeral' };
  const text = { type: 'text', text: 'hello', cache_control: mark };
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };
  const documents = [
    { type: 'text', media_type: 'text/plain', data: 'a page' },
    { type: 'content', content: [text] },
  ].map((source) => ({ type: 'document', source, title: 't', context: 'c', citations: { enabled: true } }));
  const found = { type: 'search_result', source: 'https://example.com', title: 't', content: [text] };
  const call = { type: 'tool_use', id: 'call_1', name: 'look', input: { api_key: 'is a name here' } };
  const result = { type: 'tool_result', tool_use_id: 'call_1', is_error: true, content: [text] };
  const thoughts = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'redacted_thinking', data: 'd' },
  ];
  const messages = [
    { role: 'user', content: [text, ...documents, found, ...(isReal ? [] : [image])] },
    { role: 'assistant', content: [...thoughts, text, call] },
    { role: 'user', content: [result, text] },
  ];
  return {
    model: isReal ? alias : 'no-such-model',
    messages,
    max_tokens: 100,
    system: [text],
    stop_sequences: ['END'],
    stream: false,
    tools: [{ name: 'look', input_schema: { type: 'object' } }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    thinking: { type: 'enabled', budget_tokens: 2000 },
    output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    metadata: { user_id: 'u' },
    cache_control: mark,
    prompt_template: { name: promptName, label: 'production', variables: VALUES },
  };
};

const aResponsesRequest = (model: string, { promptName }: FuzzWorld): Fields => ({
  model,
  input: [
    { role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'AAAA' },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: '1' }] },
  ],
  instructions: 'Be kind',
  stream: false,
  max_output_tokens: 100,
  tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: null }],
  tool_choice: { type: 'function', name: 'f' },
  text: { format: { type: 'json_schema', name: 'p', schema: { type: 'object' } }, verbosity: 'low' },
  reasoning: { effort: 'low', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  metadata: { a: 'b' },
  store: false,
  prompt_template: { name: promptName, label: 'production', variables: VALUES },
});

const aHubDocument = ({ apiBase }: FuzzWorld): Fields => ({
  version: 1,
  kind: 'ai-model-hub',
  models: [
    {
      ...aModelConfig({ alias: 'imported', api_base: apiBase, tags: { a: 'b' }, custom_parameters: { seed: 1 } }),
      auth_headers: { 'X-A': 'a header' },
      system_prompt_name: 'imported',
      system_prompt_label: 'latest',
    },
  ],
  prompts: [
    {
      name: 'imported',
      tags: { a: 'b' },
      labels: { production: 1 },
      versions: [{ version: 1, prompt_content: 'Hello {{name}}', variables: [{ name: 'name', type: 'text' }] }],
    },
  ],
  alert_rules: [{ name: 'imported', kind: 'spend', threshold: 100, channels: ['elsewhere'] }],
});

const A_LITELLM_CONFIG: Fields = {
  model_list: [
    {
      model_name: 'imported-elsewhere',
      litellm_params: {
        model: 'openai/gpt-4o',
        api_key: 'sk-0123456789',
        temperature: 1,
        rpm: 10,
        extra_headers: { 'X-A': 'a header' },
        extra_body: { seed: 1 },
        tags: ['a'],
      },
      model_info: { mode: 'chat', max_tokens: 100, input_cost_per_token: 1e-6 },
    },
  ],
  credential_list: [{ credential_name: 'c', credential_values: { api_key: 'sk-0123456789' } }],
  litellm_settings: { fallbacks: [{ a: ['b'] }], num_retries: 2 },
  environment_variables: { A: 'b' },
};

const toJsonText = (entries: [string, string][]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;

/** The valid body with some fields replaced, lost or added: gets further than pure noise. */
const mutatedBody = (fields: Fields): Arbitrary<string> => {
  const names = Object.keys(fields);
  const part = partOf(fields);
  const upTo = (count: number): { maxLength: number } => ({ maxLength: Math.min(count, names.length) });
  const one = fc.record({
    replaced: fc.tuple(fc.constantFrom(...names), nastyJson()).map((pair) => Object.fromEntries([pair])),
    lost: fc.constant<string[]>([]),
    added: fc.constant<[string, string][]>([]),
  });
  const several = fc.record({
    replaced: fc.dictionary(fc.constantFrom(...names), nastyJson(), { maxKeys: 3 }),
    lost: fc.subarray(names, upTo(2)),
    added: fc.array(fc.tuple(nastyKey(), nastyJson()), { maxLength: 2 }),
  });
  const flat = fc
    // One wrong field among right ones gets furthest.
    .oneof({ weight: 3, arbitrary: one }, { weight: 1, arbitrary: several })
    .map(({ replaced, lost, added }) => {
      const kept = names.filter((name) => !lost.includes(name) || name in replaced);
      return toJsonText([
        ...kept.map((name): [string, string] => [name, replaced[name] ?? JSON.stringify(fields[name])]),
        ...added,
      ]);
    });
  if (!part) return flat;
  return fc.oneof(flat, { weight: part.weight, arbitrary: mutatedBody(part.fields).map(part.toBody) });
};

interface Part {
  fields: Fields;
  /** Against 1 for the body around it. */
  weight: number;
  /** The whole body, with this text in the part's place. */
  toBody: (json: string) => string;
}

/** What is checked by hand, inside a body. */
const partOf = (fields: Fields): Part | null => {
  const around =
    (name: string, wrap: (json: string) => string): Part['toBody'] =>
    (json) =>
      toJsonText(Object.keys(fields).map((key) => [key, key === name ? wrap(json) : JSON.stringify(fields[key])]));
  const { records, variables, prompt_template: template, smtp } = fields;
  if (smtp !== undefined && smtp !== null)
    return { fields: smtp as Fields, weight: 1, toBody: around('smtp', (json) => json) };
  const lists = ['models', 'prompts', 'alert_rules', 'versions', 'model_list', 'data', 'content'];
  const list = [...lists, ...('max_tokens' in fields ? ['messages'] : [])].find((name) => Array.isArray(fields[name]));
  if (list) {
    const [first, ...others] = fields[list] as Fields[];
    const rest = others.map((entry) => JSON.stringify(entry));
    return { fields: first ?? {}, weight: 3, toBody: around(list, (json) => `[${[json, ...rest].join(',')}]`) };
  }
  const { litellm_params: params } = fields;
  if (params) return { fields: params as Fields, weight: 3, toBody: around('litellm_params', (json) => json) };
  if (Array.isArray(records)) {
    const toBody = (json: string): string =>
      toJsonText([
        ['batch_id', JSON.stringify(randomUUID())],
        ['records', `[${json}]`],
      ]);
    return { fields: records[0] as Fields, weight: 3, toBody };
  }
  if (Array.isArray(variables)) {
    const others = variables.slice(1).map((variable) => JSON.stringify(variable));
    const toBody = around('variables', (json) => `[${[json, ...others].join(',')}]`);
    return { fields: variables[0] as Fields, weight: 1, toBody };
  }
  const toBody = around('prompt_template', (json) => json);
  return template ? { fields: template as Fields, weight: 1, toBody } : null;
};

interface Payload {
  body?: Buffer;
  headers: Record<string, string>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const compressions: [string, (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (bytes) => bytes],
  ['gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))],
  ['nonsense', (bytes) => bytes],
];
const TYPES = [
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/plain, application/json',
  'application/json, text/plain',
  '*/*',
  'nonsense',
  ';',
  '',
];

const payload = (fields: Fields | null): Arbitrary<Payload> => {
  const valid = fields ?? { a: 1 };
  const whole = Buffer.from(JSON.stringify(valid));
  const asJson = (bytes: Buffer): Payload => ({ body: bytes, headers: JSON_TYPE });
  const fromText = (arbitrary: Arbitrary<string>): Arbitrary<Payload> =>
    arbitrary.map((json) => asJson(Buffer.from(json)));
  return fc.oneof(
    { weight: 10, arbitrary: fromText(mutatedBody(valid)) },
    // Right as it is: with a wrong path, query or header, and to keep things going on behind the checks.
    { weight: 2, arbitrary: fc.constant(asJson(whole)) },
    { weight: 3, arbitrary: fromText(nastyJson()) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => asJson(Buffer.from(bytes))) },
    { weight: 1, arbitrary: fc.nat(whole.length - 1).map((end) => asJson(whole.subarray(0, end))) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(Buffer.alloc(0), Buffer.from(' '), Buffer.from([0xef, 0xbb, 0xbf, ...whole]))
        .map(asJson),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...TYPES).map((type) => ({ body: whole, headers: { 'content-type': type } })),
    },
    { weight: 1, arbitrary: fc.constant({ body: whole, headers: {} }) },
    { weight: 1, arbitrary: fc.constant({ headers: {} }) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...compressions)
        .map(([name, compress]) => ({ body: compress(whole), headers: { ...JSON_TYPE, 'content-encoding': name } })),
    },
  );
};

const YAML_TEXTS = [
  '',
  'a: 1',
  'a: [1',
  '- &a [*a]',
  '!!binary aGk=',
  '{version: 1, kind: ai-model-hub, models: [{alias: imported, priority: 1}]}',
  'version: 1\nkind: ai-model-hub\nprompts:\n- name: imported\n  versions:\n  - prompt_content: |\n      text\n',
  'model_list:\n- model_name: "*"\n',
  '- {name: p, prompt: "{{a}}", version: 1}',
  '? [a]\n: b',
  '<<: 1',
  'a: !!float .inf',
  '['.repeat(5000),
  '%YAML 1.1\n---\na: yes',
];

/** A body of the only route that takes YAML; JSON is YAML, too. */
const yamlPayload = (fields: Fields): Arbitrary<Payload> =>
  fc
    .tuple(
      fc.constantFrom('application/yaml', 'text/yaml; charset=utf-8', 'application/x-yaml'),
      fc.oneof(fc.constantFrom(...YAML_TEXTS), mutatedBody(fields), text()),
    )
    .map(([type, body]) => ({ body: Buffer.from(body), headers: { 'content-type': type } }));

const IDS = [
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '{2d29aba2-a695-4015-8164-ea46106fca36}',
  '2d29aba2a69540158164ea46106fca36',
  '2d29aba2-a695-4015-8164-ea46106fca3',
  '2d29aba2-a695-4015-8164-ea46106fca36%20',
  '1',
  '-1',
  'null',
  'openai',
  'openai_compatible',
  '%00',
  '%zz',
  '%',
  '%ed%a0%80',
  '%ff%fe',
  '%c3%28',
  '..%2f..%2fetc',
  'é',
  '*',
  ':id',
  ';',
  '__proto__',
  'x'.repeat(499),
  'x'.repeat(2000),
];
const escaped = (): Arbitrary<string> =>
  text().map((value) => encodeURIComponent(value.toWellFormed()).slice(0, 3000) || '%20');

/** What is there of the things this route is about. */
const targetsOf = ({ method, path }: Route, world: FuzzWorld): string[] => {
  const { configIds, promptIds, ruleIds, alertIds, channelIds, notificationIds, budgetIds, promptName } = world;
  // A DELETE of what the others work on would leave them only 404.
  if (method === 'DELETE') return [IDS[0] ?? ''];
  if (path.includes('/:name')) return [promptName];
  if (path.includes('/channels/')) return channelIds;
  if (path.includes('/notifications/')) return notificationIds;
  if (path.includes('/alerts/')) return path.includes('/rules/') ? ruleIds : alertIds;
  if (path.includes('/budgets/')) return budgetIds;
  return path.includes(`${PROMPTS}/`) ? promptIds : configIds;
};

const pathParameter = (route: Route, world: FuzzWorld): Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...targetsOf(route, world)) },
    { weight: 3, arbitrary: fc.constantFrom(...IDS) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: escaped() },
  );

const QUERY_KEYS =
  // Not `prune`: what the others work on would be gone.
  'provider status state rule kind severity subject is_enabled dry_run format sections on_missing_secret is_local supports_images tag q sort api_base category label model_alias from to interval tz group_by source version expected_version skip limit limit skip tag[] q[a] __proto__ constructor toString % %zz sort.x é'
    .split(' ')
    .concat('');
const QUERY_VALUES =
  "openai auto litellm models,prompts alert_rules firing active error_rate warning error-rate fuzz* skip true https://openrouter.ai/api/v1 configured true 2026-10-01T00:00:00Z 2026-10-01T10:30:00%2B05:30 minute day Asia/Kolkata UTC model,token csv a:b : :: alias -priority,alias - , 0 1 1000 -1 1.5 1e3 0x1 NaN 999999999999999 99999999999999999999 % %zz %00 %ff %ed%a0%80 é + %2B %25_%5C ' null undefined [] {}"
    .split(' ')
    .concat('', 'x'.repeat(300));

const query = (): Arbitrary<string> => {
  const pair = fc.tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...QUERY_KEYS) }, escaped()),
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...QUERY_VALUES) }, escaped()),
  );
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    {
      weight: 5,
      arbitrary: fc
        .array(pair, { minLength: 1, maxLength: 4 })
        .chain((pairs) => fc.constantFrom(pairs, [...pairs, ...pairs]))
        .map((pairs) => `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`.slice(0, 8000)),
    },
    { weight: 1, arbitrary: fc.constantFrom('?', '??', '?&&&', '?=', '?a', `?${'limit=1&'.repeat(900)}`) },
  );
};

const ETAGS = [
  '*',
  '"1"',
  'W/"1"',
  '"1", "2"',
  '1',
  '"',
  '""',
  `"${'9'.repeat(200)}"`,
  '"é"',
  ',',
  `${'"1",'.repeat(300)}"1"`,
];
const headers = (): Arbitrary<Record<string, string>> =>
  fc.dictionary(
    fc.constantFrom('if-match', 'if-none-match', 'x-request-id', 'x-hub-source', 'accept'),
    fc.constantFrom(...ETAGS),
    {
      maxKeys: 2,
    },
  );

/** What stands behind the first parameter: mostly something that is there. */
const INNER: Record<string, string> = { ':version': '1', ':label': 'production', ':number': '1' };

const fillIn = (route: Route, parameter: string): string =>
  route.path.replace(/:\w+|\*/, parameter).replaceAll(/:(?:version|label|number)/g, (name) => INNER[name] ?? name);

/** Right in every way, so that each route is also reached with success. */
const aRightRequest = (route: Route, world: FuzzWorld): Arbitrary<RawRequest> => {
  const fields = validFields(route, world, true);
  return fc.constantFrom(...targetsOf(route, world)).map((id) => ({
    method: route.method,
    path: fillIn(route, id),
    headers: fields ? JSON_TYPE : {},
    ...(fields && { body: Buffer.from(JSON.stringify(fields)) }),
  }));
};

/** Requests to one route, most of them wrong in some way; no two runs alike but for the seed. */
export const aFuzzedRequest = (route: Route, world: FuzzWorld): Arbitrary<RawRequest> =>
  fc.oneof(
    { weight: 9, arbitrary: aWrongRequest(route, world) },
    { weight: 1, arbitrary: aRightRequest(route, world) },
  );

const aWrongRequest = (route: Route, world: FuzzWorld): Arbitrary<RawRequest> =>
  fc
    .record({
      method: fc.oneof({ weight: 12, arbitrary: fc.constant(route.method) }, fc.constantFrom(...METHODS)),
      parameter: pathParameter(route, world),
      query: query(),
      extra: headers(),
      payload: fc.boolean().chain((isReal) => {
        const fields = validFields(route, world, isReal);
        const takesYaml = route.path.endsWith('/import') && fields;
        return takesYaml ? fc.oneof(payload(fields), yamlPayload(fields)) : payload(fields);
      }),
    })
    .map(({ method, parameter, query: search, extra, payload: { body, headers: own } }) => {
      const path = `${fillIn(route, parameter)}${search}`;
      // A HEAD that cannot be parsed is not known to be one: its answer has a body, and the client would choke on it.
      if (method === 'HEAD') return { method, path: path.replaceAll('é', 'e'), headers: extra };
      // Node's client sends no body with these, but would announce one.
      if (method === 'TRACE' || method === 'OPTIONS') return { method, path, headers: extra };
      return { method, path, headers: { ...extra, ...own }, body };
    });

const anInstanceReport = (): Record<string, unknown> => ({
  id: randomUUID(),
  role: 'ai-model',
  version: '0',
  host: 'fuzzed',
  started_at: new Date().toISOString(),
  revision: 1,
  source: 'storage',
  confirmed_at: new Date().toISOString(),
});
