import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import type { ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { z } from 'zod';
import { call, readModel, saveModel, until, usageAfter, type Json } from './support/calls.js';
import { chunk, DONE, sendJson, startFakeProvider, usageChunk, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { savePrompt } from './support/prompts.js';

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = `data:application/pdf;base64,${Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64')}`;
const WEATHER: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
};

const failureOf = (request: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(request).then(
    () => 'it went well',
    (error: unknown) => error,
  );

const collect = async (stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> => {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
};

/** As agents do: what came out goes in again. */
const asInput = ({ output }: OpenAI.Responses.Response): ResponseInputItem[] => output as ResponseInputItem[];

/** OpenAI's own client for Responses, unchanged, against models that speak chat. */
describe('POST /v1/responses', () => {
  let hub: TestHub;
  let mock: LLMock;
  let provider: FakeProvider;
  let client: OpenAI;
  let direct: OpenAI;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
    mock = new LLMock({ port: 0 });
    mock.onToolResult('call_oslo', { content: 'It rains in Oslo' });
    mock.onMessage('hello', { content: 'Hello from the other side' });
    mock.onMessage('weather', {
      toolCalls: [{ id: 'call_oslo', name: 'get_weather', arguments: '{"city":"Oslo"}' }],
    });
    mock.onMessage('both cities', {
      toolCalls: [
        { id: 'call_oslo', name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { id: 'call_rome', name: 'get_weather', arguments: '{"city":"Rome"}' },
      ],
    });
    mock.onMessage('a person', { content: '{"name":"Ada","age":36}' });
    mock.onMessage('too fast', {
      error: { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
      status: 429,
    });
    mock.onMessage('too much', {
      error: { message: 'Too long', type: 'invalid_request_error', code: 'context_length_exceeded' },
      status: 400,
    });
    mock.onMessage('broken', { error: { message: 'Oops', type: 'server_error' }, status: 500 });
    await mock.start();
    const apiKey = await hub.createToken('invoke');
    client = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey, maxRetries: 0 });
    direct = new OpenAI({ baseURL: `${mock.url}/v1`, apiKey: 'any', maxRetries: 0 });
  });
  afterAll(async () => {
    await hub.close();
    await mock.stop();
    await provider.close();
  });

  const model = async (fields: Json = {}): Promise<string> => {
    const saved = await saveModel(hub, { provider: 'openai', api_base: `${mock.url}/v1`, ...fields });
    return String(saved['alias']);
  };
  const scripted = (fields: Json = {}): Promise<string> => model({ api_base: provider.url, ...fields });
  const lastBody = (): Json => provider.calls.at(-1)?.body ?? {};
  const answersWith = (choice: Json, usage?: Json): void =>
    provider.answerWith((_call, response) => sendJson(response, 200, { choices: [{ index: 0, ...choice }], usage }));
  const streams = (...pieces: string[]): void =>
    provider.answerWith((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) response.write(piece);
      response.end();
    });

  it('answers with a whole Response, and the call is counted', async () => {
    const { id, alias } = await saveModel(hub, { provider: 'openai', api_base: `${mock.url}/v1` });
    const { data, response } = await client.responses
      .create({
        model: String(alias),
        input: 'hello',
        instructions: 'Be kind',
        metadata: { team: 'a' },
        temperature: 0.5,
      })
      .withResponse();
    expect(data.output_text).toBe('Hello from the other side');
    expect(data).toMatchObject({
      id: expect.stringMatching(/^resp_\w{32}$/),
      object: 'response',
      status: 'completed',
      model: alias,
      instructions: 'Be kind',
      metadata: { team: 'a' },
      temperature: 0.5,
      store: false,
      error: null,
      incomplete_details: null,
      output: [{ type: 'message', role: 'assistant', status: 'completed', content: [{ annotations: [] }] }],
    });
    expect(response.headers.get('x-hub-model')).toBe(alias);
    expect(mock.getLastRequest()?.body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: 'hello' },
      ],
      temperature: 0.5,
    });
    const counted = { outcome: 'ok', calls: 1, input: data.usage?.input_tokens, output: data.usage?.output_tokens };
    expect(await usageAfter(hub, id, 1)).toMatchObject([counted]);
    expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0 });
  });

  it.each([
    ['a text', 'hello', {}],
    ['calls of tools', 'both cities', { tools: [WEATHER] }],
  ])('streams %s in the very events that an OpenAI server sends', async (_name, input, fields) => {
    const alias = await model();
    const events = await collect(await client.responses.create({ model: alias, input, stream: true, ...fields }));
    const reference = await collect(
      await direct.responses.create({ model: 'gpt-4o-mini', input, stream: true, ...fields }),
    );
    const shapeOf = (seen: ResponseStreamEvent[]): unknown[] => {
      const shapes = seen.map((event) => [event.type, 'item_id' in event, 'output_index' in event]);
      // How many pieces a text comes in is each server's own business.
      return shapes.filter(([type], index) => !(String(type).endsWith('.delta') && shapes[index - 1]?.[0] === type));
    };
    expect(shapeOf(events)).toEqual(shapeOf(reference));
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_event, index) => index));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: expect.anything() } });
  });

  it('puts a stream together as the whole answer would be', async () => {
    const alias = await model();
    const whole = await client.responses.create({ model: alias, input: 'hello' });
    const streamed = await client.responses.stream({ model: alias, input: 'hello' }).finalResponse();
    const words = (response: OpenAI.Responses.Response): unknown =>
      response.output.map((item) => (item.type === 'message' ? item.content.map((part) => part.type) : item.type));
    expect(streamed.output_text).toBe(whole.output_text);
    expect(words(streamed)).toEqual(words(whole));
    expect(streamed.status).toBe('completed');
    expect(streamed.usage?.output_tokens).toBeGreaterThan(0);
  });

  it('parses an answer by a schema', async () => {
    const alias = await model();
    const Person = z.object({ name: z.string(), age: z.number() });
    const text = { format: zodTextFormat(Person, 'person') };
    const parsed = await client.responses.parse({ model: alias, input: 'a person', text });
    expect(parsed.output_parsed).toEqual({ name: 'Ada', age: 36 });
    expect(mock.getLastRequest()?.body).toMatchObject({
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'person', strict: true, schema: { type: 'object' } },
      },
    });
    const streamed = await client.responses.stream({ model: alias, input: 'a person', text }).finalResponse();
    expect(streamed.output_parsed).toEqual({ name: 'Ada', age: 36 });
  });

  it.each([false, true])('calls a tool and goes on with what it gave (streamed: %s)', async (streamed) => {
    const alias = await model();
    const ask = async (input: ResponseInputItem[]): Promise<OpenAI.Responses.Response> => {
      const request = { model: alias, input, tools: [WEATHER] };
      return streamed ? client.responses.stream(request).finalResponse() : client.responses.create(request);
    };
    const input: ResponseInputItem[] = [{ role: 'user', content: 'the weather please' }];
    const first = await ask(input);
    const wanted = first.output.find((item) => item.type === 'function_call');
    expect(wanted).toMatchObject({ name: 'get_weather', call_id: 'call_oslo', status: 'completed' });
    expect(JSON.parse(wanted?.arguments ?? '')).toEqual({ city: 'Oslo' });
    input.push(...asInput(first), { type: 'function_call_output', call_id: wanted?.call_id ?? '', output: 'rain' });
    const second = await ask(input);
    expect(second.output_text).toBe('It rains in Oslo');
    const call_ = {
      id: 'call_oslo',
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    };
    expect(mock.getLastRequest()?.body).toMatchObject({
      messages: [
        { role: 'user', content: 'the weather please' },
        { role: 'assistant', tool_calls: [call_] },
        { role: 'tool', tool_call_id: 'call_oslo', content: 'rain' },
      ],
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER.parameters } }],
    });
  });

  it('sends a picture, a file and a sound', async () => {
    const alias = await scripted({ supports_images: true, supports_files: true, supports_audio: true });
    answersWith({ message: { role: 'assistant', content: 'Seen' }, finish_reason: 'stop' });
    const content = [
      { type: 'input_text', text: 'What is this?' },
      { type: 'input_image', image_url: PIXEL, detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: PDF },
    ] satisfies OpenAI.Responses.ResponseInputContent[];
    const { output_text: text } = await client.responses.create({ model: alias, input: [{ role: 'user', content }] });
    expect(text).toBe('Seen');
    const parts = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: PIXEL, detail: 'low' } },
      { type: 'file', file: { file_data: PDF, filename: 'a.pdf' } },
    ];
    expect(lastBody()['messages']).toEqual([{ role: 'user', content: parts }]);
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('says that an answer is not complete when it ends by %s', async (finish, reason) => {
    const alias = await scripted();
    answersWith({ message: { role: 'assistant', content: 'Once up' }, finish_reason: finish });
    const request = { model: alias, input: 'tell', max_output_tokens: 16 };
    const whole = await client.responses.create(request);
    expect(lastBody()).toMatchObject({ max_completion_tokens: 16 });
    streams(chunk('Once up'), chunk('', finish), usageChunk(), DONE);
    const streamed = await client.responses.stream(request).finalResponse();
    for (const response of [whole, streamed]) {
      expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason }, output_text: 'Once up' });
      expect(response.output).toMatchObject([{ status: 'incomplete' }]);
    }
    const last = (await collect(await client.responses.create({ ...request, stream: true }))).at(-1);
    expect(last).toMatchObject({ type: 'response.incomplete' });
  });

  it('gets errors of its own classes', async () => {
    const alias = await model();
    const stranger = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    const ask = (input: string): Promise<unknown> => failureOf(client.responses.create({ model: alias, input }));
    const stories: [unknown, unknown, Json][] = [
      [await ask('too fast'), RateLimitError, { status: 429, code: 'rate_limit_exceeded' }],
      [await ask('too much'), BadRequestError, { status: 400, code: 'context_length_exceeded' }],
      [await ask('broken'), InternalServerError, { status: 502, code: 'provider_error' }],
      [
        await failureOf(client.responses.create({ model: 'nobody', input: 'hello' })),
        NotFoundError,
        { status: 404, code: 'model_not_found', param: 'model' },
      ],
      [
        await failureOf(stranger.responses.create({ model: alias, input: 'hello' })),
        AuthenticationError,
        { status: 401, code: 'token_invalid' },
      ],
      [await failureOf(client.responses.retrieve('resp_1')), NotFoundError, { status: 404 }],
    ];
    for (const [failure, type, fields] of stories) {
      expect(failure).toBeInstanceOf(type);
      expect(failure).toMatchObject(fields);
    }
    expect(
      await failureOf(client.responses.stream({ model: alias, input: 'too fast' }).finalResponse()),
    ).toBeInstanceOf(RateLimitError);
  });

  it.each([
    ['validation_failed', 'input', {}],
    ['validation_failed', 'input[0].role', { input: [{ role: 'tool', content: 'x' }] }],
    [
      'validation_failed',
      'input[0].content[1].image_url',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'x' },
              { type: 'input_image', image_url: { url: PIXEL } },
            ],
          },
        ],
      },
    ],
    [
      'validation_failed',
      'input[0].content[0].image_url',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png' }] }] },
    ],
    [
      'validation_failed',
      'input[0].content[0].input_audio.data',
      {
        input: [
          {
            role: 'user',
            content: [{ type: 'input_audio', input_audio: { data: 'data:audio/wav;base64,AA', format: 'wav' } }],
          },
        ],
      },
    ],
    ['validation_failed', 'input[0].call_id', { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] }],
    ['validation_failed', 'max_tokens', { input: 'x', max_tokens: 5 }],
    ['validation_failed', 'api_key', { input: 'x', api_key: 'sk-mine' }],
    ['validation_failed', 'prompt_template.name', { input: 'x', prompt_template: {} }],
    ['parameter_not_supported', 'tools[0].type', { input: 'x', tools: [{ type: 'web_search' }] }],
    ['parameter_not_supported', 'previous_response_id', { input: 'x', previous_response_id: 'resp_1' }],
    ['parameter_not_supported', 'conversation', { input: 'x', conversation: 'conv_1' }],
    ['parameter_not_supported', 'background', { input: 'x', background: true }],
    ['parameter_not_supported', 'prompt', { input: 'x', prompt: { id: 'pmpt_1' } }],
    ['parameter_not_supported', 'input[0].type', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ])('refuses with %s what is wrong with %s, and asks nobody', async (code, param, fields: Json) => {
    const alias = await scripted();
    const before = provider.calls.length;
    const { status, error } = await call(hub, { model: alias, ...fields }, { path: '/v1/responses' });
    expect({ status, code: error['code'], param: error['param'] }).toEqual({ status: 400, code, param });
    expect(error['message']).toContain(param);
    expect(provider.calls).toHaveLength(before);
  });

  it('tells what it cannot honour, and hands on what it does not know', async () => {
    const alias = await scripted();
    answersWith({ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' });
    const fields = { input: 'x', store: true, truncation: 'auto', seed: 7, user: null, user_defined: { a: 1 } };
    const { headers, json } = await call(hub, { model: alias, ...fields }, { path: '/v1/responses' });
    expect(headers['x-hub-ignored-parameters']).toBe('store, truncation');
    expect(json).toMatchObject({ store: false, truncation: 'disabled' });
    expect(lastBody()).toMatchObject({ seed: 7, user_defined: { a: 1 } });
    for (const name of ['store', 'truncation', 'user', 'input']) expect(lastBody()).not.toHaveProperty(name);
  });

  it("puts a prompt of the hub's before the caller's instructions", async () => {
    const alias = await scripted();
    answersWith({ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' });
    const { name } = await savePrompt(hub, {
      prompt_content: 'You serve {{who}}.',
      variables: [{ name: 'who', type: 'string' }],
      labels: { production: 1 },
    });
    const prompt = { prompt_template: { name, variables: { who: 'tea' } } };
    const answer = await call(
      hub,
      { model: alias, input: 'x', instructions: 'Short', ...prompt },
      { path: '/v1/responses' },
    );
    expect(answer.headers['x-hub-prompt']).toBe(`${String(name)}@1`);
    expect(lastBody()['messages']).toEqual([
      { role: 'system', content: 'You serve tea.' },
      { role: 'system', content: 'Short' },
      { role: 'user', content: 'x' },
    ]);
  });

  it('hands thoughts out, and takes them back in the next turn', async () => {
    const alias = await scripted();
    const thought = (delta: Json): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
    const signed = { type: 'reasoning.text', index: 0, signature: 'sig-1' };
    streams(
      thought({ reasoning_content: 'Let me ' }),
      thought({ reasoning_content: 'think', reasoning_details: [signed] }),
      chunk('Done'),
      chunk('', 'stop'),
      usageChunk(),
      DONE,
    );
    const first = await client.responses
      .stream({ model: alias, input: 'think', reasoning: { effort: 'low', summary: 'auto' } })
      .finalResponse();
    expect(lastBody()).toMatchObject({ reasoning_effort: 'low' });
    const [thoughts, message] = first.output;
    expect(thoughts).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me think' }] });
    expect(message).toMatchObject({ type: 'message', status: 'completed' });
    streams(chunk('Again', 'stop'), DONE);
    const input = [
      { role: 'user' as const, content: 'think' },
      ...asInput(first),
      { role: 'user' as const, content: 'on' },
    ];
    await client.responses.stream({ model: alias, input }).finalResponse();
    expect(lastBody()['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'Done' },
      { role: 'user', content: 'on' },
    ]);
  });

  describe('a stream that breaks off', () => {
    it('ends with response.failed, and an error that the client throws', async () => {
      const { id, alias } = await saveModel(hub, { provider: 'openai', api_base: provider.url });
      streams(chunk('Hel'), 'data: {"error":{"message":"broken","type":"server_error"}}\n\n');
      const seen: ResponseStreamEvent[] = [];
      const failure = await failureOf(
        (async () => {
          const stream = await client.responses.create({ model: String(alias), input: 'x', stream: true });
          for await (const event of stream) seen.push(event);
        })(),
      );
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ code: 'provider_error', message: expect.stringContaining('broken') });
      expect(seen.at(-1)).toMatchObject({
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error' }, output: [{ status: 'in_progress' }] },
      });
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'server', calls: 1, estimated: 1 }]);
      streams(chunk('Hel'));
      expect(
        await failureOf(client.responses.stream({ model: String(alias), input: 'x' }).finalResponse()),
      ).toMatchObject({ code: 'provider_bad_answer' });
    });

    it('ends at the provider when the caller leaves', async () => {
      const { id, alias } = await saveModel(hub, { provider: 'openai', api_base: provider.url });
      provider.answerWith(async (_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        while (!response.destroyed) {
          response.write(chunk('12345678'));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      });
      const stream = client.responses.stream({ model: String(alias), input: 'x' });
      const final = failureOf(stream.finalResponse());
      await stream.emitted('response.output_text.delta');
      stream.abort();
      expect(await final).toBeInstanceOf(APIUserAbortError);
      await provider.calls.at(-1)?.closed;
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'client_gone', calls: 1 }]);
    });
  });

  it('is 502 when the provider answers without a message', async () => {
    const alias = await scripted();
    provider.answerWith((_call, response) => sendJson(response, 200, { choices: [] }));
    expect(await failureOf(client.responses.create({ model: alias, input: 'x' }))).toMatchObject({
      status: 502,
      code: 'provider_bad_answer',
    });
    await until(
      () => provider.calls.length,
      (count) => count > 0,
    );
  });
});
