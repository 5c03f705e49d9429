import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { BadRequestError } from 'openai';
import { aChat, call, saveModel, usageAfter, usageOf, type Answer, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, type FakeProvider, type Script } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { moveLabel, savePrompt } from './support/prompts.js';
import { freePort } from './support/sockets.js';

const EMBEDDINGS = '/v1/embeddings';
/** Some are exact in Float32 and some are not, the smallest and about the largest among them. */
const VECTOR = [0.1, -2, 0.5, 1e-45, 3.4e38, 0, 1 / 3, 123_456.789];
const OTHER = VECTOR.toReversed();
const USAGE = { prompt_tokens: 6, total_tokens: 6 };

/** Not the hub's own conversion: what a client makes of Float32. */
const rounded = (vector: readonly number[]): number[] => [...Float32Array.from(vector)];
const inBase64 = (vector: readonly number[]): string =>
  Buffer.from(Float32Array.from(vector).buffer).toString('base64');

const listOf = (embeddings: readonly unknown[], usage: Json | null = USAGE): Json => ({
  object: 'list',
  data: embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  model: 'real-model',
  ...(usage && { usage }),
});

const answering =
  (body: unknown, status = 200): Script =>
  (_call, response) =>
    sendJson(response, status, body);

const FORMATS = { float: (vector: readonly number[]): unknown => vector, base64: inBase64 };
type Format = keyof typeof FORMATS;
const IN_ALL_FORMATS: [Format, Format][] = [
  ['float', 'float'],
  ['float', 'base64'],
  ['base64', 'float'],
  ['base64', 'base64'],
];

let hub: TestHub;
let provider: FakeProvider;
let client: OpenAI;
beforeAll(async () => {
  [hub, provider] = await Promise.all([startHub(), startFakeProvider()]);
  client = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: await hub.createToken('invoke'), maxRetries: 0 });
});
beforeEach(() => {
  provider.calls.length = 0;
  provider.answerWith(answering(listOf([VECTOR])));
});
afterAll(async () => {
  await hub.close();
  await provider.close();
});

const model = (fields: Json = {}): Promise<Json> => saveModel(hub, { api_base: provider.url, ...fields });
const aliasOf = async (fields: Json = {}): Promise<string> => String((await model(fields))['alias']);
const embed = (alias: unknown, fields: Json = {}): Promise<Answer> =>
  call(hub, { model: alias, input: 'Hi', ...fields }, { path: EMBEDDINGS });
const vectorsIn = ({ json }: Answer): unknown[] => (json['data'] as Json[]).map(({ embedding }) => embedding);

describe("the vector that OpenAI's client gets", () => {
  let mock: LLMock;
  beforeAll(async () => {
    mock = new LLMock({ port: 0 });
    mock.onEmbedding(/./, { embedding: VECTOR });
    await mock.start();
  });
  afterAll(() => mock.stop());

  it('is the one of a server that answers floats to whoever asks for base64', async () => {
    const alias = await aliasOf({
      provider: 'openai',
      model_name: 'text-embedding-3-small',
      api_base: `${mock.url}/v1`,
    });
    const { data, model: answeredBy } = await client.embeddings.create({ model: alias, input: ['a', 'b'] });
    expect(data.map(({ embedding }) => embedding)).toEqual([rounded(VECTOR), rounded(VECTOR)]);
    expect(answeredBy).toBe('text-embedding-3-small');
    expect(mock.getLastRequest()?.path).toBe('/v1/embeddings');
  });

  it.each(IN_ALL_FORMATS)('is the same element by element: asked for %s, answered %s', async (asked, answered) => {
    const alias = await aliasOf();
    provider.answerWith(answering(listOf([VECTOR, OTHER].map(FORMATS[answered]))));
    const format = asked === 'base64' ? {} : { encoding_format: asked };
    const { data, usage } = await client.embeddings.create({ model: alias, input: ['a', 'b'], ...format });
    expect(provider.calls[0]?.body['encoding_format']).toBe(asked);
    const isExact = asked === 'float' && answered === 'float';
    expect(data.map(({ embedding }) => embedding)).toEqual(
      [VECTOR, OTHER].map((vector) => (isExact ? vector : rounded(vector))),
    );
    expect(usage).toEqual(USAGE);
  });
});

