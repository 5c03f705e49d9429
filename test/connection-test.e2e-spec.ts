import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type supertest from 'supertest';
import type {
  ConnectionTestResult,
  ConnectionTestResults,
} from '../src/ai-model/connection-test/connection-test.views.js';
import { aModelConfig } from './factories/model-config.js';
import {
  aChat,
  call,
  elapsed,
  type Json,
  openCall,
  readModel,
  saveModel,
  until,
  usageAfter,
  usageOf,
} from './support/calls.js';
import { aMessage, anthropicError } from './support/fake-anthropic.js';
import {
  type FakeProvider,
  politeScript,
  type ReceivedCall,
  type Script,
  sendJson,
  startFakeProvider,
  wholeAnswer,
} from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

const RIGHT_KEY = 'key-that-is-right-0123456789';
const keyOf = ({ headers }: ReceivedCall): string => String(headers.authorization).replace('Bearer ', '');
const isListing = ({ path }: ReceivedCall): boolean => path.startsWith('/v1/models');

const refuseKey: Script = ({ headers }, response) =>
  sendJson(response, 401, {
    error: { message: `Incorrect API key provided: ${headers.authorization}.`, code: 'invalid_api_key' },
  });

/** Lets the right key in and nobody else, also not to its list. */
const guarded =
  (inside: Script): Script =>
  (received, response) =>
    keyOf(received) === RIGHT_KEY ? inside(received, response) : refuseKey(received, response);

const listing: Script = (_received, response) => sendJson(response, 200, { data: [{ id: 'real-model' }] });

/** Answers a call with a failure, and lists its models. */
const failing =
  (status: number, error: Json): Script =>
  (received, response) =>
    isListing(received) ? listing(received, response) : sendJson(response, status, { error });

