import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type supertest from 'supertest';
import { PRESET_IDS } from '../src/contract/presets.js';
import { PROVIDERS } from '../src/contract/providers.js';
import { GRANTABLE_SCOPES } from '../src/contract/scopes.js';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, elapsed, type Json, readModel, saveModel, until } from './support/calls.js';
import { shapeProblem } from './support/error-answer.js';
import { type FakeProvider, politeScript, sendJson, startFakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';
import { type ScriptedStorage, startCaller, startScriptedStorage } from './support/scripted-storage.js';

const MANAGEMENT = '/api/v1/models/management';
const MODELS = '/api/v1/models';

/** What callers of the first version send, and nothing else. */
const aManagedModel = (fields: Json = {}): Json => {
  const { alias, provider, model_name, api_key, api_base } = aModelConfig();
  return { alias, provider, model_name, api_key, api_base, ...fields };
};

describe('the management API', () => {
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
    provider.answerWith(politeScript);
  });

  const send = (
    method: 'get' | 'post' | 'put' | 'delete',
    path: string,
    body?: object,
    language?: string,
  ): supertest.Test => {
    const request = hub.request(method, `${MANAGEMENT}/${path}`);
    if (language !== undefined) void request.set('accept-language', language);
    return body ? request.send(body) : request;
  };
  const add = async (fields: Json = {}): Promise<Json> =>
    (await send('post', 'add', aManagedModel({ api_base: provider.url, ...fields })).expect(201)).body as Json;
  const refusal = async (request: supertest.Test, status: number): Promise<Json> => {
    const answer = await request.expect(status);
    expect(shapeProblem(`${MANAGEMENT}/add`, answer)).toBeNull();
    return (answer.body as { error: Json }).error;
  };

  describe('adding', () => {
    it('saves a model by the names its callers know, with their defaults', async () => {
      const added = await add({ alias: 'by-old-names', temperature: 0.25, custom_params: { seed: 7 } });
      expect(Object.keys(added).sort()).toEqual(['message', 'model_id', 'status']);
      expect(added).toMatchObject({ message: 'The model by-old-names was added.', status: 'configured' });
      expect(await readModel(hub, added['model_id'])).toMatchObject({
        alias: 'by-old-names',
        default_temperature: 0.25,
        custom_parameters: { seed: 7 },
        max_tokens: 4096,
        is_local: false,
        has_api_key: true,
        version: 1,
      });
      expect((await call(hub, aChat('by-old-names'))).status).toBe(200);
      expect(provider.calls[0]?.body).toMatchObject({ temperature: 0.25, seed: 7 });
    });

    it('without a key needs one', async () => {
      expect(await add({ api_key: undefined })).toMatchObject({ status: 'needs_api_key' });
      expect(await add({ api_key: null, is_local: true })).toMatchObject({ status: 'configured' });
    });

    it('answers in the language of the caller', async () => {
      const body = aManagedModel({ alias: '同名' });
      const refused = await refusal(send('post', 'add', body, 'zh-CN'), 400);
      expect(refused).toMatchObject({ code: 'validation_failed', param: 'alias' });
      const named = aManagedModel({ alias: 'in-chinese' });
      const { body: added } = await send('post', 'add', named, 'zh-CN,zh;q=0.9,en;q=0.8').expect(201);
      expect(added).toMatchObject({ message: '模型 in-chinese 已添加。' });
      const taken = await refusal(send('post', 'add', named, 'zh'), 409);
      expect(taken).toMatchObject({ code: 'alias_taken', param: 'alias', type: 'invalid_request_error' });
      expect(taken['message']).toMatch(/^别名已被占用：/);
    });

    it('refuses an alias that is taken', async () => {
      await add({ alias: 'taken' });
      const error = await refusal(send('post', 'add', aManagedModel({ alias: 'taken' })), 409);
      expect(error).toMatchObject({ code: 'alias_taken', param: 'alias' });
      expect(error['message']).toContain('taken');
    });

    it.each<[string, Json, number, string, string]>([
      ['no alias', { alias: undefined }, 400, 'validation_failed', 'alias'],
      ['a temperature that is too high', { temperature: 3 }, 400, 'validation_failed', 'temperature'],
      ['parameters that are no object', { custom_params: [] }, 400, 'validation_failed', 'custom_params'],
      [
        'parameters that a call sets itself',
        { custom_params: { model: 'x' } },
        400,
        'validation_failed',
        'custom_params',
      ],
      ['a name of the newer API', { default_temperature: 1 }, 400, 'validation_failed', 'default_temperature'],
      ['a provider that is not known', { provider: 'acme' }, 400, 'validation_failed', 'provider'],
      [
        'an address that is not allowed',
        { api_base: 'http://169.254.169.254/' },
        400,
        'api_base_not_allowed',
        'api_base',
      ],
      ['a provider without an address', { api_base: null }, 422, 'api_base_required', 'api_base'],
      ['a masked key', { api_key: 'sk-…abcd' }, 422, 'masked_api_key', 'api_key'],
    ])('refuses %s by the name it was sent under', async (_name, fields, status, code, param) => {
      expect(await refusal(send('post', 'add', aManagedModel(fields)), status)).toMatchObject({ code, param });
    });
  });

  describe('changing', () => {
    it('leaves what is not sent as it is, and clears what is null', async () => {
      const { model_id: id } = await add({ alias: 'to-change', temperature: 0.25, custom_params: { seed: 7 } });
      const { body } = await send('put', `update/${String(id)}`, { temperature: null, max_tokens: 100 }).expect(200);
      expect(body).toEqual({ message: 'The model to-change was changed.', model_id: id, status: 'configured' });
      expect(await readModel(hub, id)).toMatchObject({
        default_temperature: null,
        max_tokens: 100,
        custom_parameters: { seed: 7 },
        has_api_key: true,
        version: 2,
      });
      await send('put', `update/${String(id)}`, { custom_params: {}, alias: 'changed' }).expect(200);
      expect(await readModel(hub, id)).toMatchObject({ custom_parameters: {}, alias: 'changed', version: 3 });
    });

    it('does not let a stored key follow a changed address', async () => {
      const { model_id: id } = await add();
      const change = { api_base: 'http://127.0.0.1:18081/v1' };
      const error = await refusal(send('put', `update/${String(id)}`, change), 422);
      expect(error).toMatchObject({ code: 'credential_required', param: 'api_key' });
      await send('put', `update/${String(id)}`, { ...change, api_key: 'another-key-0123' }).expect(200);
    });

    it('refuses a taken alias, and wrong values by their names', async () => {
      await add({ alias: 'occupied' });
      const { model_id: id } = await add();
      const update = (body: Json): supertest.Test => send('put', `update/${String(id)}`, body);
      expect(await refusal(update({ alias: 'occupied' }), 409)).toMatchObject({ code: 'alias_taken' });
      expect(await refusal(update({ temperature: 'hot' }), 400)).toMatchObject({ param: 'temperature' });
      expect(await refusal(update({ alias: null }), 400)).toMatchObject({ param: 'alias' });
    });

    it('is noted in the history under the name of the caller', async () => {
      const { model_id: id } = await add();
      const token = await hub.createToken('models:write');
      await hub
        .request('put', `${MANAGEMENT}/update/${String(id)}`, token)
        .send({ max_tokens: 7 })
        .expect(200);
      const { body } = await hub.request('get', `${CONFIGS}/${String(id)}/history`).expect(200);
      const [newest, first] = (body as { entries: Json[] }).entries;
      expect(newest?.['action']).toBe('update');
      expect(newest?.['actor_id']).not.toEqual(first?.['actor_id']);
    });
  });

  describe('removing', () => {
    it('takes the model away, from calls too', async () => {
      const { model_id: id } = await add({ alias: 'to-remove' });
      expect((await call(hub, aChat('to-remove'))).status).toBe(200);
      const { body } = await send('delete', `remove/${String(id)}`, undefined, 'zh').expect(200);
      expect(body).toEqual({ message: '模型已删除。', model_id: id });
      await hub.request('get', `${CONFIGS}/${String(id)}`).expect(404);
      await until(
        async () => (await call(hub, aChat('to-remove'))).status,
        (status) => status === 404,
      );
      expect(await refusal(send('delete', `remove/${String(id)}`), 404)).toMatchObject({ code: 'config_not_found' });
    });
  });

  it.each([
    ['put', 'update'],
    ['delete', 'remove'],
    ['post', 'test'],
  ] as const)('%s %s: an unknown id is 404, one that is none 400', async (method, path) => {
    const unknown = `${path}/00000000-0000-0000-0000-000000000000`;
    const body = method === 'put' ? { max_tokens: 1 } : undefined;
    expect(await refusal(send(method, unknown, body), 404)).toMatchObject({ code: 'config_not_found' });
    expect(await refusal(send(method, `${path}/7`, body), 400)).toMatchObject({ param: 'id' });
  });

  describe('testing', () => {
    it('says that a model works, as it always has', async () => {
      const { model_id: id } = await add({ alias: 'works' });
      const { body } = await send('post', `test/${String(id)}`).expect(200);
      expect(body).toEqual({
        status: 'success',
        message: expect.stringMatching(/^The model answered in \d+ ms\.$/),
        response_time_ms: expect.any(Number),
        model_info: { name: 'real-model', provider: 'openai_compatible', endpoint: provider.url, has_api_key: true },
      });
    });

    it('says what is wrong with one that does not', async () => {
      const { model_id: id } = await add();
      const answer = { error: { message: 'That key was revoked', code: 'invalid_api_key' } };
      provider.answerWith((_received, response) => sendJson(response, 401, answer));
      const { body } = await send('post', `test/${String(id)}`, undefined, 'zh').expect(200);
      expect(body).toEqual({
        status: 'error',
        message: expect.stringMatching(/^服务商拒绝了密钥。 That key was revoked 请检查密钥/),
        requires_api_key: true,
        error_type: 'auth',
      });
      expect(await readModel(hub, id)).toMatchObject({ status: 'error' });
      provider.answerWith((_received, response) => sendJson(response, 500, { error: { message: 'Oops' } }));
      const other = await send('post', `test/${String(id)}`).expect(200);
      expect(other.body).toMatchObject({ status: 'error', requires_api_key: false, error_type: 'server' });
    });

    it('asks for the key that is missing', async () => {
      const { model_id: id } = await add({ api_key: null });
      const { body } = await send('post', `test/${String(id)}`).expect(200);
      expect(body).toMatchObject({ requires_api_key: true, error_type: 'credential_missing' });
      expect(provider.calls).toHaveLength(0);
    });
  });

  describe('what there is', () => {
    it('lists the providers, with names of models that are known of them', async () => {
      const { body } = await send('get', 'providers', undefined, 'zh-CN').expect(200);
      const { providers, total } = body as { providers: Record<string, Json>; total: number };
      expect(Object.keys(providers)).toEqual([...PROVIDERS]);
      expect(total).toBe(PROVIDERS.length);
      expect(providers['openai']).toMatchObject({
        name: 'OpenAI',
        api_base: 'https://api.openai.com/v1',
        requires_api_key: true,
        description: 'OpenAI 官方接口',
      });
      const names = providers['openai']?.['supported_models'] as string[];
      expect(names).toContain('gpt-4o-mini');
      expect(providers['local']).toMatchObject({ requires_api_key: false, supported_models: [] });
      for (const { supported_models } of Object.values(providers)) {
        expect((supported_models as string[]).length).toBeLessThanOrEqual(200);
      }
    });

    it('tells what each provider is', async () => {
      const { body } = await hub.request('get', `${MODELS}/providers`).expect(200);
      const { providers, total, presets } = body as { providers: Json[]; total: number; presets: Json[] };
      expect(providers.map((entry) => entry['provider'])).toEqual([...PROVIDERS]);
      expect(total).toBe(PROVIDERS.length);
      expect(presets.map((preset) => preset['id'])).toEqual([...PRESET_IDS]);
      expect(presets.find((preset) => preset['id'] === 'moonshot')).toEqual({
        id: 'moonshot',
        names: { 'zh-CN': '月之暗面 Kimi', en: 'Moonshot AI (Kimi)' },
        provider: 'openai_compatible',
        api_base: 'https://api.moonshot.cn/v1',
        other_api_bases: ['https://api.moonshot.ai/v1'],
        key_url: 'https://platform.moonshot.cn/console/api-keys',
        requires_api_key: true,
        is_local: false,
      });
      expect(providers.find((entry) => entry['provider'] === 'openai')).toEqual({
        provider: 'openai',
        name: 'OpenAI',
        description: "OpenAI's own API",
        default_api_base: 'https://api.openai.com/v1',
        requires_api_key: true,
        modalities: ['text', 'image', 'file', 'audio'],
      });
      expect(providers.find((entry) => entry['provider'] === 'openai_compatible')).toMatchObject({
        default_api_base: null,
      });
    });

    it('lists the models that can be called, and how they do', async () => {
      const first = await saveModel(hub, {
        api_base: provider.url,
        priority: 900,
        supports_images: true,
        tags: { team: 'a' },
      });
      const off = await saveModel(hub, { priority: 901, is_enabled: false });
      const keyless = await saveModel(hub, { priority: 902, api_key: null });
      await call(hub, aChat(first['alias']));
      const { body } = await hub.request('get', `${MODELS}/`).query({ limit: 1 }).expect(200);
      const { models, total } = body as { models: Json[]; total: number };
      expect(models).toHaveLength(1);
      expect(total).toBeGreaterThan(1);
      expect(models[0]).toMatchObject({
        id: first['id'],
        alias: first['alias'],
        provider: 'openai_compatible',
        priority: 900,
        tags: { team: 'a' },
        health: 'healthy',
        multimodal_capabilities: first['multimodal_capabilities'],
      });
      const all = await hub.request('get', MODELS).query({ limit: 1000 }).expect(200);
      expect(all.text).not.toContain(String(off['id']));
      expect(all.text).not.toContain(String(keyless['id']));
      expect(await refusal(hub.request('get', MODELS).query({ limit: 0 }), 400)).toMatchObject({ param: 'limit' });
    });

    it('is shown to whoever calls models, or reads them, and to nobody else', async () => {
      for (const path of [`${MODELS}/`, `${MODELS}/providers`]) {
        for (const scope of GRANTABLE_SCOPES) {
          const { status } = await hub.request('get', path, await hub.createToken(scope));
          expect({ path, scope, status }).toEqual({
            path,
            scope,
            status: scope === 'invoke' || scope === 'models:read' ? 200 : 403,
          });
        }
      }
    });
  });
});