describe('over plain HTTP', () => {
  it.each(['float', 'base64'] as const)(
    'a list of numbers comes when nothing is asked for: answered %s',
    async (answered) => {
      const alias = await aliasOf();
      provider.answerWith(answering(listOf([FORMATS[answered](VECTOR)])));
      for (const fields of [{}, { encoding_format: null }, { encoding_format: 'float' }]) {
        const answer = await embed(alias, fields);
        expect(vectorsIn(answer)).toEqual([answered === 'float' ? VECTOR : rounded(VECTOR)]);
      }
    },
  );

  it('base64 comes when it is asked for, with everything else as the provider said it', async () => {
    const alias = await aliasOf();
    provider.answerWith(answering({ ...listOf([VECTOR]), id: 'e-1', extra: { a: [1] } }));
    const answer = await embed(alias, { encoding_format: 'base64' });
    expect(answer.json).toEqual({ ...listOf([inBase64(VECTOR)]), id: 'e-1', extra: { a: [1] } });
    expect(answer.headers).toMatchObject({ 'x-hub-model': alias, 'x-hub-attempts': '1' });
    expect(answer.headers['content-type']).toContain('application/json');
  });

  it("the provider's bytes come when they are right already", async () => {
    const alias = await aliasOf();
    const bytes = `{ "data":[ {"index":0, "embedding":[1.0,2.50,0.10000000000000000001]} ],\n "usage":{"prompt_tokens":2} }`;
    provider.answerWith((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(bytes);
    });
    expect((await embed(alias)).text).toBe(bytes);
  });
});

describe('what reaches the provider', () => {
  it("is the caller's bytes with the model's name and the parameters of its config", async () => {
    const alias = await aliasOf({
      default_temperature: 0.3,
      default_top_p: 0.5,
      custom_parameters: { dimensions: 8, truncate: 'END' },
    });
    const body = `{"input" : [[1,2],\n[3]],  "model":${JSON.stringify(alias)},"dimensions":4, "invented":1e400}`;
    await call(hub, body, { path: EMBEDDINGS });
    const named = body.replace(JSON.stringify(alias), '"real-model"');
    expect(provider.calls[0]?.raw.toString()).toBe(`${named.slice(0, -1)},"truncate":"END"}`);
    expect(provider.calls[0]?.path).toBe('/v1/embeddings');
  });

  it('has no system prompt, whatever the config says', async () => {
    const prompt = await savePrompt(hub);
    await moveLabel(hub, prompt, 'production', 1);
    const alias = await aliasOf({ system_prompt_name: prompt['name'] });
    expect((await embed(alias)).status).toBe(200);
    expect(provider.calls[0]?.body).toEqual({ model: 'real-model', input: 'Hi' });
  });

  it('is nothing for a request that no provider would take', async () => {
    const alias = await aliasOf();
    for (const [fields, param] of [
      [{ input: [] }, 'input'],
      [{ input: ['a', 1] }, 'input[1]'],
      [{ encoding_format: 'int8' }, 'encoding_format'],
      [{ prompt_template: { name: 'for-chat' } }, 'prompt_template'],
    ] as const) {
      const { status, error } = await embed(alias, fields);
      expect([status, error['code'], error['param']]).toEqual([400, 'validation_failed', param]);
    }
    expect((await embed('auto')).error).toMatchObject({ code: 'validation_failed', param: 'model' });
    expect((await embed('nobody')).error).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(provider.calls).toHaveLength(0);
  });
});