describe('connection tests', () => {
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

  const save = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { api_base: provider.url, api_key: RIGHT_KEY, ...fields });
  const post = (path: string, body?: object, language?: string): supertest.Test => {
    const request = hub.request('post', `${CONFIGS}/${path}`);
    if (language !== undefined) void request.set('accept-language', language);
    return body ? request.send(body) : request;
  };
  const test = async (id: unknown, body?: object, language?: string): Promise<ConnectionTestResult> =>
    (await post(`${String(id)}/test`, body, language).expect(200)).body as ConnectionTestResult;
  const testDraft = async (body: object): Promise<ConnectionTestResult> =>
    (await post('test', body).expect(200)).body as ConnectionTestResult;
  const statusOf = async (id: unknown): Promise<unknown> => (await readModel(hub, id))['status'];

  describe('of a saved config', () => {
    it('is one small call that its provider cannot tell from others by key, address or headers', async () => {
      const saved = await save({
        alias: 'told-apart',
        auth_headers: { 'x-team': 'search' },
        custom_parameters: { seed: 7 },
        default_temperature: 0.5,
      });
      const result = await test(saved['id']);
      expect(result).toMatchObject({
        config_id: saved['id'],
        alias: 'told-apart',
        provider: 'openai_compatible',
        model_name: 'real-model',
        endpoint: provider.url,
        modality: 'text',
        status: 'success',
        proven: ['address', 'key', 'model'],
        error_class: null,
        error_code: null,
        provider_status: null,
        provider_message: null,
        hint: null,
      });
      expect(result.response_time_ms).toBeGreaterThan(0);
      expect(result.message).toMatch(/^The model answered in \d+ ms\.$/);
      await call(hub, {
        ...aChat('told-apart', { max_tokens: 64 }),
        messages: [{ role: 'user', content: 'Reply with the word OK.' }],
      });
      const [tested, called] = provider.calls;
      expect(provider.calls).toHaveLength(2);
      expect(tested?.raw.toString()).toBe(called?.raw.toString());
      expect(tested?.path).toBe(called?.path);
      expect(tested?.headers).toEqual(called?.headers);
      expect(tested?.body['max_tokens']).toBeGreaterThanOrEqual(16);
    });

    it('sets and clears status error, and says what the provider said', async () => {
      provider.answerWith(guarded(politeScript));
      const saved = await save({ api_key: 'key-that-is-wrong-0123456789' });
      const { id } = saved;
      expect(await statusOf(id)).toBe('configured');
      const refused = await test(id);
      expect(refused).toMatchObject({
        status: 'error',
        proven: ['address'],
        error_class: 'auth',
        error_code: 'provider_auth_failed',
        provider_status: 401,
        message: 'The provider refused the key.',
      });
      expect(refused.provider_message).toContain('Incorrect API key provided');
      expect(refused.hint).toContain('Check that the key is complete');
      expect(JSON.stringify(refused)).not.toContain('that-is-wrong');
      expect(await statusOf(id)).toBe('error');

      // A success by another key, sent in the meantime, says nothing of this one.
      await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send({ api_key: RIGHT_KEY })
        .expect(200);
      expect(await test(id)).toMatchObject({ status: 'success', proven: ['address', 'key', 'model'] });
      expect(await statusOf(id)).toBe('configured');
    });

    it('clears the error of a key that works again, without any change', async () => {
      const { id } = await save();
      provider.answerWith(refuseKey);
      await test(id);
      expect(await statusOf(id)).toBe('error');
      provider.answerWith(politeScript);
      await test(id);
      expect(await statusOf(id)).toBe('configured');
    });

    it('is counted as a test, once, and fills the health of the model', async () => {
      const saved = await save();
      await test(saved['id']);
      expect(await usageAfter(hub, saved['id'], 1)).toMatchObject([{ source: 'test', outcome: 'ok', calls: 1 }]);
      const { body } = await hub.request('get', '/api/v1/status/health').query({ limit: 1000 }).expect(200);
      const found = (body as { models: Json[] }).models.find((model) => model['id'] === saved['id']);
      expect(found).toMatchObject({ state: 'healthy', attempts: 1, last_outcome: 'ok' });
    });

    it('is made for a model that is switched off, and leaves it off', async () => {
      const { id } = await save({ is_enabled: false });
      expect(await test(id)).toMatchObject({ status: 'success' });
      expect(await statusOf(id)).toBe('disabled');
    });

    it('does not retry, whatever the config says, and asks no fallback', async () => {
      await save({ alias: 'in-its-place' });
      provider.answerWith(failing(503, { message: 'Overloaded' }));
      const { id } = await save({ max_retries: 5, fallback_aliases: ['in-its-place'] });
      expect(await test(id)).toMatchObject({ error_class: 'overloaded', provider_status: 503, proven: ['address'] });
      expect(provider.calls).toHaveLength(1);
    });

    it('ends with request_timeout', async () => {
      provider.answerWith(() => undefined);
      const { id } = await save({ request_timeout: 1 });
      const { value, milliseconds } = await elapsed(() => test(id));
      expect(value).toMatchObject({ status: 'error', error_class: 'timeout', proven: [], provider_status: null });
      expect(value.hint).toContain('request_timeout');
      expect(milliseconds).toBeGreaterThan(950);
      expect(milliseconds).toBeLessThan(1600);
    });

    it('is given up when the one who asked leaves', async () => {
      provider.answerWith(() => undefined);
      const { id } = await save();
      const asked = openCall(hub.url, hub.adminToken, {}, { path: `${CONFIGS}/${String(id)}/test` });
      const [received] = await until(
        () => provider.calls,
        (calls) => calls.length === 1,
      );
      asked.leave();
      await received?.closed;
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ source: 'test', outcome: 'client_gone' }]);
    });

    it('gets no further with a key that lists models and may not call this one', async () => {
      provider.answerWith((received, response) =>
        guarded(failing(403, { message: 'This key may not use real-model', code: 'forbidden' }))(received, response),
      );
      const { id } = await save();
      const result = await test(id);
      expect(result).toMatchObject({ error_class: 'auth', provider_status: 403, proven: ['address', 'key'] });
      expect(result.hint).toContain('may not use this one');
      expect(provider.calls.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/models', '/v1/models']);
    });

    it('does not take a list that anybody is shown for a proof of the key', async () => {
      provider.answerWith(failing(404, { message: 'No such model: real-model', code: 'model_not_found' }));
      const { id } = await save();
      expect(await test(id)).toMatchObject({ error_class: 'not_found', proven: ['address'] });
      expect(await statusOf(id)).toBe('configured');
    });

    it.each<[string, number, Json, Partial<ConnectionTestResult>]>([
      [
        'quota',
        429,
        { message: 'You exceeded your current quota', code: 'insufficient_quota' },
        { error_class: 'quota', proven: ['address', 'key'] },
      ],
      [
        'a balance that is too low',
        402,
        { message: 'Insufficient balance' },
        { error_class: 'quota', proven: ['address', 'key'] },
      ],
      ['a limit', 429, { message: 'Slow down' }, { error_class: 'rate_limit', proven: ['address'] }],
      ['a failure', 500, { message: 'balance sheet crashed' }, { error_class: 'server', proven: ['address'] }],
      ['a wrong parameter', 400, { message: 'seed is not supported', param: 'seed' }, { error_class: 'bad_request' }],
    ])('tells %s, and switches nothing off', async (_name, status, error, expected) => {
      provider.answerWith(failing(status, error));
      const { id } = await save();
      const result = await test(id);
      expect(result).toMatchObject({
        status: 'error',
        provider_status: status,
        provider_message: error['message'],
        ...expected,
      });
      expect(await readModel(hub, id)).toMatchObject({ is_enabled: true, status: 'configured' });
    });

    it.each([
      ['an empty object', {}],
      ['no choices', { choices: [] }],
      ['a page of something else', { status: 'ok' }],
    ])('does not take %s for an answer', async (_name, answer) => {
      provider.answerWith((_received, response) => sendJson(response, 200, answer));
      const { id } = await save();
      expect(await test(id)).toMatchObject({ status: 'error', error_class: 'bad_answer', proven: [] });
    });

    it('asks nobody when there is nothing to ask with', async () => {
      const { id } = await save({ api_key: null });
      expect(await test(id)).toMatchObject({ error_class: 'credential_missing', error_code: 'credential_missing' });
      expect(provider.calls).toHaveLength(0);
      expect(await usageOf(hub, id)).toEqual([]);
    });

    it('proves no key where none is needed', async () => {
      const { id } = await save({ provider: 'local', is_local: true, api_key: null });
      expect(await test(id)).toMatchObject({ status: 'success', proven: ['address', 'model'] });
    });

    it('does not go to an address that is private', async () => {
      const { id } = await save();
      await hub.database.query(
        'UPDATE ai_model_configs SET api_base = $2, api_key = NULL, is_local = true WHERE id = $1',
        [id, 'http://10.1.2.3:8000/v1'],
      );
      await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send({ description: 'moved' })
        .expect(200);
      expect(await test(id)).toMatchObject({ error_class: 'blocked_destination', proven: [], provider_status: null });
      expect(provider.calls).toHaveLength(0);
    });

    it('speaks the language of the one who asks', async () => {
      const { id } = await save();
      expect((await test(id, undefined, 'zh-CN,zh;q=0.9')).message).toMatch(/^模型在 \d+ 毫秒内应答。$/);
      provider.answerWith(refuseKey);
      const refused = await test(id, {}, 'zh');
      expect(refused).toMatchObject({ message: '服务商拒绝了密钥。' });
      expect(refused.hint).toContain('请检查密钥');
    });

    it.each([
      ['00000000-0000-0000-0000-000000000000', 404, 'config_not_found'],
      ['not-an-id', 400, 'validation_failed'],
    ])('of %s is %s', async (id, status, code) => {
      const { body } = await post(`${id}/test`, {}).expect(status);
      expect(body).toMatchObject({ code });
    });

    it('refuses what it does not know', async () => {
      const { id } = await save();
      const { body } = await post(`${String(id)}/test`, { modality: 'smell' }).expect(400);
      expect(body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'modality' }] });
      await post(`${String(id)}/test`, { api_base: 'http://127.0.0.1:1' }).expect(400);
      expect(provider.calls).toHaveLength(0);
    });
  });

  describe('of reasoning models', () => {
    /** Thinks before it answers, and says so when it may not. */
    const reasoning: Script = ({ body }, response) => {
      const limit = body['max_completion_tokens'];
      if (body['max_tokens'] !== undefined) {
        const message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        return sendJson(response, 400, { error: { message, code: 'unsupported_parameter', param: 'max_tokens' } });
      }
      if (typeof limit !== 'number' || limit < 1000) {
        const message = 'Could not finish the message because max_tokens or model output limit was reached.';
        return sendJson(response, 400, { error: { message, type: 'invalid_request_error' } });
      }
      return sendJson(response, 200, wholeAnswer('OK'));
    };

    it('asks in their words, and for enough tokens', async () => {
      provider.answerWith(reasoning);
      const { id } = await save({ model_name: 'thinker' });
      expect(await test(id)).toMatchObject({ status: 'success', proven: ['address', 'key', 'model'] });
      expect(provider.calls).toHaveLength(2);
      expect(await statusOf(id)).toBe('configured');
    });

    it('takes an answer without text for one: the thoughts used up the tokens', async () => {
      provider.answerWith((_received, response) => sendJson(response, 200, wholeAnswer('')));
      const { id } = await save({ model_name: 'deepseek-reasoner' });
      expect(await test(id)).toMatchObject({ status: 'success' });
      expect(provider.calls[0]?.body['max_tokens']).toBeGreaterThan(1000);
    });

    it('asks for no more than the config allows, and no less than any model needs', async () => {
      const { id } = await save({ max_tokens: 1 });
      await test(id);
      expect(provider.calls[0]?.body['max_tokens']).toBe(16);
    });
  });

  describe('of other inputs than text', () => {
    const ALL = { supports_images: true, supports_files: true, supports_audio: true, supports_videos: true };
    const partOf = ({ body }: ReceivedCall): Json => {
      const [message] = body['messages'] as { content: Json[] }[];
      return message?.content[1] as Json;
    };
    const saying =
      (text: string): Script =>
      (_received, response) =>
        sendJson(response, 200, wholeAnswer(text));

    it.each([
      ['image', 'Red.', 'image_url'],
      ['file', '"Blueberry"', 'file'],
      ['audio', 'A beep', 'input_audio'],
      ['video', 'red', 'video_url'],
    ])('shows a tiny %s, and looks whether the model took it in', async (modality, answer, type) => {
      const { id } = await save(ALL);
      provider.answerWith(saying(answer));
      expect(await test(id, { modality })).toMatchObject({
        status: 'success',
        modality,
        proven: ['address', 'key', 'model', modality],
      });
      expect(partOf(provider.calls[0] as ReceivedCall)['type']).toBe(type);
      provider.answerWith(saying('I cannot see or hear anything.'));
      const blind = await test(id, { modality });
      expect(blind).toMatchObject({ status: 'success', proven: ['address', 'key', 'model'] });
      expect(blind.message).toContain('does not show that the model took it in');
    });

    it('sends the words of a text file where a PDF is not taken', async () => {
      const { id } = await save({ ...ALL, supported_file_types: ['text/*', 'image/png'] });
      provider.answerWith(saying('BLUEBERRY'));
      expect(await test(id, { modality: 'file' })).toMatchObject({ proven: ['address', 'key', 'model', 'file'] });
      expect(JSON.stringify(partOf(provider.calls[0] as ReceivedCall))).toContain('The code word is BLUEBERRY.');
    });

    it('sends nothing that the config does not take', async () => {
      const { id } = await save();
      const result = await test(id, { modality: 'image' });
      expect(result).toMatchObject({
        status: 'error',
        error_class: 'modality',
        error_code: 'modality_not_supported',
        proven: [],
      });
      expect(result.hint).toContain('supports_*');
      expect(provider.calls).toHaveLength(0);
    });
  });

  describe('of a provider with a wire format of its own', () => {
    const claude = { provider: 'claude', model_name: 'claude-sonnet-4-5', supports_images: true };

    it('is made on the same way, with a picture too', async () => {
      provider.answerWith((_received, response) =>
        sendJson(response, 200, aMessage([{ type: 'text', text: 'It is red.' }])),
      );
      const { id } = await save(claude);
      expect(await test(id, { modality: 'image' })).toMatchObject({
        status: 'success',
        proven: ['address', 'key', 'model', 'image'],
      });
      expect(provider.calls).toMatchObject([{ path: '/v1/messages', headers: { 'x-api-key': RIGHT_KEY } }]);
      expect(JSON.stringify(provider.calls[0]?.body)).toContain('"media_type":"image/png"');
    });

    it('tells a refused key in its own words', async () => {
      provider.answerWith((_received, response) =>
        sendJson(response, 401, anthropicError('authentication_error', `invalid x-api-key ${RIGHT_KEY}`)),
      );
      const { id } = await save(claude);
      const result = await test(id);
      expect(result).toMatchObject({ error_class: 'auth', provider_status: 401, proven: ['address'] });
      expect(result.provider_message).toBe('invalid x-api-key [redacted]');
      expect(await statusOf(id)).toBe('error');
    });

    it('says so when it has no such thing, and asks nobody', async () => {
      const { id } = await save(claude);
      expect(await test(id, { modality: 'embeddings' })).toMatchObject({
        error_class: 'unsupported',
        error_code: 'operation_not_supported',
        proven: [],
      });
      expect(provider.calls).toHaveLength(0);
      expect(await usageOf(hub, id)).toEqual([]);
    });
  });

  describe('of models that make vectors', () => {
    const vectors: Script = ({ path }, response) =>
      path === '/v1/embeddings'
        ? sendJson(response, 200, {
            object: 'list',
            data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
            usage: { prompt_tokens: 1, total_tokens: 1 },
          })
        : sendJson(response, 404, { error: { message: 'This is not a chat model', code: 'model_not_found' } });

    it('asks for a vector, by the name of the model', async () => {
      provider.answerWith(vectors);
      const { id } = await save({ model_name: 'text-embedding-3-small' });
      expect(await test(id)).toMatchObject({
        status: 'success',
        modality: 'embeddings',
        proven: ['address', 'key', 'model', 'embeddings'],
      });
      expect(provider.calls[0]?.body).toMatchObject({ model: 'text-embedding-3-small', input: 'test' });
      expect(await test(id, { modality: 'text' })).toMatchObject({ status: 'error', error_class: 'not_found' });
    });

    it('or as it is told, and does not take an answer without one', async () => {
      provider.answerWith(vectors);
      const { id } = await save({ model_name: 'unnamed' });
      expect(await test(id, { modality: 'embeddings' })).toMatchObject({ status: 'success' });
      provider.answerWith((_received, response) => sendJson(response, 200, { data: [{ embedding: [] }] }));
      expect(await test(id, { modality: 'embeddings' })).toMatchObject({ error_class: 'bad_answer' });
    });
  });

  describe('of a config that is not saved', () => {
    const draft = (fields: Json = {}): Json => aModelConfig({ api_base: provider.url, api_key: RIGHT_KEY, ...fields });
    const rowsIn = async (table: string): Promise<number> =>
      Number((await hub.database.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n);

    it('makes the call, and leaves nothing behind', async () => {
      const before = [await rowsIn('ai_model_configs'), await rowsIn('usage_minutes')];
      provider.answerWith(guarded(politeScript));
      expect(await testDraft(draft({ alias: 'planned' }))).toMatchObject({
        config_id: null,
        alias: 'planned',
        status: 'success',
        proven: ['address', 'key', 'model'],
      });
      expect(await testDraft(draft({ api_key: 'key-that-is-wrong-0123456789' }))).toMatchObject({
        error_class: 'auth',
      });
      const { body } = await hub.request('get', '/api/v1/status/metrics').expect(200);
      expect(body).toMatchObject({ unsent_calls: 0 });
      expect([await rowsIn('ai_model_configs'), await rowsIn('usage_minutes')]).toEqual(before);
      expect(JSON.stringify(body)).not.toContain('planned');
    });

    it('may be of a known service', async () => {
      const { provider: _left, ...service } = draft({ preset: 'moonshot' });
      expect(await testDraft(service)).toMatchObject({ provider: 'openai_compatible', status: 'success' });
      const { id } = await save();
      const { body } = await post('test', { id, preset: 'moonshot' }).expect(400);
      expect(body).toMatchObject({ code: 'validation_failed', errors: [{ field: 'preset' }] });
    });

    it('is checked like one that is', async () => {
      const { body } = await post('test', { ...draft(), alias: 'auto', temperatur: 1 }).expect(400);
      const fields = (body as { errors: { field: string }[] }).errors.map(({ field }) => field);
      expect(fields).toEqual(expect.arrayContaining(['alias', 'temperatur']));
      const missing = await post('test', { api_base: provider.url }).expect(400);
      const named = (missing.body as { errors: Json[] }).errors.map(({ field }) => field);
      expect(new Set(named)).toEqual(new Set(['alias', 'model_name', 'provider']));
      expect((await post('test', draft({ api_key: 'sk-***abcd' })).expect(422)).body).toMatchObject({
        code: 'masked_api_key',
      });
      expect(provider.calls).toHaveLength(0);
    });

    it('uses the stored secrets of the config it changes, and sets nothing there', async () => {
      provider.answerWith(guarded(politeScript));
      const saved = await save({ auth_headers: { 'x-team': 'search' }, custom_parameters: { seed: 1 } });
      const { id } = saved;
      expect(await testDraft({ id, model_name: 'newer-model' })).toMatchObject({
        status: 'success',
        alias: saved['alias'],
      });
      expect(provider.calls[0]).toMatchObject({
        body: { model: 'newer-model', seed: 1 },
        headers: { 'x-team': 'search' },
      });
      expect(await testDraft({ id, api_key: 'key-that-is-wrong-0123456789' })).toMatchObject({ error_class: 'auth' });
      expect(await testDraft({ id, api_key: null })).toMatchObject({ error_class: 'credential_missing' });
      // The same origin is the same place.
      expect(await testDraft({ id, api_base: `${provider.url}/sub` })).toMatchObject({ status: 'success' });
      expect(await readModel(hub, id)).toEqual(saved);
      expect(await usageOf(hub, id)).toEqual([]);
    });

    it.each<[string, () => Promise<{ elsewhere: FakeProvider | null; change: Json }>]>([
      [
        'address',
        async () => {
          const elsewhere = await startFakeProvider();
          return { elsewhere, change: { api_base: elsewhere.url } };
        },
      ],
      ['provider', () => Promise.resolve({ elsewhere: null, change: { provider: 'openai' } })],
      [
        'address to the default one',
        () => Promise.resolve({ elsewhere: null, change: { provider: 'openai', api_base: null } }),
      ],
    ])('with another %s needs every stored secret again, and sends none', async (_name, prepare) => {
      const { elsewhere, change } = await prepare();
      const { id } = await save({ auth_headers: { 'x-team': 'search' } });
      const { body } = await post('test', { id, ...change }).expect(422);
      expect(body).toMatchObject({
        code: 'credential_required',
        errors: [{ field: 'api_key' }, { field: 'auth_headers' }],
      });
      const half = await post('test', { id, ...change, api_key: RIGHT_KEY }).expect(422);
      expect(half.body).toMatchObject({ code: 'credential_required', errors: [{ field: 'auth_headers' }] });
      expect(provider.calls).toHaveLength(0);
      if (elsewhere === null) return;
      expect(elsewhere.calls).toHaveLength(0);
      const fresh = { api_key: 'key-of-the-new-place-1', auth_headers: null };
      expect(await testDraft({ id, ...change, ...fresh })).toMatchObject({ status: 'success' });
      expect(elsewhere.calls.map(keyOf)).toEqual([fresh.api_key]);
      expect(elsewhere.calls[0]?.headers).not.toHaveProperty('x-team');
      await elsewhere.close();
    });

    it.each([
      ['a private address', 'http://10.0.0.1:8000/v1'],
      ['the metadata of a cloud', 'http://169.254.169.254/v1'],
      ['no address', 'nonsense'],
    ])('with %s reaches nobody', async (_name, apiBase) => {
      const result = await testDraft(draft({ api_base: apiBase }));
      expect(result).toMatchObject({ status: 'error', error_class: 'blocked_destination', proven: [] });
      expect(result.hint).toContain('ALLOWED_PRIVATE_ORIGINS');
    });

    it('tells of a provider that needs an address', async () => {
      expect(await testDraft(draft({ api_base: null }))).toMatchObject({ error_class: 'blocked_destination' });
    });

    it('never shows the key that a provider repeats', async () => {
      const key = 'unlikely-KEY-9f8e7d6c5b4a';
      const hash = createHash('sha256').update(key).digest('hex');
      provider.answerWith((_received, response) =>
        sendJson(response, 400, {
          error: { message: `bad key ${key} (${Buffer.from(key).toString('base64')}) ${hash}`, param: key },
        }),
      );
      const result = await testDraft(draft({ api_key: key }));
      expect(result.provider_message).toContain('bad key [redacted]');
      expect(JSON.stringify(result)).not.toContain(key);
      expect(JSON.stringify(result)).not.toContain(Buffer.from(key).toString('base64'));
      expect(hub.logs()).not.toContain(key);
    });

    it('of an unknown config is 404', async () => {
      const { body } = await post('test', { id: '00000000-0000-0000-0000-000000000000' }).expect(404);
      expect(body).toMatchObject({ code: 'config_not_found' });
    });
  });

  describe('of many', () => {
    const testMany = async (body: object): Promise<ConnectionTestResults> =>
      (await post('test-all', body).expect(200)).body as ConnectionTestResults;

    it('four at a time, in the order they were asked for', async () => {
      const ids = await Promise.all(Array.from({ length: 9 }, async () => String((await save())['id'])));
      let open = 0;
      let most = 0;
      provider.answerWith((received, response) => {
        open += 1;
        most = Math.max(most, open);
        setTimeout(() => {
          open -= 1;
          void politeScript(received, response);
        }, 60);
      });
      const unknown = '00000000-0000-0000-0000-000000000000';
      const answer = await testMany({ ids: [...ids, unknown] });
      expect(answer).toMatchObject({ total: 9, succeeded: 9, failed: 0, not_found: [unknown], not_tested: [] });
      expect(answer.results.map((result) => result.config_id)).toEqual(ids);
      expect(most).toBe(4);
    });

    it('one that fails does not spoil the others', async () => {
      const good = await save();
      const bad = await save({ api_key: null });
      const answer = await testMany({ ids: [bad['id'], good['id']] });
      expect(answer).toMatchObject({ succeeded: 1, failed: 1 });
      expect(answer.results.map(({ status }) => status)).toEqual(['error', 'success']);
    });

    it('all that are switched on', async () => {
      const off = await save({ is_enabled: false });
      const answer = await testMany({ all: true });
      const { body } = await hub.request('get', CONFIGS).query({ limit: 1000 }).expect(200);
      const enabled = (body as { models: Json[] }).models.filter((model) => model['is_enabled'] === true);
      expect(answer.total).toBe(enabled.length);
      expect(answer.results.map((result) => result.config_id)).not.toContain(off['id']);
    });

    it.each([
      ['nothing', {}],
      ['not all', { all: false }],
      ['both', { ids: [], all: true }],
      ['an id that is none', { ids: ['x'] }],
      ['too many', { ids: Array.from({ length: 201 }, () => randomUUID()) }],
    ])('refuses %s', async (_name, body) => {
      expect((await post('test-all', body).expect(400)).body).toMatchObject({
        code: 'validation_failed',
        errors: [{ field: 'ids' }],
      });
    });
  });

  it('stands beside the configs of storage without being taken for one', async () => {
    await hub.request('get', `${CONFIGS}/test`).expect(400);
    await hub.request('put', `${CONFIGS}/test`).send({}).expect(400);
    await hub.request('delete', `${CONFIGS}/test`).expect(400);
  });
});
