import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aModelConfig } from './factories/model-config.js';
import { aChat, call, saveModel, until, usageAfter, type Json } from './support/calls.js';
import {
  chunk,
  DONE,
  politeScript,
  sendJson,
  startFakeProvider,
  USAGE,
  wholeAnswer,
  type FakeProvider,
  type ReceivedCall,
} from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';

describe('servers that speak OpenAI', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
  });
  beforeEach(() => {
    provider.calls.length = 0;
    provider.answerWith(politeScript);
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const model = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
  const lastCall = (): ReceivedCall => provider.calls.at(-1) as ReceivedCall;
  const sentBody = (): Json => lastCall().body;
  const streams = (...pieces: string[]): void =>
    provider.answerWith((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(pieces.join(''));
    });

  describe('a preset', () => {
    const create = async (fields: Json): Promise<{ status: number; body: Json }> => {
      const { provider: _own, api_base: _too, api_key: _key, ...config } = aModelConfig();
      return hub.request('post', CONFIGS).send({ ...config, ...fields });
    };

    it('and a key are all it takes to add a service', async () => {
      const { status, body } = await create({ preset: 'siliconflow', api_key: 'sk-0123456789abcdef' });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        provider: 'openai_compatible',
        api_base: 'https://api.siliconflow.cn/v1',
        is_local: false,
        status: 'configured',
      });
      expect(body).not.toHaveProperty('preset');
    });

    it('of a server in the own network needs no key', async () => {
      const { body } = await create({ preset: 'ollama' });
      expect(body).toMatchObject({ provider: 'local', api_base: 'http://127.0.0.1:11434/v1', is_local: true });
      expect(body).toMatchObject({ status: 'configured', has_api_key: false });
    });

    it('fills in only what was left out', async () => {
      const own = { provider: 'openai_compatible', api_base: provider.url, is_local: false };
      expect((await create({ preset: 'vllm', ...own })).body).toMatchObject({ ...own, status: 'needs_api_key' });
      expect((await create({ preset: 'deepseek', api_base: null })).body).toMatchObject({
        provider: 'deepseek',
        api_base: null,
      });
    });

    it('that is none is refused by name of those that are', async () => {
      for (const preset of ['Ollama', '', 'nobody', 7, null, '__proto__']) {
        const { status, body } = await create({ preset, provider: 'openai' });
        expect([status, body['code']]).toEqual([400, 'validation_failed']);
        expect(body['detail']).toMatch(/^preset must be one of deepseek, qwen, .*, llama_cpp$/);
      }
    });

    it('or a provider must be sent, and neither makes up for a wrong one', async () => {
      const none = await create({});
      expect([none.status, none.body['errors']]).toEqual([
        400,
        [{ field: 'provider', message: 'provider must be sent' }],
      ]);
      expect((await create({ preset: 'groq', provider: 'nobody' })).status).toBe(400);
      expect((await create({ preset: 'groq', provider: null })).status).toBe(400);
    });

    it('is for new configs: a change names what it changes', async () => {
      const { id } = await model();
      const { body } = await hub
        .request('put', `${CONFIGS}/${String(id)}`)
        .send({ preset: 'groq' })
        .expect(400);
      expect(body).toMatchObject({ errors: [{ field: 'preset', message: 'preset is not known here' }] });
    });
  });

  describe("the config's max_tokens", () => {
    it.each(['max_tokens', 'max_completion_tokens'])('is the most that %s may ask for', async (name) => {
      const { alias } = await model({ max_tokens: 100 });
      for (const stream of [false, true]) {
        const { status, error } = await call(hub, aChat(alias, { [name]: 101, stream }));
        expect([status, error]).toEqual([
          400,
          {
            code: 'validation_failed',
            param: name,
            type: 'invalid_request_error',
            message: `${String(alias)} writes at most 100 output tokens (max_tokens of its configuration); ${name} asks for 101.`,
          },
        ]);
      }
      expect(provider.calls).toHaveLength(0);
      expect((await call(hub, aChat(alias, { [name]: 100 }))).status).toBe(200);
      expect(sentBody()).toMatchObject({ [name]: 100 });
    });

    it('says nothing of what is no number: that is for the provider to judge', async () => {
      const { alias } = await model({ max_tokens: 100 });
      for (const value of ['999', null, true]) {
        expect((await call(hub, aChat(alias, { max_tokens: value }))).status).toBe(200);
        expect(sentBody()['max_tokens']).toBe(value);
      }
    });

    it('is minded by auto', async () => {
      await model({ max_tokens: 3, priority: 1001 });
      const large = await model({ max_tokens: 200_000, priority: 1000 });
      // An alias is looked up where it is not known yet; auto knows only what has arrived.
      expect((await call(hub, aChat(large['alias']))).status).toBe(200);
      const answer = await until(
        () => call(hub, aChat('auto', { max_tokens: 150_000 })),
        ({ status }) => status === 200,
      );
      expect([answer.status, answer.headers['x-hub-model']]).toEqual([200, large['alias']]);
    });
  });

  describe('Azure OpenAI', () => {
    const azure = (fields: Json = {}): Promise<Json> =>
      model({
        provider: 'azure_openai',
        model_name: 'my-gpt',
        api_key: 'key-of-azure-1234',
        api_base: new URL(provider.url).origin,
        ...fields,
      });

    it('is asked under its deployment, with its own header for the key', async () => {
      const { alias } = await azure({ api_version: '2024-10-21' });
      const { status, headers } = await call(hub, aChat(alias));
      expect([status, headers['x-hub-provider']]).toEqual([200, 'azure_openai']);
      expect(lastCall().path).toBe('/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21');
      expect(lastCall().headers).toMatchObject({ 'api-key': 'key-of-azure-1234' });
      expect(lastCall().headers).not.toHaveProperty('authorization');
      expect(sentBody()).toMatchObject({ model: 'my-gpt' });
    });

    it('is asked by the v1 API where no version is set, streamed and for vectors too', async () => {
      const { alias, id } = await azure();
      expect((await call(hub, aChat(alias, { stream: true }))).text).toContain(DONE);
      expect(lastCall().path).toBe('/openai/v1/chat/completions');
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', input: 11, output: 7, estimated: 0 }]);
      provider.answerWith((_call, response) =>
        sendJson(response, 200, {
          object: 'list',
          data: [{ index: 0, embedding: [0.5] }],
          usage: { prompt_tokens: 3 },
        }),
      );
      const vectors = await call(hub, { model: alias, input: 'a' }, { path: '/v1/embeddings' });
      expect([vectors.status, lastCall().path]).toEqual([200, '/openai/v1/embeddings']);
    });

    it('that refuses what a prompt says: 400, which filter it was, and one attempt', async () => {
      provider.answerWith((_call, response) =>
        sendJson(response, 400, {
          error: {
            message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            type: null,
            param: 'prompt',
            code: 'content_filter',
            status: 400,
            innererror: {
              code: 'ResponsibleAIPolicyViolation',
              content_filter_result: {
                hate: { filtered: true, severity: 'high' },
                violence: { filtered: false, severity: 'safe' },
              },
            },
          },
        }),
      );
      const { alias, id } = await azure({ api_version: '2024-10-21', max_retries: 3 });
      const { status, error, headers } = await call(hub, aChat(alias));
      expect([status, error['code'], headers['x-should-retry']]).toEqual([400, 'content_filter', 'false']);
      expect(error['message']).toContain('(filtered: hate)');
      expect(provider.calls).toHaveLength(1);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'content_filter', calls: 1 }]);
    });

    it('that says in its own header how long to wait is asked again then', async () => {
      const times: number[] = [];
      provider.answerWith((received, response) => {
        times.push(performance.now());
        if (times.length > 1) return politeScript(received, response);
        return sendJson(
          response,
          429,
          { error: { code: '429' } },
          { 'x-ms-retry-after-ms': '80', 'retry-after': '30' },
        );
      });
      const { alias } = await azure({ max_retries: 1 });
      expect((await call(hub, aChat(alias))).status).toBe(200);
      const [first = 0, second = 0] = times;
      expect(second - first).toBeGreaterThanOrEqual(79);
      expect(second - first).toBeLessThan(2000);
    });
  });

  describe('their quirks', () => {
    it('are minded, and what is not sent is told', async () => {
      const { alias } = await model({ provider: 'groq' });
      const messages = [{ role: 'user', content: 'Hi', name: 'ann' }];
      const { headers } = await call(hub, aChat(alias, { messages, logprobs: true, logit_bias: null, seed: 1 }));
      expect(headers['x-hub-ignored-parameters']).toBe('logprobs, messages.name');
      expect(sentBody()).toEqual({ model: 'real-model', messages: [{ role: 'user', content: 'Hi' }], seed: 1 });
      expect((await call(hub, aChat(alias))).headers).not.toHaveProperty('x-hub-ignored-parameters');
    });

    it("give the caller's limit the name the server knows, over what the config sets under either", async () => {
      const reasoning = await model({
        provider: 'openai',
        model_name: 'o4-mini',
        custom_parameters: { max_tokens: 9 },
      });
      await call(hub, aChat(reasoning['alias'], { max_tokens: 20 }));
      expect(sentBody()).toEqual({ model: 'o4-mini', messages: expect.anything(), max_completion_tokens: 20 });
      const local = await model({ provider: 'local', custom_parameters: { max_tokens: 9 } });
      await call(hub, aChat(local['alias'], { max_completion_tokens: 20 }));
      expect(sentBody()).toEqual({ model: 'real-model', messages: expect.anything(), max_tokens: 20 });
      const both = await call(hub, aChat(local['alias'], { max_completion_tokens: 20, max_tokens: 30 }));
      expect(both.headers['x-hub-ignored-parameters']).toBe('max_completion_tokens');
      expect(sentBody()).toMatchObject({ max_tokens: 30 });
    });

    it('leave an image of a local model as it is, to the byte', async () => {
      const { alias } = await model({ provider: 'local', supports_images: true, api_key: null, is_local: true });
      const text = `[ {"role":"developer","content":"x"}, {"role":"user", "content":[{"type":"image_url","image_url":{"url":"${IMAGE}"}}]}]`;
      const { status } = await call(hub, `{"model":"${String(alias)}","messages":${text}}`);
      expect(status).toBe(200);
      expect(lastCall().raw.toString()).toBe(
        `{"model":"real-model","messages":${text.replace('developer', 'system')}}`,
      );
      expect(lastCall().headers).not.toHaveProperty('authorization');
    });

    it.each([
      [
        'Groq',
        `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":${JSON.stringify(USAGE)}}}`,
      ],
      ['Moonshot', `{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":${JSON.stringify(USAGE)}}]}`],
    ])('of %s: usage where it stands', async (_name, last) => {
      const { id, alias } = await model();
      streams(chunk('Hi'), `data: ${last}\n\n`, DONE);
      expect((await call(hub, aChat(alias, { stream: true }))).text).toContain(last);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ calls: 1, estimated: 0, input: 11, output: 7 }]);
    });
  });

  it('may load for a while: their first byte is waited for, and 503 is asked again', async () => {
    const { alias } = await model({ request_timeout: 10 });
    provider.answerWith(async (received, response) => {
      await sleep(700);
      await politeScript(received, response);
    });
    expect((await call(hub, aChat(alias))).status).toBe(200);
    expect((await call(hub, aChat(alias, { stream: true }))).text).toContain(DONE);
    let asked = 0;
    provider.answerWith((received, response) =>
      (asked += 1) === 1
        ? sendJson(response, 503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })
        : politeScript(received, response),
    );
    const patient = await model({ max_retries: 1 });
    const { status, headers } = await call(hub, aChat(patient['alias']));
    expect([status, headers['x-hub-attempts']]).toEqual([200, '2']);
  });

  it.each(['reasoning', 'reasoning_content'])('hand on their thoughts as %s, apart from the text', async (name) => {
    const { id, alias } = await model({ provider: 'local' });
    const whole = wholeAnswer('Yes', null);
    Object.assign((whole['choices'] as { message: Json }[])[0]?.message ?? {}, { [name]: 'Let me think' });
    provider.answerWith((_call, response) => sendJson(response, 200, whole));
    expect((await call(hub, aChat(alias))).json).toEqual(whole);
    const thought = `data: {"choices":[{"index":0,"delta":{"${name}":"Let me think"},"finish_reason":null}]}\n\n`;
    streams(thought, chunk('Yes', 'stop'), DONE);
    expect((await call(hub, aChat(alias, { stream: true }))).text).toBe(thought + chunk('Yes', 'stop') + DONE);
    expect(await usageAfter(hub, id, 2)).toMatchObject([{ outcome: 'ok', calls: 2, estimated: 2 }]);
  });
});