describe('an answer that cannot be right', () => {
  it.each<[string, unknown]>([
    ['fewer vectors than inputs', listOf([VECTOR])],
    ['more vectors than inputs', listOf([VECTOR, VECTOR, VECTOR])],
    ['something that is no number', listOf([VECTOR, [1, null]])],
    ['no vectors', { object: 'list' }],
    ['base64 of something else', listOf([inBase64(VECTOR), 'AAAA'])],
  ])('is a failure of the provider: %s', async (_name, body) => {
    const { id, alias } = await model();
    provider.answerWith(answering(body));
    const { status, error } = await embed(alias, { input: ['a', 'b'], encoding_format: 'base64' });
    expect([status, error['code']]).toEqual([502, 'provider_bad_answer']);
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'bad_answer', calls: 1, input: 0 }]);
  });

  it('is told with what the provider said, where it said so', async () => {
    const alias = await aliasOf();
    provider.answerWith(
      answering({ error: { message: 'Too long', type: 'invalid_request_error', param: 'input' } }, 400),
    );
    const failure: unknown = await client.embeddings
      .create({ model: alias, input: 'Hi' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ status: 400, code: 'provider_rejected_request', param: 'input' });
  });
});

describe('the usage', () => {
  it('is what the provider says, and has no output', async () => {
    const { id, alias } = await model();
    await embed(alias);
    const counted = { outcome: 'ok', calls: 1, estimated: 0, input: 6, output: 0 };
    expect(await usageAfter(hub, id, 1)).toMatchObject([counted]);
  });

  it.each<[string, unknown, number, number]>([
    ['texts', ['a'.repeat(40), '世界'], 2, 12],
    ['tokens', [5, 6, 7], 1, 3],
    ['lists of tokens', [[5, 6], [7]], 2, 3],
  ])('is estimated from %s where it says nothing', async (_name, input, vectors, tokens) => {
    const { id, alias } = await model();
    provider.answerWith(
      answering(
        listOf(
          Array.from({ length: vectors }, () => VECTOR),
          null,
        ),
      ),
    );
    expect((await embed(alias, { input })).status).toBe(200);
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', estimated: 1, input: tokens, output: 0 }]);
  });
});

describe('in place of a model that fails', () => {
  it('only the same model is asked, behind another key or in another region', async () => {
    const twin = await model({ model_name: 'embed-1' });
    const other = await model({ model_name: 'embed-2' });
    const elsewhere = await model({ model_name: 'embed-1', provider: 'local' });
    const alias = await aliasOf({
      model_name: 'embed-1',
      api_base: `${provider.url}/broken`,
      fallback_aliases: [other['alias'], elsewhere['alias'], twin['alias']],
    });
    provider.answerWith((received, response) => {
      if (received.path.includes('broken')) sendJson(response, 503, { error: { message: 'Down' } });
      else sendJson(response, 200, listOf([VECTOR]));
    });
    const { status, headers } = await embed(alias);
    expect([status, headers['x-hub-model'], headers['x-hub-attempts']]).toEqual([200, twin['alias'], '2']);
    expect(await usageOf(hub, other['id'])).toEqual([]);
  });

  it('nobody is asked when there is no other of its kind, and the failure is told', async () => {
    const other = await aliasOf({ model_name: 'embed-2' });
    const alias = await aliasOf({ model_name: 'embed-1', fallback_aliases: [other] });
    provider.answerWith(answering({ error: { message: 'Down' } }, 503));
    const { status, headers } = await embed(alias);
    expect([status, headers['x-hub-model']]).toEqual([503, alias]);
    expect(provider.calls).toHaveLength(1);
  });

  it('any is asked for a chat, as ever', async () => {
    const other = await aliasOf({ model_name: 'chat-2' });
    const alias = await aliasOf({
      model_name: 'chat-1',
      api_base: `http://127.0.0.1:${await freePort()}/v1`,
      fallback_aliases: [other],
    });
    provider.answerWith(answering({ choices: [{ message: { role: 'assistant', content: 'Hi' } }] }));
    expect((await call(hub, aChat(alias))).headers['x-hub-model']).toBe(other);
  });
});

it('a chat with a model that makes vectors alone is for its provider to refuse', async () => {
  const alias = await aliasOf({ model_name: 'text-embedding-3-small' });
  provider.answerWith(answering({ error: { message: 'This is not a chat model', param: 'model' } }, 404));
  const { status, error } = await call(hub, aChat(alias));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(error['message']).toContain('This is not a chat model');
});
