import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { call, openCall, readModel, saveModel, until, usageAfter, usageOf, type Json } from './support/calls.js';
import { shapeProblem } from './support/error-answer.js';
import {
  chunk,
  DONE,
  sendJson,
  startFakeProvider,
  USAGE,
  usageChunk,
  wholeAnswer,
  type FakeProvider,
  type Script,
} from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { savePrompt } from './support/prompts.js';

const MESSAGES = '/v1/messages';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%%EOF').toString('base64');
const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

type Params = Anthropic.MessageCreateParamsNonStreaming;

const ask = (
  alias: unknown,
  content: Anthropic.MessageParam['content'] = 'hello',
  fields: Partial<Params> = {},
): Params => ({
  model: String(alias),
  max_tokens: 1000,
  messages: [{ role: 'user', content }],
  ...fields,
});
const failureOf = (request: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(request).then(
    () => 'it went well',
    (error: unknown) => error,
  );
/** A chunk of a stream with this delta. */
const delta = (said: Json, finishReason: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: said, finish_reason: finishReason }] })}\n\n`;

describe("Anthropic's client", () => {
  let hub: TestHub;
  let mock: LLMock;
  let provider: FakeProvider;
  let token: string;
  let client: Anthropic;
  beforeAll(async () => {
    hub = await startHub();
    mock = new LLMock({ port: 0 });
    mock.onMessage('hello', { content: 'Hello from the other side' });
    mock.onMessage('weather', { toolCalls: [{ name: 'get_weather', arguments: '{"city":"Oslo"}' }] });
    mock.onMessage('this picture', { content: 'One pixel' });
    mock.onMessage('this paper', { content: 'An empty page' });
    await mock.start();
    provider = await startFakeProvider();
    token = await hub.createToken('invoke');
    client = new Anthropic({ baseURL: hub.url, apiKey: token, maxRetries: 0 });
  });
  beforeEach(() => {
    provider.calls.length = 0;
  });
  afterAll(async () => {
    await hub.close();
    await mock.stop();
    await provider.close();
  });

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { provider: 'openai', model_name: 'gpt-4o-mini', api_base: `${mock.url}/v1`, ...fields });
  /** A model whose provider does what the test says. */
  const scripted = (script: Script, fields: Json = {}): Promise<Json> => {
    provider.answerWith(script);
    return saveModel(hub, { api_base: provider.url, ...fields });
  };
  const answers = (message: Json, finishReason = 'stop', fields: Json = {}): Script => {
    const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason, ...fields }];
    return (_call, response) => sendJson(response, 200, { ...wholeAnswer(''), choices });
  };
  const streams =
    (...pieces: string[]): Script =>
    (_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) response.write(piece);
      response.end(DONE);
    };
  const sent = (): Json => provider.calls.at(-1)?.body ?? {};

  describe('with a provider that others made', () => {
    it('gets a message, and the call is counted', async () => {
      const { id, alias } = await model();
      const { data, response, request_id: requestId } = await client.messages.create(ask(alias)).withResponse();
      expect(data).toMatchObject({
        id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        type: 'message',
        role: 'assistant',
        model: alias,
        content: [{ type: 'text', text: 'Hello from the other side' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
      });
      expect(response.headers.get('x-hub-model')).toBe(alias);
      expect(requestId).toBe(response.headers.get('x-request-id'));
      const [row] = await usageAfter(hub, id, 1);
      expect(row).toMatchObject({
        outcome: 'ok',
        estimated: 0,
        input: data.usage.input_tokens,
        output: data.usage.output_tokens,
      });
      expect(data.usage.output_tokens).toBeGreaterThan(0);
      expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0 });
    });

    it('gets a stream, word by word to its final message', async () => {
      const { id, alias } = await model();
      const texts: string[] = [];
      const stream = client.messages.stream(ask(alias)).on('text', (text) => texts.push(text));
      const message = await stream.finalMessage();
      expect(message).toMatchObject({
        model: alias,
        content: [{ type: 'text', text: 'Hello from the other side' }],
        stop_reason: 'end_turn',
      });
      expect(texts.length).toBeGreaterThan(1);
      expect(message.usage.output_tokens).toBeGreaterThan(0);
      const counted = { estimated: 0, input: message.usage.input_tokens, output: message.usage.output_tokens };
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', calls: 1, ...counted }]);
    });

    it('gets the call of a tool, whole and put together from a stream', async () => {
      const { alias } = await model();
      const request = ask(alias, 'weather', { tools: [WEATHER], tool_choice: { type: 'any' } });
      const block = { type: 'tool_use', id: expect.any(String), name: 'get_weather', input: { city: 'Oslo' } };
      const whole = await client.messages.create(request);
      expect(whole).toMatchObject({ content: [block], stop_reason: 'tool_use' });
      expect(mock.getLastRequest()?.body).toMatchObject({
        tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER.input_schema } }],
        tool_choice: 'required',
      });
      const streamed = await client.messages.stream(request).finalMessage();
      expect(streamed).toMatchObject({ content: [block], stop_reason: 'tool_use' });
    });

    it('sends a picture and a paper', async () => {
      const { alias } = await model({ supports_images: true, supports_files: true });
      const image: Anthropic.ImageBlockParam = {
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', data: PIXEL },
      };
      const seen = await client.messages.create(
        ask(alias, [image, { type: 'text', text: 'What is in this picture?' }]),
      );
      expect(seen.content).toMatchObject([{ text: 'One pixel' }]);
      expect(mock.getLastRequest()?.body).toMatchObject({
        messages: [{ content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }, {}] }],
      });
      const document: Anthropic.DocumentBlockParam = {
        type: 'document',
        title: 'empty.pdf',
        source: { type: 'base64', media_type: 'application/pdf', data: PDF },
      };
      const read = await client.messages.create(
        ask(alias, [document, { type: 'text', text: 'What is on this paper?' }]),
      );
      expect(read.content).toMatchObject([{ text: 'An empty page' }]);
      const file = { filename: 'empty.pdf', file_data: `data:application/pdf;base64,${PDF}` };
      expect(mock.getLastRequest()?.body).toMatchObject({ messages: [{ content: [{ type: 'file', file }, {}] }] });
    });
  });

  describe('asks', () => {
    it('with all it has, and the provider is asked the same in its own words', async () => {
      const { alias } = await scripted(answers({ content: 'ok' }));
      const { response } = await client.messages
        .create({
          ...ask(alias),
          system: [
            { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
            { type: 'text', text: 'Be kind.' },
          ],
          messages: [
            { role: 'user', content: 'One' },
            { role: 'user', content: [{ type: 'text', text: 'Two' }] },
            { role: 'assistant', content: 'Three' },
            { role: 'user', content: 'Four' },
          ],
          stop_sequences: ['END'],
          temperature: 0.5,
          top_p: 0.9,
          top_k: 40,
          tools: [WEATHER],
          tool_choice: { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true },
          thinking: { type: 'enabled', budget_tokens: 10_000 },
          output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
          metadata: { user_id: 'someone' },
          service_tier: 'standard_only',
          inference_geo: 'eu',
        })
        .withResponse();
      expect(sent()).toEqual({
        model: 'some-model',
        messages: [
          {
            role: 'system',
            content: [
              { type: 'text', text: 'Be brief.' },
              { type: 'text', text: 'Be kind.' },
            ],
          },
          { role: 'user', content: 'One' },
          { role: 'user', content: 'Two' },
          { role: 'assistant', content: 'Three' },
          { role: 'user', content: 'Four' },
        ],
        max_tokens: 1000,
        stop: ['END'],
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        tools: [
          {
            type: 'function',
            function: { name: 'get_weather', description: WEATHER.description, parameters: WEATHER.input_schema },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'get_weather' } },
        parallel_tool_calls: false,
        reasoning_effort: 'medium',
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
        },
        user: 'someone',
      });
      expect(response.headers.get('x-hub-ignored-parameters')).toBe('service_tier, inference_geo');
    });
  });
});
