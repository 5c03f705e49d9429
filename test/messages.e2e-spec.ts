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
import { call, openCall, readModel, saveModel, usageAfter, usageOf, type Json } from './support/calls.js';
import { shapeProblem } from './support/error-answer.js';
import {
  chunk,
  DONE,
  sendJson,
  startFakeProvider,
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
      // The newest models of Anthropic's have none of these, and so its types.
      const sampling = { temperature: 0.5, top_p: 0.9, top_k: 40 };
      const { response } = await client.messages
        .create({
          ...ask(alias),
          ...sampling,
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
          tools: [WEATHER],
          tool_choice: { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true },
          thinking: { type: 'enabled', budget_tokens: 10_000 },
          output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
          metadata: { user_id: 'someone' },
          service_tier: 'standard_only',
          inference_geo: 'eu',
        })
        .withResponse();
      const { name, description, input_schema: parameters } = WEATHER;
      const json_schema = { name: 'answer', schema: { type: 'object' }, strict: true };
      expect(sent()).toEqual({
        model: 'real-model',
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
        ...sampling,
        tools: [{ type: 'function', function: { name, description, parameters } }],
        tool_choice: { type: 'function', function: { name } },
        parallel_tool_calls: false,
        reasoning_effort: 'medium',
        response_format: { type: 'json_schema', json_schema },
        user: 'someone',
      });
      expect(response.headers.get('x-hub-ignored-parameters')).toBe('service_tier, inference_geo');
    });

    it('with a prompt of the hub, which is put in front', async () => {
      const fields = { prompt_content: 'You serve {{name}}.', variables: [{ name: 'name', type: 'string' }] };
      const prompt = await savePrompt(hub, { ...fields, is_public: true, labels: { production: 1 } });
      const { alias } = await scripted(answers({ content: 'ok' }));
      const own = { prompt_template: { name: prompt['name'], variables: { name: 'Ann' } } };
      await client.messages.create({ ...ask(alias, 'hello', { system: 'Be brief.' }), ...own });
      expect(sent()['messages']).toEqual([
        { role: 'system', content: 'You serve Ann.' },
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hello' },
      ]);
      expect(sent()).not.toHaveProperty('prompt_template');
    });

    it('again with the results of tools, a failed one and a picture among them', async () => {
      const { alias } = await scripted(answers({ content: 'Cold' }), { supports_images: true });
      const call = (id: string): Anthropic.ToolUseBlockParam => ({
        type: 'tool_use',
        id,
        name: 'get_weather',
        input: { city: id },
      });
      const picture: Anthropic.ImageBlockParam = {
        type: 'image',
        source: { type: 'url', url: 'https://example.com/a.png' },
      };
      await client.messages.create(
        ask(alias, '', {
          tools: [WEATHER],
          messages: [
            { role: 'user', content: 'Weather?' },
            { role: 'assistant', content: [{ type: 'text', text: 'I look.' }, call('a'), call('b'), call('c')] },
            {
              role: 'user',
              content: [
                { type: 'tool_result', tool_use_id: 'a', content: '4 degrees' },
                { type: 'tool_result', tool_use_id: 'b', is_error: true, content: [{ type: 'text', text: 'no city' }] },
                { type: 'tool_result', tool_use_id: 'c', content: [picture] },
                { type: 'text', text: 'And now?' },
              ],
            },
          ],
        }),
      );
      const called = (id: string): Json => ({
        id,
        type: 'function',
        function: { name: 'get_weather', arguments: `{"city":"${id}"}` },
      });
      expect(sent()['messages']).toEqual([
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: 'I look.', tool_calls: [called('a'), called('b'), called('c')] },
        { role: 'tool', tool_call_id: 'a', content: '4 degrees' },
        { role: 'tool', tool_call_id: 'b', content: 'Error: no city' },
        { role: 'tool', tool_call_id: 'c', content: 'The result is attached below.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Result of the tool call c:' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'text', text: 'And now?' },
          ],
        },
      ]);
    });

    it('by its key or by a bearer token, and of the beta as well', async () => {
      const { alias } = await scripted(answers({ content: 'ok' }));
      const bearer = new Anthropic({ baseURL: hub.url, apiKey: null, authToken: token, maxRetries: 0 });
      expect((await bearer.messages.create(ask(alias))).content).toMatchObject([{ text: 'ok' }]);
      const beta = await client.beta.messages.create({ ...ask(alias), messages: [{ role: 'user', content: 'hi' }] });
      expect(beta.content).toMatchObject([{ text: 'ok' }]);
    });
  });

  describe('is answered', () => {
    const thinking: Params['thinking'] = { type: 'enabled', budget_tokens: 1024 };
    const details = [
      { type: 'reasoning.text', text: 'Hm.', signature: 'signed' },
      { type: 'reasoning.encrypted', data: 'sealed' },
    ];
    const thoughts = [
      { type: 'thinking', thinking: 'Hm.', signature: 'signed' },
      { type: 'redacted_thinking', data: 'sealed' },
    ];

    it('with thoughts', async () => {
      const message = { content: 'Yes', reasoning_content: 'Hm.', reasoning_details: details };
      const { alias } = await scripted(answers(message));
      const answer = await client.messages.create(ask(alias, 'hello', { thinking }));
      expect(answer.content).toEqual([...thoughts, { type: 'text', text: 'Yes', citations: null }]);
    });

    it.each([
      [
        'told piece by piece, and whole when they are signed',
        [{ reasoning_content: 'H' }, { reasoning_content: 'm.' }, { reasoning_details: details }],
      ],
      [
        'signed in pieces',
        [
          { reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }] },
          { reasoning_details: [{ type: 'reasoning.text', text: '.', index: 0 }] },
          { reasoning_details: [{ type: 'reasoning.text', signature: 'signed', index: 0 }, details[1]] },
        ],
      ],
    ])('with a stream of thoughts %s', async (_name, pieces) => {
      const { alias } = await scripted(
        streams(...pieces.map((piece) => delta(piece)), delta({ content: 'Yes' }, 'stop'), usageChunk()),
      );
      const heard: string[] = [];
      const stream = client.messages
        .stream(ask(alias, 'hello', { thinking }))
        .on('thinking', (text) => heard.push(text));
      expect((await stream.finalMessage()).content).toEqual([
        ...thoughts,
        { type: 'text', text: 'Yes', citations: null },
      ]);
      expect(heard.join('')).toBe('Hm.');
      expect(heard.length).toBeGreaterThan(1);
    });

    it('without thoughts it did not ask for, but with those it has to send back', async () => {
      const { alias } = await scripted(streams(delta({ reasoning_content: 'Hm.' }), delta({ content: 'Yes' }, 'stop')));
      const text = { type: 'text', text: 'Yes', citations: null };
      expect((await client.messages.stream(ask(alias)).finalMessage()).content).toEqual([text]);
      provider.answerWith(
        streams(
          delta({ reasoning_content: 'Hm.' }),
          delta({ reasoning_details: details }),
          delta({ content: 'Yes' }, 'stop'),
        ),
      );
      expect((await client.messages.stream(ask(alias)).finalMessage()).content).toEqual([...thoughts, text]);
      const disabled = client.messages.stream(ask(alias, 'hello', { thinking: { type: 'disabled' } }));
      expect((await disabled.finalMessage()).content).toEqual([text]);
    });

    it('with the calls of several tools, even when the provider mixes their pieces', async () => {
      const piece = (index: number, json: string, id?: string): string =>
        delta({
          tool_calls: [{ index, ...(id && { id }), function: { ...(id && { name: 'get_weather' }), arguments: json } }],
        });
      const { alias } = await scripted(
        streams(
          delta({ role: 'assistant', content: 'I look.' }),
          piece(0, '{"ci', 'a'),
          piece(1, '{"city":', 'b'),
          piece(0, 'ty":"Oslo"}'),
          piece(1, '"Rom'),
          piece(2, '', 'c'),
          piece(1, 'e"}'),
          delta({}, 'tool_calls'),
          usageChunk(),
        ),
      );
      const starts: string[] = [];
      const stream = client.messages.stream(ask(alias, 'weather', { tools: [WEATHER] }));
      stream.on('streamEvent', ({ type }) => void starts.push(type));
      const message = await stream.finalMessage();
      expect(message).toMatchObject({
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'a', input: { city: 'Oslo' } },
          { type: 'tool_use', id: 'b', input: { city: 'Rome' } },
          { type: 'tool_use', id: 'c', input: {} },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 11, output_tokens: 7 },
      });
      // One block after the other.
      const opens = starts.filter((type) => /block_st/.test(type)).map((type) => type.replace('content_block_', ''));
      expect(opens.join()).toBe('start,stop,start,stop,start,stop,start,stop');
    });

    it.each([
      ['stop', {}, 'end_turn', null],
      ['stop', { stop_reason: 'END' }, 'stop_sequence', 'END'],
      ['stop', { stop_reason: 128_009 }, 'end_turn', null],
      ['length', {}, 'max_tokens', null],
      ['content_filter', {}, 'refusal', null],
      ['tool_calls', {}, 'end_turn', null],
      ['of another server', {}, 'end_turn', null],
    ])('with the reason of its end: %s %j is %s', async (reason, fields, expected, sequence) => {
      const { alias } = await scripted(answers({ content: 'Hi' }, reason, fields));
      const message = await client.messages.create(ask(alias, 'hello', { stop_sequences: ['END'] }));
      expect(message).toMatchObject({ stop_reason: expected, stop_sequence: sequence });
      const choices = [{ index: 0, delta: { content: 'Hi' }, finish_reason: reason, ...fields }];
      provider.answerWith(streams(`data: ${JSON.stringify({ choices })}\n\n`));
      const streamed = await client.messages.stream(ask(alias, 'hello', { stop_sequences: ['END'] })).finalMessage();
      expect(streamed).toMatchObject({ stop_reason: expected, stop_sequence: sequence });
    });

    it('with what its cache gave and took beside the input', async () => {
      const usage = {
        prompt_tokens: 60,
        completion_tokens: 9,
        prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
        completion_tokens_details: { reasoning_tokens: 4 },
      };
      const expected = {
        input_tokens: 10,
        cache_read_input_tokens: 30,
        cache_creation_input_tokens: 20,
        output_tokens: 9,
        output_tokens_details: { thinking_tokens: 4 },
      };
      const { id, alias } = await scripted((_call, response) => sendJson(response, 200, wholeAnswer('Hi', usage)));
      expect((await client.messages.create(ask(alias))).usage).toMatchObject(expected);
      provider.answerWith(streams(chunk('Hi', 'stop'), usageChunk(usage)));
      expect((await client.messages.stream(ask(alias)).finalMessage()).usage).toMatchObject(expected);
      expect(await usageAfter(hub, id, 2)).toMatchObject([
        { calls: 2, input: 120, cached: 60, output: 18, reasoning: 8 },
      ]);
    });

    it('with an estimate where the provider does not count', async () => {
      const { alias } = await scripted((_call, response) => sendJson(response, 200, wholeAnswer('x'.repeat(40), null)));
      const { usage } = await client.messages.create(ask(alias, 'y'.repeat(80)));
      expect(usage).toMatchObject({ input_tokens: 20, output_tokens: 10 });
      provider.answerWith(streams(chunk('x'.repeat(40), 'stop')));
      const streamed = await client.messages.stream(ask(alias, 'y'.repeat(80))).finalMessage();
      expect(streamed.usage).toMatchObject({ input_tokens: 20, output_tokens: 10 });
    });

    it('with what a provider wants to have back with a call', async () => {
      const extra = { google: { thought_signature: 'sig' } };
      const tool = {
        id: 'a',
        type: 'function',
        function: { name: 'get_weather', arguments: '{}' },
        extra_content: extra,
      };
      const { alias } = await scripted(streams(delta({ tool_calls: [{ index: 0, ...tool }] }, 'tool_calls')));
      const { content } = await client.messages.stream(ask(alias, 'weather', { tools: [WEATHER] })).finalMessage();
      expect(content).toMatchObject([{ type: 'tool_use', id: 'a', extra_content: extra }]);
    });
  });

  describe('fails', () => {
    const stories: [string, number, Json, new (...args: never[]) => Error, number, string, string][] = [
      ['401', 401, { code: 'invalid_api_key' }, APIError, 424, 'api_error', 'provider_auth_failed'],
      ['402', 402, {}, RateLimitError, 429, 'rate_limit_error', 'insufficient_quota'],
      ['404', 404, {}, NotFoundError, 404, 'not_found_error', 'provider_model_not_found'],
      ['400', 400, {}, BadRequestError, 400, 'invalid_request_error', 'provider_rejected_request'],
      ['422', 422, {}, UnprocessableEntityError, 422, 'invalid_request_error', 'provider_rejected_request'],
      [
        'too long',
        400,
        { code: 'context_length_exceeded' },
        BadRequestError,
        400,
        'invalid_request_error',
        'context_length_exceeded',
      ],
      ['429', 429, {}, RateLimitError, 429, 'rate_limit_error', 'rate_limit_exceeded'],
      ['500', 500, {}, InternalServerError, 502, 'api_error', 'provider_error'],
      ['503', 503, {}, InternalServerError, 503, 'overloaded_error', 'provider_overloaded'],
      ['529', 529, {}, InternalServerError, 503, 'overloaded_error', 'provider_overloaded'],
      ['504', 504, {}, InternalServerError, 504, 'timeout_error', 'provider_timeout'],
    ];
    it.each(stories)('as its own errors do, when the provider says %s', async (_name, status, error, type, ...told) => {
      const [answered, errorType, code] = told;
      const { alias } = await scripted((_call, response) =>
        sendJson(response, status, { error: { message: 'No', ...error } }),
      );
      for (const request of [client.messages.create(ask(alias)), client.messages.stream(ask(alias)).finalMessage()]) {
        const failure = await failureOf(request);
        expect(failure).toBeInstanceOf(type);
        expect(failure).toMatchObject({
          status: answered,
          type: errorType,
          errorCode: code,
          apiMessage: expect.stringMatching(/\w/),
        });
        expect((failure as APIError).requestID).toMatch(/^[\w.-]+$/);
      }
    });

    it('for what is wrong with its request, or with who asks', async () => {
      const { alias } = await scripted(answers({ content: 'ok' }), { supports_images: false });
      const stranger = new Anthropic({ baseURL: hub.url, apiKey: 'wrong', maxRetries: 0 });
      const reader = new Anthropic({ baseURL: hub.url, apiKey: await hub.createToken('models:read'), maxRetries: 0 });
      const refusals: [() => Promise<unknown>, new (...args: never[]) => Error, Json][] = [
        [
          () => stranger.messages.create(ask(alias)),
          AuthenticationError,
          { status: 401, type: 'authentication_error', errorCode: 'token_invalid' },
        ],
        [
          () => reader.messages.create(ask(alias)),
          PermissionDeniedError,
          { status: 403, type: 'permission_error', errorCode: 'scope_missing' },
        ],
        [
          () => client.messages.create(ask('nobody')),
          NotFoundError,
          { status: 404, type: 'not_found_error', errorCode: 'model_not_found' },
        ],
        [
          () => client.messages.create({ ...ask(alias), max_tokens: undefined as unknown as number }),
          BadRequestError,
          {
            type: 'invalid_request_error',
            errorCode: 'validation_failed',
            apiMessage: 'max_tokens must be a whole number from 1 on.',
          },
        ],
        [
          () =>
            client.messages.create(
              ask(alias, 'hello', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
            ),
          BadRequestError,
          { errorCode: 'parameter_not_supported', apiMessage: expect.stringContaining('tools[0].type') },
        ],
      ];
      for (const [request, type, fields] of refusals) {
        const failure = await failureOf(request());
        expect(failure).toBeInstanceOf(type);
        expect(failure).toMatchObject(fields);
      }
      expect(provider.calls).toEqual([]);
    });

    it('in the same shape wherever it is refused', async () => {
      const invoke = { token };
      const refusals: [number, string, Parameters<typeof call>[1], Parameters<typeof call>[2]][] = [
        [401, 'token_invalid', '{}', { token: 'wrong' }],
        [400, 'malformed_json', '{"model":', invoke],
        [400, 'validation_failed', '', invoke],
        [415, 'unsupported_media_type', 'a: b', { ...invoke, headers: { 'content-type': 'text/plain' } }],
        [413, 'body_too_large', Buffer.alloc(33 * 1024 * 1024, ' '), invoke],
        [404, 'route_not_found', '{}', { ...invoke, path: `${MESSAGES}/batches` }],
        [404, 'route_not_found', '', { ...invoke, method: 'GET' }],
      ];
      for (const [status, code, body, options] of refusals) {
        const answer = await call(hub, body, { path: MESSAGES, ...options });
        const { status: got, error } = answer;
        expect([got, error['code'], shapeProblem(options?.path ?? MESSAGES, answer)]).toEqual([status, code, null]);
      }
    });

    it('in the middle of a stream as an event, which its client throws', async () => {
      const { id, alias } = await scripted(
        streams(chunk('Hel'), 'data: {"error":{"message":"Too busy","code":503}}\n\n'),
      );
      const heard: string[] = [];
      const stream = client.messages.stream(ask(alias)).on('text', (text) => heard.push(text));
      const failure = await failureOf(stream.finalMessage());
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ type: 'overloaded_error', errorCode: 'provider_overloaded' });
      expect(heard).toEqual(['Hel']);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'overloaded', calls: 1 }]);
      const text = openCall(hub.url, token, JSON.stringify({ ...ask(alias), stream: true }), { path: MESSAGES });
      expect((await text.done).text).not.toMatch(/message_stop|\[DONE\]/);
    });

    it('when the arguments of a tool are no JSON object, unless the limit has cut them', async () => {
      const broken = (reason: string): Script =>
        answers({ tool_calls: [{ id: 'a', function: { name: 'get_weather', arguments: '{"city":' } }] }, reason);
      const { alias } = await scripted(broken('tool_calls'));
      const request = ask(alias, 'weather', { tools: [WEATHER] });
      expect(await failureOf(client.messages.create(request))).toMatchObject({
        status: 502,
        errorCode: 'provider_bad_answer',
      });
      provider.answerWith(broken('length'));
      const cut = await client.messages.create(request);
      expect(cut).toMatchObject({ content: [{ type: 'tool_use', input: {} }], stop_reason: 'max_tokens' });
    });

    it('once for what will not change, and never with a longer wait than a minute', async () => {
      const patient = new Anthropic({ baseURL: hub.url, apiKey: token, maxRetries: 2 });
      const { alias } = await scripted((_call, response) =>
        sendJson(response, 429, { error: { message: 'Later' } }, { 'retry-after': '3600' }),
      );
      const failure = await failureOf(patient.messages.create(ask(alias)));
      expect(failure).toBeInstanceOf(RateLimitError);
      expect((failure as APIError).headers?.get('retry-after')).toBeNull();
      expect((failure as APIError).headers?.get('x-should-retry')).toBe('false');
      expect(provider.calls).toHaveLength(1);
    });
  });

  it('ends the call of the provider when it leaves in the middle of a stream', async () => {
    const { id, alias } = await scripted(async (received, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk('Hel'));
      await received.closed;
    });
    const stream = client.messages.stream(ask(alias));
    const ended = failureOf(stream.finalMessage());
    await new Promise((resolve) => stream.once('text', resolve));
    stream.abort();
    await ended;
    const [received] = provider.calls;
    await Promise.race([received?.closed, sleep(1000).then(() => Promise.reject(new Error('still open')))]);
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'client_gone', calls: 1 }]);
  });

  it('counts tokens without asking anybody, and refuses what a call would be refused with', async () => {
    const { id, alias } = await scripted(answers({ content: 'ok' }));
    const request = { model: String(alias), messages: [{ role: 'user' as const, content: 'x'.repeat(400) }] };
    expect(await client.messages.countTokens(request)).toEqual({ input_tokens: 100 });
    const more = await client.messages.countTokens({ ...request, system: '统'.repeat(50), tools: [WEATHER] });
    expect(more.input_tokens).toBeGreaterThan(150 + JSON.stringify(WEATHER.input_schema).length / 4);
    const failure = await failureOf(client.messages.countTokens({ ...request, model: 'nobody' }));
    expect(failure).toMatchObject({ status: 404, type: 'not_found_error', errorCode: 'model_not_found' });
    expect(provider.calls).toEqual([]);
    expect(await usageOf(hub, id)).toEqual([]);
  });
});