describe('the management API while storage is away', () => {
  let hub: TestHub;
  let storage: ScriptedStorage;
  let caller: TestHub;
  const id = '2d29aba2-a695-4015-8164-ea46106fca36';

  beforeAll(async () => {
    [hub, storage] = await Promise.all([startHub(), startScriptedStorage()]);
    const { body } = await hub.request('get', '/internal/v1/snapshot', hub.serviceToken).expect(200);
    storage.on('GET /internal/v1/snapshot', (response, nth) =>
      nth === 1 ? sendJson(response, 200, body) : response.writeHead(503).end(),
    );
    caller = await startCaller(hub, storage.url, { STORAGE_SERVICE_TIMEOUT: '2' });
    await until(
      async () => (await caller.request('get', `${MANAGEMENT}/list`)).status,
      (status) => status === 200,
    );
  });
  afterAll(async () => {
    await caller.close();
    await storage.close();
    await hub.close().catch(() => undefined);
  });

  it.each([
    ['post', 'add'],
    ['put', `update/${id}`],
    ['delete', `remove/${id}`],
  ] as const)('%s %s is 503, soon, and says when to try again', async (method, path) => {
    const request = caller.request(method, `${MANAGEMENT}/${path}`).set('accept-language', 'zh');
    const { value: answer, milliseconds } = await elapsed(() =>
      method === 'post' ? request.send(aManagedModel()) : method === 'put' ? request.send({ max_tokens: 1 }) : request,
    );
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
    expect((answer.body as { error: Json }).error).toMatchObject({ code: 'storage_unavailable', type: 'server_error' });
    expect((answer.body as { error: Json }).error['message']).toMatch(/^存储服务暂时不可用/);
    expect(milliseconds).toBeLessThan(2500);
  });

  it('a change is sent once: whether it was made cannot be known', () => {
    expect(storage.countOf('POST /api/v1/ai-models/configs')).toBe(0);
    expect(storage.requests.filter(({ method, path }) => method === 'POST' && path.startsWith('/api/')).length).toBe(1);
    expect(storage.requests.filter(({ method }) => method === 'PUT').length).toBe(1);
  });

  it('what needs no storage is answered', async () => {
    const { body } = await caller.request('get', `${MANAGEMENT}/list`).expect(200);
    expect(body).toMatchObject({ degraded: true });
    await caller.request('get', `${MANAGEMENT}/providers`).expect(200);
    await caller.request('get', `${MODELS}/`).expect(200);
  });

  it('a test of a stored model is 503, one of a model that is not stored is made', async () => {
    const answer = await caller.request('post', `${MANAGEMENT}/test/${id}`);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    const provider = await startFakeProvider();
    const { body } = await caller
      .request('post', `${CONFIGS}/test`)
      .send(aModelConfig({ api_base: provider.url }))
      .expect(200);
    expect(body).toMatchObject({ status: 'success' });
    await provider.close();
  });
});
