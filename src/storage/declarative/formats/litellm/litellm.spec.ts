import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { validateAs } from '../../../../platform/http/validation.js';
import { ModelConfigCreate } from '../../../../contract/model-config.contract.js';
import { yamlToJson } from '../../../../platform/yaml/read-yaml.js';
import type { ReadDocument } from '../../document.js';
import { readLiteLlm } from './litellm.js';

type Fields = Record<string, unknown>;

const FIXTURE = new URL('../../../../../test/fixtures/litellm-config.yaml', import.meta.url);

const read = (document: Fields): ReadDocument => readLiteLlm(document);
const readOne = (params: Fields, rest: Fields = {}): { fields: Fields | undefined; report: string[] } => {
  const { models, report } = read({ model_list: [{ model_name: 'one', litellm_params: params, ...rest }] });
  return { fields: models?.[0]?.fields, report: report.map(({ level, path }) => `${level} ${path}`) };
};

describe("a team's config.yaml", () => {
  let document: ReadDocument;
  const named = (alias: string): Fields | undefined =>
    document.models?.find(({ fields }) => fields['alias'] === alias)?.fields;

  beforeAll(async () => {
    const json = await yamlToJson(readFileSync(FIXTURE, 'utf8'), 1_000_000);
    document = read(JSON.parse(json) as Fields);
  });

  it('has these models, in order, with what was said of them and nothing else', () => {
    expect(document.models?.map(({ path, fields }) => `${path} ${String(fields['alias'])}`)).toEqual([
      'model_list[1] gpt-4o',
      'model_list[0] gpt-4o-2',
      'model_list[2] claude-sonnet',
      'model_list[3] gemini-flash',
      'model_list[4] groq/llama',
      'model_list[5] mistral-large',
      'model_list[6] deepseek-reasoner',
      'model_list[7] hf-llama',
      'model_list[8] home',
      'model_list[9] house-vllm',
      'model_list[10] embeddings',
    ]);
    expect(named('gpt-4o')).toEqual({
      alias: 'gpt-4o',
      provider: 'openai',
      model_name: 'gpt-4o',
      api_base: null,
      api_key: { from_env: 'OPENAI_API_KEY' },
      auth_headers: { 'OpenAI-Organization': 'org-4711' },
      max_tokens: 16_384,
      context_window: 128_000,
      max_retries: 2,
      request_timeout: 90,
      default_temperature: 0.2,
      input_price_per_million: 2.5,
      cached_input_price_per_million: 1.25,
      output_price_per_million: 10,
      supports_images: true,
      fallback_aliases: ['gpt-4o-2', 'claude-sonnet', 'home'],
    });
    expect(named('gpt-4o-2')).toEqual({
      alias: 'gpt-4o-2',
      provider: 'azure_openai',
      model_name: 'gpt-4o-eu',
      api_base: 'https://team-eu.openai.azure.com/',
      api_version: '2024-10-21',
      api_key: { from_env: 'AZURE_API_KEY_EU' },
      max_retries: 2,
      request_timeout: 90,
      rate_limit_per_minute: 600,
      supports_images: true,
    });
    expect(named('claude-sonnet')).toMatchObject({
      provider: 'claude',
      model_name: 'claude-sonnet-4-20250514',
      max_tokens: 8192,
      max_retries: 3,
      request_timeout: 600,
      fallback_aliases: ['gpt-4o', 'gpt-4o-2', 'home'],
    });
    expect(named('groq/llama')).toMatchObject({
      provider: 'openai_compatible',
      api_base: 'https://api.groq.com/openai/v1',
      model_name: 'llama-3.3-70b-versatile',
      max_retries: 0,
      fallback_aliases: ['home'],
    });
    expect(named('gemini-flash')).toMatchObject({
      provider: 'gemini',
      supports_images: true,
      supports_audio: true,
      supports_files: true,
    });
    expect(named('deepseek-reasoner')).toMatchObject({ custom_parameters: { seed: 7, enable_thinking: true } });
    expect(named('hf-llama')).toMatchObject({
      provider: 'huggingface',
      model_name: 'deepseek-ai/DeepSeek-R1:together',
      api_key: { from_env: 'HF_TOKEN' },
    });
    expect(named('home')).toEqual({
      alias: 'home',
      provider: 'local',
      model_name: 'llama3.2',
      api_base: 'http://127.0.0.1:11434/v1',
      is_local: true,
      max_retries: 3,
      request_timeout: 600,
    });
    expect(named('house-vllm')).toMatchObject({
      provider: 'openai_compatible',
      model_name: 'meta-llama/Llama-3.1-8B-Instruct',
      is_local: true,
      auth_headers: { 'X-Team': 'search' },
    });
    expect(named('embeddings')).toMatchObject({ provider: 'openai', model_name: 'text-embedding-3-small' });
    expect([...document.variables]).toEqual([['GROQ_API_KEY', 'gsk_key-from-the-file-itself']]);
  });

  it('reports, place by place, everything that is not here as it was there', () => {
    expect(document.report.map(({ level, path }) => `${level} ${path}`).sort()).toEqual(
      [
        'unsupported x-defaults',
        // the group
        'adapted model_list[0].model_name',
        'unsupported model_list[0].litellm_params.tpm',
        'ignored model_list[0].model_info.base_model',
        'ignored model_list[0].model_info.supports_function_calling',
        'ignored model_list[1].model_info.id',
        'unsupported model_list[2].litellm_params.stream_timeout',
        'adapted model_list[5].model_name',
        'unsupported model_list[5].litellm_params.weight',
        'unsupported model_list[6].litellm_params.extra_body.model',
        'adapted model_list[7].litellm_params.model',
        'adapted model_list[8].litellm_params.api_base',
        'adapted model_list[8].litellm_params.api_key',
        'unsupported model_list[8].litellm_params.keep_alive',
        'adapted model_list[9].litellm_params.api_key',
        'unsupported model_list[9].litellm_params.extra_headers.Content-Type',
        // left out as a whole: bedrock, vertex_ai, pictures, a wildcard
        'unsupported model_list[11]',
        'unsupported model_list[12]',
        'unsupported model_list[13]',
        'unsupported model_list[14]',
        'ignored litellm_settings.drop_params',
        'ignored litellm_settings.set_verbose',
        'unsupported litellm_settings.success_callback',
        'unsupported litellm_settings.cache',
        'unsupported litellm_settings.cache_params',
        'unsupported litellm_settings.fallbacks[0].gpt-4o',
        'unsupported litellm_settings.context_window_fallbacks',
        'unsupported router_settings.routing_strategy',
        'unsupported router_settings.model_group_alias',
        'ignored router_settings.redis_host',
        'unsupported router_settings.allowed_fails',
        'unsupported general_settings.master_key',
        'ignored general_settings.database_url',
        'unsupported general_settings.alerting',
        'ignored environment_variables.LANGFUSE_PUBLIC_KEY',
      ].sort(),
    );
    const said = new Map(document.report.map(({ path, message }) => [path, message]));
    expect(said.get('model_list[11]')).toBe('is left out: the provider bedrock has no counterpart here yet');
    expect(said.get('model_list[14]')).toMatch(/wildcards have no counterpart/);
    expect(said.get('model_list[0].model_name')).toMatch(/gpt-4o-2 here, a fallback of gpt-4o/);
  });

  it('repeats no value in the report', () => {
    const text = JSON.stringify(document.report);
    for (const value of ['sk-master', 'password-of', 'gsk_key', 'pk-lf', 'search', '18080']) {
      expect(text).not.toContain(value);
    }
  });

  it('is valid by the contract of a single model', async () => {
    for (const { fields } of document.models ?? []) {
      const { api_key: _key, ...rest } = fields;
      await expect(validateAs(ModelConfigCreate, rest)).resolves.toBeDefined();
    }
  });
});

