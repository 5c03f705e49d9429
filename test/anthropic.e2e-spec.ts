import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  aChat,
  call,
  openCall,
  readModel,
  saveModel,
  until,
  usageAfter,
  usageOf,
  usageSoon,
  type Json,
} from './support/calls.js';
import {
  aMessage,
  anthropicError,
  anthropicEvent,
  block,
  MESSAGE_STOP,
  messageDelta,
  messageStart,
  PING,
  politeAnthropic,
  sendEvents,
  streamedHello,
  textBlock,
  toolBlock,
} from './support/fake-anthropic.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { chunksOf, contentOf, finishOf, messageOf, toolCallsOf, usageIn } from './support/openai-chunks.js';

const KEY = 'sk-ant-api03-0123456789abcdef';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQK';
const TOOLS = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }];

describe('a model of Anthropic', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider(politeAnthropic)]);
  });
  beforeEach(() => {
    provider.calls.length = 0;
    provider.answerWith(politeAnthropic);
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, {
      provider: 'claude',
      model_name: 'claude-sonnet-4-5',
      api_base: provider.url,
      api_key: KEY,
      supports_images: true,
      supports_files: true,
      ...fields,
    });
  const known = new Map<string, Promise<Json>>();
  /** The same model for the same fields: saving one costs more than asking it. Not where its usage or status is looked at. */
  const shared = (fields: Json): Promise<Json> => {
    const saved = known.get(JSON.stringify(fields)) ?? model(fields);
    known.set(JSON.stringify(fields), saved);
    return saved;
  };
  const answers = (message: Json): void => provider.answerWith((_call, response) => sendJson(response, 200, message));
  const streams = (...pieces: (string | Buffer)[]): void =>
    provider.answerWith((_call, response) => sendEvents(response, ...pieces));
  const fails = (status: number, body: unknown, headers: Record<string, string> = {}): void =>
    provider.answerWith((_call, response) => sendJson(response, status, body, headers));
  const stream = (alias: unknown, fields: Json = {}): ReturnType<typeof call> =>
    call(hub, aChat(alias, { stream: true, stream_options: { include_usage: true }, ...fields }));
  const ask = async (fields: Json, config: Json = {}): Promise<Awaited<ReturnType<typeof call>>> => {
    const { alias } = await shared(config);
    return call(hub, aChat(alias, fields));
  };
  const sentBody = (): Json => provider.calls.at(-1)?.body ?? {};

  describe('whole', () => {
    it("is OpenAI's chat.completion, asked with the key in its header and counted", async () => {
      const { id, alias } = await model();
      const answer = await call(hub, aChat(alias));
      expect(answer).toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/json', 'x-hub-provider': 'claude', 'x-hub-attempts': '1' },
        json: {
          id: 'msg_01',
          object: 'chat.completion',
          model: 'claude-sonnet-4-5-20250929',
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        },
      });
      const { path, headers } = provider.calls[0]!;
      expect(path).toBe('/v1/messages');
      expect(headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' });
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('user-agent');
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'ok', estimated: 0, input: 11, output: 7 }]);
    });

    it('sends the max_tokens of the config when the caller gives none, and puts roles in turns under one system', async () => {
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One' },
        { role: 'user', content: [{ type: 'text', text: 'Two' }] },
        { role: 'developer', content: 'Be kind.' },
        { role: 'assistant', content: 'Three' },
        { role: 'user', content: 'Four' },
      ];
      await ask({ messages }, { max_tokens: 777 });
      expect(sentBody()).toMatchObject({
        max_tokens: 777,
        system: [
          { type: 'text', text: 'Be brief.' },
          { type: 'text', text: 'Be kind.' },
        ],
        messages: [
          { role: 'user', content: [{ text: 'One' }, { text: 'Two' }] },
          { role: 'assistant', content: [{ text: 'Three' }] },
          { role: 'user', content: [{ text: 'Four' }] },
        ],
      });
    });

    it('counts cached input as input: 10, 20 written and 30 read are 60', async () => {
      const { id, alias } = await model();
      const usage = {
        input_tokens: 10,
        output_tokens: 5,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 30,
      };
      answers(aMessage(undefined, { usage }));
      const answer = await call(hub, aChat(alias));
      expect(answer.json['usage']).toMatchObject({
        prompt_tokens: 60,
        completion_tokens: 5,
        total_tokens: 65,
        prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
      });
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ input: 60, cached: 30, output: 5 }]);
    });

    it.each([
      ['end_turn', 'stop'],
      ['stop_sequence', 'stop'],
      ['pause_turn', 'stop'],
      ['max_tokens', 'length'],
      ['tool_use', 'tool_calls'],
      ['refusal', 'content_filter'],
    ])('says of %s that it is %s', async (theirs, ours) => {
      answers(aMessage(undefined, { stop_reason: theirs }));
      expect(finishOf(await ask({}))).toBe(ours);
    });

    it('is an error without a reason why it ended, and when the context was too small', async () => {
      answers(aMessage(undefined, { stop_reason: null }));
      expect(await ask({})).toMatchObject({ status: 502, error: { code: 'provider_bad_answer' } });
      answers(aMessage(undefined, { stop_reason: 'model_context_window_exceeded' }));
      expect((await ask({})).error['code']).toBe('context_length_exceeded');
    });

    it('has tool calls, and takes their results back as blocks of one user message', async () => {
      const { alias } = await model();
      const calls = ['toolu_1', 'toolu_2'].map((id) => ({ type: 'tool_use', id, name: 'weather', input: { id } }));
      answers(aMessage([{ type: 'text', text: 'Let me see.' }, ...calls], { stop_reason: 'tool_use' }));
      const answer = await call(hub, aChat(alias, { tools: TOOLS }));
      const message = messageOf(answer);
      expect(message['tool_calls']).toEqual([
        { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"id":"toolu_1"}' } },
        { id: 'toolu_2', type: 'function', function: { name: 'weather', arguments: '{"id":"toolu_2"}' } },
      ]);
      const results = ['toolu_1', 'toolu_2'].map((id) => ({
        role: 'tool',
        tool_call_id: id,
        content: `${id} is sunny`,
      }));
      await call(hub, aChat(alias, { tools: TOOLS, messages: [{ role: 'user', content: 'Hi' }, message, ...results] }));
      expect(sentBody()['messages']).toMatchObject([
        { role: 'user' },
        { role: 'assistant', content: [{ type: 'text' }, { type: 'tool_use', id: 'toolu_1' }, { id: 'toolu_2' }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'toolu_1 is sunny' },
            { type: 'tool_result', tool_use_id: 'toolu_2', content: 'toolu_2 is sunny' },
          ],
        },
      ]);
    });
  });

  describe('streamed', () => {
    it("is OpenAI's chunks with [DONE] at the end, although Anthropic sends none", async () => {
      const { id, alias } = await model();
      const answer = await stream(alias);
      expect(contentOf(answer.text)).toBe('Hello');
      expect(chunksOf(answer.text)[0]).toMatchObject({
        id: 'msg_01',
        object: 'chat.completion.chunk',
        model: 'claude-sonnet-4-5-20250929',
        choices: [{ delta: { role: 'assistant', content: 'Hel' }, finish_reason: null }],
      });
      expect(usageIn(answer.text)).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
      expect(answer.text).toMatch(/data: \[DONE\]\n\n$/);
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'ok', estimated: 0, input: 11, output: 7 }]);
    });

    it('counts usage that grows, 5, 9, 14, as 14', async () => {
      const { id, alias } = await model();
      const deltas = [messageDelta(null, 5), messageDelta(null, 9), messageDelta('end_turn', 14)];
      streams(messageStart(), textBlock(0, 'Hi'), ...deltas, MESSAGE_STOP);
      expect(usageIn((await stream(alias)).text)).toMatchObject({ completion_tokens: 14 });
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ output: 14 }]);
    });

    it('is the same with a ping between any two events', async () => {
      const { alias } = await model();
      streams(
        ...streamedHello()
          .split(/(?<=\n\n)/)
          .flatMap((event) => [PING, event, PING]),
      );
      const answer = await stream(alias);
      expect(contentOf(answer.text)).toBe('Hello');
      expect(answer.text).toMatch(/\[DONE\]\n\n$/);
    });

    it('has tool calls in pieces, and empty arguments as an object', async () => {
      const { alias } = await model();
      const text = textBlock(0, 'Let me see.');
      const calls = toolBlock(1, 'toolu_1', 'weather', '{"ci', 'ty":"Köln"}') + toolBlock(2, 'toolu_2', 'time');
      streams(messageStart(), text, calls, messageDelta('tool_use'), MESSAGE_STOP);
      const answer = await stream(alias, { tools: TOOLS });
      expect(toolCallsOf(answer.text)).toEqual([
        { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
        { id: 'toolu_2', type: 'function', function: { name: 'time', arguments: '{}' } },
      ]);
      expect(finishOf(answer)).toBe('tool_calls');
    });

    it('reaches the provider only as far as the caller stays: who leaves ends its stream, counted once', async () => {
      const { id, alias } = await model();
      provider.answerWith((_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          messageStart() +
            anthropicEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        );
        response.write(anthropicEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hel' } }));
      });
      const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
      await until(open.text, (text) => text.includes('Hel'));
      open.leave();
      await provider.calls[0]?.closed;
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'client_gone', calls: 1, estimated: 1 }]);
    });

    it.each([
      ['without its end', [messageStart(), textBlock(0, 'Hel')]],
      ['without message_stop', [messageStart(), textBlock(0, 'Hel'), messageDelta('end_turn')]],
      ['inside an event', [messageStart(), textBlock(0, 'Hel'), 'event: message_delta\ndata: {"ty']],
      ['with an event that is no JSON', [messageStart(), textBlock(0, 'Hel'), 'data: {oops\n\n', MESSAGE_STOP]],
      [
        'with an event of a kind unknown',
        [messageStart(), textBlock(0, 'Hel'), anthropicEvent('surprise'), MESSAGE_STOP],
      ],
      [
        'with a line that is no event',
        [messageStart(), textBlock(0, 'Hel'), '<html>Bad gateway</html>\n\n', MESSAGE_STOP],
      ],
    ])('that ends %s is an error to the caller, not a normal end', async (_how, pieces) => {
      const { id, alias } = await model();
      streams(...pieces);
      const { text } = await stream(alias);
      expect(contentOf(text)).toBe('Hel');
      expect(text).not.toContain('[DONE]');
      expect(text).toContain('"code":"provider_bad_answer"');
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'bad_answer', calls: 1, estimated: 1 }]);
    });

    it('does not hold an event of 50 MB in memory, and says so', async () => {
      const { alias } = await model();
      provider.answerWith(async ({ closed }, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.on('error', () => undefined);
        response.write('data: {"type":"ping","padding":"');
        const connection = { isClosed: false };
        void closed.then(() => (connection.isClosed = true));
        for (let megabytes = 0; megabytes < 50 && !connection.isClosed; megabytes += 1) {
          if (!response.write('x'.repeat(1024 * 1024))) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        response.end();
      });
      const answer = await stream(alias);
      expect(answer.error).toMatchObject({
        code: 'provider_bad_answer',
        message: expect.stringContaining('larger than'),
      });
    });
  });

  describe('that thinks', () => {
    const THOUGHT = { type: 'thinking', thinking: 'Hmm, well.', signature: 'sig-1' };
    const SEALED = { type: 'redacted_thinking', data: 'c2VhbGVk' };

    it('thinks within a share of what the call may write, and shows its thoughts signed', async () => {
      answers(aMessage([THOUGHT, SEALED, { type: 'text', text: 'Yes' }]));
      const answer = await ask({ reasoning_effort: 'medium', max_completion_tokens: 4000 });
      expect(sentBody()).toMatchObject({ max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 2000 } });
      expect(messageOf(answer)).toMatchObject({
        content: 'Yes',
        reasoning_content: 'Hmm, well.',
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hmm, well.', signature: 'sig-1' },
          { type: 'reasoning.encrypted', data: 'c2VhbGVk' },
        ],
      });
    });

    it('decides itself how much to think where a model is told the effort alone', async () => {
      await ask({ reasoning_effort: 'high' }, { model_name: 'claude-opus-4-7' });
      expect(sentBody()).toMatchObject({ thinking: { type: 'adaptive' }, output_config: { effort: 'high' } });
    });

    it('is told not to where it would by itself', async () => {
      await ask({ reasoning_effort: 'none' }, { model_name: 'claude-sonnet-5' });
      expect(sentBody()).toMatchObject({ thinking: { type: 'disabled' } });
    });

    it('shows its thoughts in a stream as they come, and signed once they are complete', async () => {
      const { alias } = await model();
      const thinking = block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Hmm, ' },
        { type: 'thinking_delta', thinking: 'well.' },
        { type: 'signature_delta', signature: 'sig-1' },
      );
      streams(messageStart(), thinking, block(1, SEALED), textBlock(2, 'Yes'), messageDelta('end_turn'), MESSAGE_STOP);
      const { text } = await stream(alias, { reasoning_effort: 'low' });
      const deltas = chunksOf(text).flatMap(({ choices }) => (choices as Json[]).map(({ delta }) => delta as Json));
      expect(deltas.map((delta) => delta['reasoning_content']).filter(Boolean)).toEqual(['Hmm, ', 'well.']);
      expect(deltas.flatMap((delta) => delta['reasoning_details'] ?? [])).toEqual([
        { type: 'reasoning.text', text: 'Hmm, well.', signature: 'sig-1' },
        { type: 'reasoning.encrypted', data: 'c2VhbGVk' },
      ]);
      expect(contentOf(text)).toBe('Yes');
    });

    const asking = (details: Json): Json[] => [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
        ...details,
      },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'sunny' },
    ];

    it('gets its signed and sealed thoughts back in a loop of tool calls', async () => {
      const details = [
        { type: 'reasoning.text', text: 'Hmm', signature: 'sig-1' },
        { type: 'reasoning.encrypted', data: 'c2VhbGVk' },
        { type: 'reasoning.text', text: 'not signed' },
      ];
      const answer = await ask({
        tools: TOOLS,
        reasoning_effort: 'low',
        messages: asking({ reasoning_details: details }),
      });
      expect(sentBody()).toMatchObject({ thinking: { type: 'enabled' } });
      expect((sentBody()['messages'] as Json[])[1]?.['content']).toMatchObject([
        { type: 'thinking', thinking: 'Hmm', signature: 'sig-1' },
        { type: 'redacted_thinking', data: 'c2VhbGVk' },
        { type: 'tool_use', id: 'toolu_1' },
      ]);
      expect(answer.headers).not.toHaveProperty('x-hub-ignored-parameters');
    });

    it('does not think on in such a loop without them, and says so', async () => {
      const answer = await ask({ tools: TOOLS, reasoning_effort: 'low', messages: asking({}) });
      expect(sentBody()).not.toHaveProperty('thinking');
      expect(answer.headers['x-hub-ignored-parameters']).toBe('reasoning_effort');
    });

    it('does not think where there is no room for it', async () => {
      const answer = await ask({ reasoning_effort: 'high', max_tokens: 1000 });
      expect(sentBody()).not.toHaveProperty('thinking');
      expect(answer.headers['x-hub-ignored-parameters']).toBe('reasoning_effort');
    });
  });

  describe('with media', () => {
    const say = (...parts: Json[]): Json => ({ messages: [{ role: 'user', content: parts }] });

    it('gets images and PDF files inline, and their addresses as addresses', async () => {
      await ask(
        say(
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: PDF } },
          { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
          { type: 'file', file: { file_url: 'https://example.com/a.pdf' } },
        ),
      );
      expect((sentBody()['messages'] as Json[])[0]?.['content']).toMatchObject([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf' }, title: 'a.pdf' },
        { type: 'image', source: { type: 'url', url: 'https://example.com/cat.png' } },
        { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
      ]);
    });

    it.each([
      ['audio', { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }],
      ['a video', { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } }],
      ['a video in a file', { type: 'file', file: { file_data: 'data:video/mp4;base64,AAAA' } }],
    ])('takes no %s: 422, and nothing is sent', async (_what, part) => {
      const { id, alias } = await model({ supports_audio: true, supports_videos: true });
      const answer = await call(hub, aChat(alias, say(part)));
      expect(answer).toMatchObject({ status: 422, error: { code: 'modality_not_supported' } });
      expect(String(answer.error['param'])).toMatch(/^messages\[0\]\.content\[0\]/);
      expect(provider.calls).toHaveLength(0);
      expect(await usageOf(hub, id)).toEqual([]);
    });

    it.each([
      [{ type: 'image_url', image_url: { url: 'data:image/png;base64' } }, 'messages[0].content[0].image_url.url'],
      [{ type: 'image_url', image_url: {} }, 'messages[0].content[0].image_url.url'],
    ])('refuses a part that is broken, naming its field: %j', async (part, field) => {
      const answer = await ask(say(part));
      expect(answer).toMatchObject({ status: 400, error: { param: field } });
      expect(provider.calls).toHaveLength(0);
    });
  });

  describe('with parameters', () => {
    it.each([
      ['n', { n: 2 }],
      ['logprobs', { logprobs: true }],
      ['logit_bias', { logit_bias: { '1': -100 } }],
      ['modalities', { modalities: ['text', 'audio'] }],
      ['functions', { functions: [] }],
      ['tool_choice', { tools: TOOLS, tool_choice: { type: 'allowed_tools' } }],
    ])('refuses what it cannot honour: %s', async (param, fields) => {
      const { id, alias } = await model();
      const answer = await call(hub, aChat(alias, fields));
      expect(answer).toMatchObject({ status: 400, error: { code: 'parameter_not_supported', param } });
      expect(provider.calls).toHaveLength(0);
      expect(await usageOf(hub, id)).toEqual([]);
    });

    it('does what it can, and tells what it left out', async () => {
      const answer = await ask({
        temperature: 1.5,
        top_p: 0.5,
        stop: 'END',
        seed: 1,
        presence_penalty: 0.5,
        frequency_penalty: 0,
        user: 'u-1',
        store: false,
        metadata: { a: '1' },
        n: 1,
        logprobs: false,
        parallel_tool_calls: false,
        tools: TOOLS,
        tool_choice: { type: 'function', function: { name: 'weather' } },
        unknown_parameter: 1,
      });
      expect(sentBody()).toMatchObject({
        temperature: 1,
        stop_sequences: ['END'],
        metadata: { user_id: 'u-1' },
        tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
      });
      expect(String(answer.headers['x-hub-ignored-parameters']).split(', ').sort()).toEqual([
        'metadata',
        'presence_penalty',
        'seed',
        'temperature',
        'top_p',
        'unknown_parameter',
      ]);
    });

    it('tells the same of a stream, in its head', async () => {
      const { alias } = await model();
      const answer = await stream(alias, { seed: 1, service_tier: 'flex' });
      expect(answer.headers['x-hub-ignored-parameters']).toBe('service_tier, seed');
    });

    it('has the defaults of its config, which the caller overrides, in its own words too', async () => {
      const config = {
        default_temperature: 0.25,
        custom_parameters: { top_k: 7, service_tier: 'auto', max_tokens: 3 },
      };
      await ask({}, config);
      expect(sentBody()).toMatchObject({ temperature: 0.25, top_k: 7, service_tier: 'auto', max_tokens: 4096 });
      await ask({ temperature: 0.5, top_k: 9 }, config);
      expect(sentBody()).toMatchObject({ temperature: 0.5, top_k: 9 });
    });

    it('answers in JSON by its own format, and says that it knows none without a schema', async () => {
      const schema = {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      };
      await ask({ response_format: { type: 'json_schema', json_schema: { name: 'city', schema } } });
      expect(sentBody()).toMatchObject({ output_config: { format: { type: 'json_schema', schema } } });
      const answer = await ask({ response_format: { type: 'json_object' } });
      expect(answer.headers['x-hub-ignored-parameters']).toBe('response_format');
    });

    it('marks for the prompt cache go on to Anthropic: of parts, messages, the system and tools', async () => {
      const mark = { cache_control: { type: 'ephemeral' } };
      const messages = [
        { role: 'system', content: [{ type: 'text', text: 'Long.', ...mark }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'A', ...mark },
            { type: 'text', text: 'B' },
          ],
        },
        { role: 'assistant', content: 'C', ...mark },
        { role: 'user', content: 'D' },
      ];
      await ask({ messages, tools: [{ ...TOOLS[0], ...mark }] });
      expect(sentBody()).toMatchObject({
        system: [mark],
        messages: [{ content: [mark, { text: 'B' }] }, { content: [mark] }, { content: [{ text: 'D' }] }],
        tools: [mark],
      });
    });

    it('joins the betas of its config with those of the call', async () => {
      await ask({ tools: TOOLS }, { auth_headers: { 'Anthropic-Beta': 'my-beta-2026-01-01' } });
      expect(provider.calls[0]?.headers['anthropic-beta']).toContain('my-beta-2026-01-01');
    });
  });

  describe('that fails', () => {
    it.each([
      [400, 'invalid_request_error', 'messages: too few', 'bad_request', 400],
      [401, 'authentication_error', 'invalid x-api-key', 'auth', 424],
      [402, 'billing_error', 'pay', 'quota', 429],
      [403, 'permission_error', 'no', 'auth', 424],
      [404, 'not_found_error', 'model: x', 'not_found', 404],
      [413, 'request_too_large', 'too large', 'bad_request', 413],
      [429, 'rate_limit_error', 'slow down', 'rate_limit', 429],
      [500, 'api_error', 'oops', 'server', 502],
      [504, 'timeout_error', 'late', 'timeout', 504],
      [529, 'overloaded_error', 'Overloaded', 'overloaded', 503],
      [400, 'invalid_request_error', 'Your credit balance is too low to access the API', 'quota', 429],
      [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000', 'context_too_long', 400],
    ])('%i %s "%s" is of class %s', async (status, type, message, outcome, ours) => {
      const { id, alias } = await model();
      fails(status, anthropicError(type, `${message} (key ${KEY})`));
      const answer = await call(hub, aChat(alias));
      expect(answer.text).not.toContain(KEY.slice(0, 16));
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome, calls: 1 }]);
      expect([answer.status, String(answer.error['message'])]).toEqual([ours, expect.stringContaining(message)]);
    });

    it('is asked again after 529 and answers 503 in the end', async () => {
      const { alias } = await model({ max_retries: 1 });
      fails(529, anthropicError('overloaded_error', 'Overloaded'), { 'retry-after': '0.02' });
      expect(await call(hub, aChat(alias))).toMatchObject({ status: 503, headers: { 'x-hub-attempts': '2' } });
      expect(provider.calls).toHaveLength(2);
    });

    it('is asked again when a stream begins with an error, under a good status', async () => {
      const { alias } = await model({ max_retries: 1 });
      provider.answerWith((_call, response) =>
        provider.calls.length === 1
          ? sendEvents(
              response,
              anthropicEvent('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
            )
          : sendEvents(response, streamedHello()),
      );
      expect(contentOf((await stream(alias)).text)).toBe('Hello');
      expect(provider.calls).toHaveLength(2);
    });

    it('is not asked again once a text is with the caller: he sees the error in the stream', async () => {
      const { id, alias } = await model({ max_retries: 3 });
      const error = anthropicEvent('error', { error: { type: 'overloaded_error', message: `Overloaded ${KEY}` } });
      streams(messageStart(), textBlock(0, 'Hel'), error, messageDelta('end_turn'), MESSAGE_STOP);
      const { text } = await stream(alias);
      expect(contentOf(text)).toBe('Hel');
      expect(text).toMatch(/"code":"provider_overloaded"[^]*$/);
      expect(text).not.toContain('[DONE]');
      expect(text).not.toContain(KEY);
      expect(provider.calls).toHaveLength(1);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'overloaded', calls: 1 }]);
    });

    it.each([
      ['an error under a good status', 200, anthropicError('rate_limit_error', 'slow down'), 'rate_limit_exceeded'],
      ['something else', 200, { hello: 'world' }, 'provider_bad_answer'],
    ])('with %s is no answer', async (_what, status, body, code) => {
      fails(status, body);
      expect((await ask({})).error['code']).toBe(code);
    });

    it.each([
      ['a page', 502, 'text/html', '<html>Bad gateway</html>', 'provider_error'],
      ['nothing', 503, 'text/plain', '', 'provider_overloaded'],
      ['text under a good status', 200, 'text/plain', 'hello', 'provider_bad_answer'],
    ])('with %s is told in the shape of OpenAI', async (_what, status, type, body, code) => {
      provider.answerWith((_call, response) => void response.writeHead(status, { 'content-type': type }).end(body));
      const { alias } = await model();
      for (const streamed of [false, true]) {
        const answer = await call(hub, aChat(alias, { stream: streamed }));
        expect(answer.error).toMatchObject({ code, type: expect.any(String) });
        expect(answer.text).not.toContain('html');
      }
    });

    it('with 401 is an error of its config, until it answers again', async () => {
      const { id, alias } = await model();
      fails(401, anthropicError('authentication_error', 'invalid x-api-key'));
      await call(hub, aChat(alias));
      await until(
        () => readModel(hub, id),
        ({ status }) => status === 'error',
      );
    });

    it('with a redirect is not followed', async () => {
      provider.answerWith(
        (_call, response) => void response.writeHead(307, { location: `${provider.url}/elsewhere` }).end(),
      );
      expect((await ask({})).error['code']).toBe('provider_bad_answer');
      expect(provider.calls).toHaveLength(1);
    });

    it('leaves its key in no log', () => {
      expect(hub.logs()).not.toContain(KEY);
    });
  });

  it('tells the limits of Anthropic by the names of OpenAI', async () => {
    provider.answerWith((_call, response) =>
      sendJson(response, 200, aMessage(), {
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-tokens-reset': new Date(Date.now() + 30_000).toISOString(),
      }),
    );
    const { headers } = await ask({});
    expect(headers).toMatchObject({ 'x-ratelimit-limit-requests': '50', 'x-ratelimit-remaining-requests': '49' });
    expect(headers['x-ratelimit-reset-tokens']).toMatch(/^(?:29|30)s$/);
  });
});