describe('one deployment', () => {
  it.each([
    [{ model: 'gpt-4o-mini' }, { provider: 'openai', model_name: 'gpt-4o-mini', api_base: null }],
    [{ model: 'o3' }, { provider: 'openai', model_name: 'o3' }],
    [{ model: 'claude-3-haiku' }, { provider: 'claude', model_name: 'claude-3-haiku' }],
    [{ model: 'openai/gpt-4o', api_base: 'https://api.openai.com/v1' }, { provider: 'openai' }],
    [
      { model: 'openai/m', base_url: 'https://example.com/v1' },
      { provider: 'openai_compatible', api_base: 'https://example.com/v1' },
    ],
    [
      { model: 'openai/m', api_base: 'os.environ/BASE' },
      { provider: 'openai_compatible', api_base: { from_env: 'BASE' } },
    ],
    [
      { model: 'azure/d', api_base: 'os.environ/AZURE_API_BASE', api_version: 'os.environ/V' },
      { provider: 'azure_openai', api_base: { from_env: 'AZURE_API_BASE' }, api_version: { from_env: 'V' } },
    ],
    [
      { model: 'openrouter/anthropic/claude-3.5-sonnet' },
      {
        provider: 'openai_compatible',
        model_name: 'anthropic/claude-3.5-sonnet',
        api_base: 'https://openrouter.ai/api/v1',
      },
    ],
    [
      { model: 'm', custom_llm_provider: 'groq' },
      { provider: 'openai_compatible', model_name: 'm', api_base: 'https://api.groq.com/openai/v1' },
    ],
    [{ model: 'groq/m', custom_llm_provider: 'groq' }, { model_name: 'm' }],
    [
      { model: 'together_ai/a/b', api_base: 'https://proxy.example.com/v1' },
      { model_name: 'a/b', api_base: 'https://proxy.example.com/v1' },
    ],
    [{ model: 'ollama/llama3' }, { provider: 'local', api_base: null, is_local: true }],
    [{ model: 'ollama/llama3', api_base: 'http://gpu:11434/api/' }, { api_base: 'http://gpu:11434/v1' }],
    [{ model: 'ollama/llama3', api_base: 'http://gpu:11434/v1' }, { api_base: 'http://gpu:11434/v1' }],
    [
      { model: 'hosted_vllm/m', api_base: 'http://gpu:8000/v1' },
      { provider: 'local', is_local: true },
    ],
    [
      { model: 'huggingface/meta-llama/Llama-3.1-8B' },
      { provider: 'huggingface', model_name: 'meta-llama/Llama-3.1-8B' },
    ],
    [
      { model: 'openai/m', timeout: 0.5, max_retries: '4' },
      { request_timeout: 1, max_retries: 4 },
    ],
    [
      { model: 'openai/m', max_completion_tokens: 100, num_retries: 1, max_retries: 5 },
      { max_tokens: 100, max_retries: 1 },
    ],
    [{ model: 'openai/m', input_cost_per_token: 1.5e-7 }, { input_price_per_million: 0.15 }],
    [
      { model: 'openai/m', reasoning_effort: 'low', stop: ['a'] },
      { custom_parameters: { reasoning_effort: 'low', stop: ['a'] } },
    ],
    [
      { model: 'openai/m', extra_headers: { 'X-Key': 'os.environ/K' } },
      { auth_headers: { 'X-Key': { from_env: 'K' } } },
    ],
  ])('%j', (params, expected) => {
    expect(readOne(params).fields).toMatchObject(expected);
  });

  it.each([
    [{ model: 'bedrock/m' }],
    [{ model: 'vertex_ai/m' }],
    [{ model: 'cohere/command-r' }],
    [{ model: 'toString/m' }],
    [{ model: 'constructor' }],
    [{ model: 'my-own-model' }],
    [{ model: 'azure/d' }],
    [{ model: 'hosted_vllm/m' }],
    [{ model: 'openai/*' }],
    [{ model: 'os.environ/MODEL' }],
    [{ model: '' }],
    [{ model: 7 }],
    [{}],
  ])('%j is left out, and told', (params) => {
    const { fields, report } = readOne(params);
    expect(fields).toBeUndefined();
    expect(report).toContain('unsupported model_list[0]');
  });

  it.each([
    ['litellm_params.temperature', { temperature: 3 }],
    ['litellm_params.temperature', { temperature: 'os.environ/T' }],
    ['litellm_params.rpm', { rpm: 'many' }],
    ['litellm_params.rpm', { rpm: 0.5 }],
    ['litellm_params.timeout', { timeout: 100_000 }],
    ['litellm_params.max_retries', { max_retries: 99 }],
    ['litellm_params.seed', { seed: 'os.environ/SEED' }],
    ['litellm_params.extra_body', { extra_body: 'text' }],
    ['litellm_params.extra_headers', { extra_headers: [] }],
    ['litellm_params.extra_headers.X-A', { extra_headers: { 'X-A': 1 } }],
    ['litellm_params.organization', { organization: ['a', 'b'] }],
    ['litellm_params.azure_ad_token', { azure_ad_token: 'eyJ' }],
    ['litellm_params.invented', { invented: { deep: true } }],
    ['litellm_params.hasOwnProperty', { hasOwnProperty: 1 }],
    ['litellm_params.litellm_credential_name', { litellm_credential_name: 'none' }],
    ['litellm_params.api_key', {}],
  ])('%s is told: it has no counterpart, or none with this value', (path, params) => {
    const { fields, report } = readOne({ model: 'openai/m', ...params });
    expect(fields).toMatchObject({ alias: 'one' });
    expect(report).toContain(`unsupported model_list[0].${path}`);
  });

  it('says nothing of what is not set', () => {
    expect(
      readOne({ model: 'openai/m', api_key: 'sk-0123456789', tpm: null, rpm: null }, { model_info: {} }).report,
    ).toEqual([]);
  });
});

describe('groups and names', () => {
  const deployments = (...names: unknown[]): Fields => ({
    model_list: names.map((model_name) => ({
      model_name,
      litellm_params: { model: 'openai/m', api_key: 'sk-0123456789' },
    })),
  });
  const aliasesOf = (document: Fields): unknown[] => read(document).models?.map(({ fields }) => fields['alias']) ?? [];

  it('number the deployments of a group, around names that are taken', () => {
    expect(aliasesOf(deployments('a', 'a', 'a-2', 'a'))).toEqual(['a', 'a-3', 'a-4', 'a-2']);
    const { models } = read(deployments('a', 'a', 'a-2', 'a'));
    expect(models?.[0]?.fields['fallback_aliases']).toEqual(['a-3', 'a-4']);
  });

  it.each([
    ['gpt 4 (eu)', 'gpt-4-eu-'],
    ['auto', 'auto-model'],
    ['-x', 'x'],
    ['模型', 'model'],
    ['模型 a', 'a'],
    ['x'.repeat(150), 'x'.repeat(100)],
    ['ok/name:1.0_b', 'ok/name:1.0_b'],
  ])('make an alias of %j', (name, alias) => {
    expect(aliasesOf(deployments(name))).toEqual([alias]);
  });

  it('tell of names that are none', () => {
    const { models, report } = read(deployments('', 7, '*'));
    expect(models).toEqual([]);
    expect(report.filter(({ level }) => level === 'unsupported').map(({ path }) => path)).toEqual([
      'model_list[0]',
      'model_list[1].model_name',
      'model_list[1]',
      'model_list[2]',
    ]);
  });

  it('cut fallbacks at twenty, and tell', () => {
    const { models, report } = read(deployments(...Array.from({ length: 30 }, () => 'a')));
    expect(models?.[0]?.fields['fallback_aliases']).toHaveLength(20);
    expect(report).toContainEqual(expect.objectContaining({ path: 'model_list[0]', level: 'unsupported' }));
  });

  it('cut the report, and tell how much is missing', () => {
    const { report } = read({
      model_list: [],
      general_settings: Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`k${i}`, 1])),
    });
    expect(report).toHaveLength(1001);
    expect(report.at(-1)?.message).toBe('200 more are not listed.');
  });

  it.each([
    [{ litellm_settings: 'text' }, 'litellm_settings'],
    [{ litellm_settings: { fallbacks: 'x' } }, 'litellm_settings.fallbacks'],
    [{ router_settings: { fallbacks: [{ a: [{}] }] } }, 'router_settings.fallbacks[0].a'],
    [{ router_settings: { fallbacks: [{ b: ['a'] }] } }, 'router_settings.fallbacks[0].b'],
    [{ litellm_settings: { default_fallbacks: [7] } }, 'litellm_settings.default_fallbacks'],
    [{ credential_list: [{ credential_name: 'a' }] }, 'credential_list[0]'],
    [{ environment_variables: [] }, 'environment_variables'],
    [{ guardrails: [] }, 'guardrails'],
    [{ include: ['other.yaml'] }, 'include'],
  ])('tell of %j', (part, path) => {
    const { report } = read({ ...deployments('a'), ...part });
    expect(report).toContainEqual(expect.objectContaining({ path, level: 'unsupported' }));
  });

  it.each([[{ model_list: {} }], [{ model_list: ['x'] }], [{ model_list: [], credential_list: 7 }]])(
    'refuse %j, which is no list of objects',
    (document) => {
      expect(() => read(document)).toThrow(/validation_failed/);
    },
  );
});
