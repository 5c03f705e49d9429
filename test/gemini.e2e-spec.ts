import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  aChat,
  call,
  openCall,
  readModel,
  saveModel,
  until,
  usageAfter,
  usageSoon,
  type Answer,
  type Json,
} from './support/calls.js';
import {
  aCandidate,
  geminiEvent,
  googleError,
  politeGemini,
  sendGeminiStream,
  streamedHello,
  text,
} from './support/fake-gemini.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import {
  chunksOf,
  contentOf,
  finishOf,
  messageOf,
  reasoningOf,
  toolCallsOf,
  usageIn,
} from './support/openai-chunks.js';

const KEY = 'AIzaSyTest0123456789abcdefghijklmnop';
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
const WAV = Buffer.from(
  'RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\0\0\0',
  'latin1',
).toString('base64');
const MP4 = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1').toString('base64');
const TOOLS = [
  {
    type: 'function',
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];

describe('a model of Google', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  beforeAll(async () => {
    [hub, provider] = await Promise.all([startHub(), startFakeProvider(politeGemini)]);
  });
  beforeEach(() => {
    provider.calls.length = 0;
    provider.answerWith(politeGemini);
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const ALL = { supports_images: true, supports_files: true, supports_audio: true, supports_videos: true };
  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, {
      provider: 'gemini',
      model_name: 'gemini-2.5-flash',
      api_base: provider.url.replace(/\/v1$/, '/v1beta'),
      api_key: KEY,
      ...ALL,
      ...fields,
    });
  const known = new Map<string, Promise<Json>>();
  /** The same model for the same fields: saving one costs more than asking it. Not where its usage or status is looked at. */
  const shared = (fields: Json): Promise<Json> => {
    const saved = known.get(JSON.stringify(fields)) ?? model(fields);
    known.set(JSON.stringify(fields), saved);
    return saved;
  };
  const answers = (body: Json): void => provider.answerWith((_call, response) => sendJson(response, 200, body));
  const fails = (status: number, body: Json): void =>
    provider.answerWith((_call, response) => sendJson(response, status, body));
  const failsWith = (status: number, type: string, body: string): void =>
    provider.answerWith((_call, response) => void response.writeHead(status, { 'content-type': type }).end(body));
  const streams = (...pieces: string[]): void =>
    provider.answerWith((_call, response) => sendGeminiStream(response, ...pieces));
  const ask = async (fields: Json = {}, config: Json = {}): Promise<Answer> =>
    call(hub, aChat((await shared(config))['alias'], fields));
  const stream = (fields: Json = {}, config: Json = {}): Promise<Answer> =>
    ask({ stream: true, stream_options: { include_usage: true }, ...fields }, config);
  const sent = (): Json => provider.calls.at(-1)?.body ?? {};

  describe('answers', () => {
    it('whole, asked with the key in its header and nowhere else, and counted', async () => {
      const { id, alias } = await model();
      const answer = await call(hub, aChat(alias));
      expect(answer).toMatchObject({ status: 200, headers: { 'x-hub-provider': 'gemini', 'x-hub-attempts': '1' } });
      expect(answer.json).toMatchObject({
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      });
      const { path, headers, raw } = provider.calls[0]!;
      expect(path).toBe('/v1beta/models/gemini-2.5-flash:generateContent');
      expect(headers['x-goog-api-key']).toBe(KEY);
      expect(headers).not.toHaveProperty('authorization');
      expect(raw.includes(KEY)).toBe(false);
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'ok', estimated: 0, input: 11, output: 7 }]);
    });

    it('streamed, with [DONE] although Google sends none, and with usage that is not added up', async () => {
      const steps = [1, 3, 5, 7].map((count) => ({
        promptTokenCount: 11,
        candidatesTokenCount: count,
        thoughtsTokenCount: 5,
        totalTokenCount: 16 + count,
      }));
      streams(
        ...steps.map((usage, index) =>
          geminiEvent(aCandidate([text(String(index))], { finishReason: index === 3 ? 'STOP' : undefined }, usage)),
        ),
      );
      const answer = await stream();
      expect(provider.calls[0]?.path).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
      expect(contentOf(answer.text)).toBe('0123');
      expect(answer.text.trimEnd().endsWith('data: [DONE]')).toBe(true);
      expect(usageIn(answer.text)).toMatchObject({
        prompt_tokens: 11,
        completion_tokens: 12,
        completion_tokens_details: { reasoning_tokens: 5 },
      });
    });

    it('in the same chunks whatever separates its events: \\n\\n, \\r\\r or \\r\\n\\r\\n', async () => {
      const { alias } = await model();
      const chunksWith = async (end: string): Promise<Json[]> => {
        streams(...streamedHello(end));
        const answer = await call(hub, aChat(alias, { stream: true, stream_options: { include_usage: true } }));
        return chunksOf(answer.text).map(({ created: _created, ...chunk }) => chunk);
      };
      const chunks = await chunksWith('\n\n');
      expect(chunks.map(({ choices }) => (choices as Json[]).length)).toEqual([1, 1, 1, 0]);
      for (const end of ['\r\r', '\r\n\r\n']) expect(await chunksWith(end)).toEqual(chunks);
    });

    it.each([
      ['MAX_TOKENS', 'length'],
      ['SAFETY', 'content_filter'],
      ['RECITATION', 'content_filter'],
      ['BLOCKLIST', 'content_filter'],
      ['PROHIBITED_CONTENT', 'content_filter'],
      ['SPII', 'content_filter'],
      ['LANGUAGE', 'content_filter'],
      ['OTHER', 'stop'],
    ])('with finish reason %s as %s', async (finishReason, expected) => {
      answers(aCandidate([text('x')], { finishReason }));
      expect(finishOf(await ask())).toBe(expected);
    });

    it.each([['whole'], ['streamed']])('a blocked prompt, %s: content_filter and no empty success', async (how) => {
      const blocked = {
        promptFeedback: { blockReason: 'SAFETY' },
        usageMetadata: { promptTokenCount: 11, totalTokenCount: 11 },
      };
      provider.answerWith((received, response) =>
        received.path.includes(':stream')
          ? sendGeminiStream(response, geminiEvent(blocked))
          : sendJson(response, 200, blocked),
      );
      const answer = how === 'whole' ? await ask() : await stream();
      expect(answer.status).toBe(200);
      expect(finishOf(answer)).toBe('content_filter');
    });

    it('with what its tools read as input, and what it had in its cache', async () => {
      const usage = {
        promptTokenCount: 10,
        toolUsePromptTokenCount: 5,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 7,
        thoughtsTokenCount: 5,
        totalTokenCount: 27,
      };
      answers(aCandidate([text('x')], {}, usage));
      const { id, alias } = await model();
      expect((await call(hub, aChat(alias))).json['usage']).toMatchObject({
        prompt_tokens: 15,
        completion_tokens: 12,
        total_tokens: 27,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 5 },
      });
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ input: 15, cached: 4, output: 12, reasoning: 5 }]);
    });

    it('without usage: it is estimated', async () => {
      const { usageMetadata: _usage, ...answer } = aCandidate([text('Hello')]);
      answers(answer);
      const { id, alias } = await model();
      expect((await call(hub, aChat(alias))).status).toBe(200);
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'ok', calls: 1, estimated: 1 }]);
    });

    it('with the pictures it made, and without those it only thought of', async () => {
      const picture = (data: string, fields: Json = {}): Json => ({
        inlineData: { mimeType: 'image/png', data },
        ...fields,
      });
      const images = [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }];
      const parts = [picture('ZHJhZnQ=', { thought: true }), text('Here.'), picture(PNG)];
      answers(aCandidate(parts));
      expect(messageOf(await ask())).toMatchObject({ content: 'Here.', images });
      streams(geminiEvent(aCandidate(parts)));
      const { text: events } = await stream();
      const deltas = chunksOf(events).flatMap(({ choices }) =>
        (choices as { delta: Json }[]).map(({ delta }) => delta),
      );
      expect(deltas.flatMap((delta) => delta['images'] ?? [])).toEqual(images);
    });

    it('with its thoughts beside the text', async () => {
      answers(aCandidate([text('Let me see.', { thought: true }), text('42')]));
      expect(messageOf(await ask())).toMatchObject({ content: '42', reasoning_content: 'Let me see.' });
      streams(
        geminiEvent(aCandidate([text('Let me ', { thought: true })], { finishReason: undefined })),
        geminiEvent(aCandidate([text('see.', { thought: true }), text('42')])),
      );
      const answer = await stream();
      expect([reasoningOf(answer.text), contentOf(answer.text)]).toEqual(['Let me see.', '42']);
    });
  });

  describe('with tools', () => {
    const functionCall = (fields: Json = {}): Json => ({
      functionCall: { name: 'weather', args: { city: 'Oslo' } },
      ...fields,
    });

    it('ends with tool_calls although Google says STOP; a call without an id gets one', async () => {
      answers(aCandidate([functionCall()]));
      const answer = await ask({ tools: TOOLS });
      expect(finishOf(answer)).toBe('tool_calls');
      const [made] = messageOf(answer)['tool_calls'] as Json[];
      expect(made).toMatchObject({ type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } });
      expect(String(made?.['id'])).toMatch(/\w{6}/);
      expect(sent()).toMatchObject({ tools: [{ functionDeclarations: [{ name: 'weather' }] }] });
    });

    it('streams a call, and gets the result back under its name, with the signature of its thought', async () => {
      streams(geminiEvent(aCandidate([functionCall({ thoughtSignature: 'c2lnbmVk' })])));
      const first = await stream({ tools: TOOLS });
      expect(finishOf(first)).toBe('tool_calls');
      const calls = toolCallsOf(first.text);
      expect(calls).toMatchObject([{ extra_content: { google: { thought_signature: 'c2lnbmVk' } } }]);
      provider.answerWith(politeGemini);
      const { index: _index, ...made } = calls[0] as Json;
      await ask({
        tools: TOOLS,
        messages: [
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', content: null, tool_calls: [made] },
          { role: 'tool', tool_call_id: made['id'], content: 'Rain' },
        ],
      });
      const contents = sent()['contents'] as { role: string; parts: Json[] }[];
      expect(contents.map(({ role }) => role)).toEqual(['user', 'model', 'user']);
      expect(contents[1]?.parts[0]).toMatchObject({
        functionCall: { name: 'weather', args: { city: 'Oslo' } },
        thoughtSignature: 'c2lnbmVk',
      });
      expect(contents[2]?.parts[0]).toMatchObject({ functionResponse: { name: 'weather' } });
      expect(JSON.stringify(contents[2])).toContain('Rain');
    });

    it('takes the results of calls without ids back to their own calls, whatever their order', async () => {
      const cities = ['Oslo', 'Bergen'];
      answers(aCandidate(cities.map((city) => ({ functionCall: { name: 'weather', args: { city } } }))));
      const message = messageOf(await ask({ tools: TOOLS }));
      const ids = (message['tool_calls'] as Json[]).map(({ id }) => id);
      expect(new Set(ids).size).toBe(2);
      const results = ids.map((id, index) => ({ role: 'tool', tool_call_id: id, content: `Rain in ${cities[index]}` }));
      await ask({ tools: TOOLS, messages: [{ role: 'user', content: 'Hi' }, message, ...results.toReversed()] });
      const [, called, answered] = sent()['contents'] as { parts: Json[] }[];
      const calls = (called?.parts ?? []).map(({ functionCall: made }) => made as { id: unknown; args: Json });
      const found = (answered?.parts ?? []).map(({ functionResponse: made }) => made as { id: unknown });
      expect(calls.map(({ args }) => args['city'])).toEqual(cities);
      expect(found).toHaveLength(2);
      for (const { id, args } of calls)
        expect(JSON.stringify(found.find((result) => result.id === id))).toContain(`Rain in ${String(args['city'])}`);
    });

    it('has the signature of a thought in a whole answer too, and each call its own', async () => {
      answers(aCandidate([functionCall({ thoughtSignature: 'c2lnbmVk' }), functionCall()]));
      const message = messageOf(await ask({ tools: TOOLS }));
      const [first, second] = message['tool_calls'] as Json[];
      expect(first).toMatchObject({ extra_content: { google: { thought_signature: 'c2lnbmVk' } } });
      expect(second).not.toHaveProperty('extra_content');
      const results = [first, second].map((made) => ({ role: 'tool', tool_call_id: made?.['id'], content: 'Rain' }));
      await ask({ tools: TOOLS, messages: [{ role: 'user', content: 'Hi' }, message, ...results] });
      const [, called] = sent()['contents'] as { parts: Json[] }[];
      expect(called?.parts.map(({ thoughtSignature }) => thoughtSignature)).toEqual(['c2lnbmVk', undefined]);
    });

    it('has one response for each call also where a result is a picture, which follows them', async () => {
      const made = ['call_1', 'call_2'].map((id) => ({
        id,
        type: 'function',
        function: { name: 'weather', arguments: '{}' },
      }));
      const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } };
      const messages = [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: null, tool_calls: made },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'A map.' }, picture] },
        { role: 'tool', tool_call_id: 'call_2', content: 'Rain' },
      ];
      expect((await ask({ tools: TOOLS, messages })).status).toBe(200);
      const [, , results, media] = sent()['contents'] as { role: string; parts: Json[] }[];
      expect(results?.parts).toMatchObject([
        { functionResponse: { id: 'call_1', response: { content: expect.stringContaining('A map.') } } },
        { functionResponse: { id: 'call_2', response: { content: 'Rain' } } },
      ]);
      expect(media).toEqual({
        role: 'user',
        parts: [{ text: 'Result of weather (call_1):' }, { inlineData: { mimeType: 'image/png', data: PNG } }],
      });
    });

    it('refuses the result of a call that nobody made, by its field', async () => {
      const messages = [
        { role: 'user', content: 'Hi' },
        { role: 'tool', tool_call_id: 'call_x', content: 'Rain' },
      ];
      const answer = await ask({ tools: TOOLS, messages });
      expect([answer.status, answer.error['param']]).toEqual([400, 'messages[1].tool_call_id']);
      expect(provider.calls).toEqual([]);
    });

    it.each([
      ['auto', { mode: 'AUTO' }],
      ['none', { mode: 'NONE' }],
      ['required', { mode: 'ANY' }],
      [
        { type: 'function', function: { name: 'weather' } },
        { mode: 'ANY', allowedFunctionNames: ['weather'] },
      ],
    ])('is told tool_choice %j', async (choice, functionCallingConfig) => {
      await ask({ tools: TOOLS, tool_choice: choice });
      expect(sent()['toolConfig']).toEqual({ functionCallingConfig });
    });

    it('with a call that Gemini itself could not read is no answer', async () => {
      answers(aCandidate([], { finishReason: 'MALFORMED_FUNCTION_CALL' }));
      expect((await ask({ tools: TOOLS })).error['code']).toBe('provider_bad_answer');
      streams(geminiEvent(aCandidate([], { finishReason: 'MALFORMED_FUNCTION_CALL' })));
      expect((await stream({ tools: TOOLS })).text).toContain('"code":"provider_bad_answer"');
    });
  });

  describe('is asked', () => {
    it('with the system apart, and with its own names of the parameters', async () => {
      const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
      await ask(
        {
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'One' },
            { role: 'assistant', content: 'Two' },
            { role: 'user', content: 'Three' },
          ],
          max_tokens: 100,
          top_p: 0.5,
          stop: ['END'],
          seed: 7,
          response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
        },
        { default_temperature: 0.3 },
      );
      expect(sent()).toMatchObject({
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [
          { role: 'user', parts: [{ text: 'One' }] },
          { role: 'model', parts: [{ text: 'Two' }] },
          { role: 'user', parts: [{ text: 'Three' }] },
        ],
        generationConfig: {
          maxOutputTokens: 100,
          temperature: 0.3,
          topP: 0.5,
          stopSequences: ['END'],
          seed: 7,
          responseMimeType: 'application/json',
          responseSchema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        },
      });
      await ask({ response_format: { type: 'json_object' } });
      expect(sent()['generationConfig']).toEqual({ responseMimeType: 'application/json' });
    });

    it('with what its config adds in its own words, under what the caller says', async () => {
      const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];
      const custom_parameters = { safetySettings, generationConfig: { mediaResolution: 'LOW', temperature: 2 } };
      await ask({ temperature: 0.5 }, { custom_parameters });
      expect(sent()).toMatchObject({
        safetySettings,
        generationConfig: { mediaResolution: 'LOW', temperature: 0.5 },
      });
    });

    it('and tells what it left out', async () => {
      const answer = await ask({
        user: 'u-1',
        parallel_tool_calls: false,
        metadata: { a: '1' },
        presence_penalty: 0.5,
      });
      expect(String(answer.headers['x-hub-ignored-parameters']).split(', ').sort()).toEqual([
        'metadata',
        'parallel_tool_calls',
        'presence_penalty',
        'user',
      ]);
    });

    it('with the address of a file that was uploaded to Google as it is', async () => {
      const address = 'https://generativelanguage.googleapis.com/v1beta/files/abc-123';
      const part = { type: 'file', file: { file_url: address } };
      await ask({ messages: [{ role: 'user', content: [part] }] });
      const [{ parts } = { parts: [] }] = sent()['contents'] as { parts: Json[] }[];
      expect(parts).toEqual([{ fileData: { mimeType: 'application/pdf', fileUri: address } }]);
    });

    it('with no file above the limit: refused, and nothing is sent', async () => {
      const data = Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(1_048_576)]).toString('base64');
      const part = { type: 'file', file: { file_data: `data:application/pdf;base64,${data}` } };
      const answer = await ask({ messages: [{ role: 'user', content: [part] }] }, { max_file_size_mb: 1 });
      expect([answer.status, answer.error['code']]).toEqual([422, 'file_too_large']);
      expect(provider.calls).toEqual([]);
    });

    it.each([
      ['a picture', { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }, 'image/png', PNG],
      ['a sound', { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }, 'audio/wav', WAV],
      ['a PDF', { type: 'file', file: { file_data: `data:application/pdf;base64,${PDF}` } }, 'application/pdf', PDF],
      ['a video', { type: 'video_url', video_url: { url: `data:video/mp4;base64,${MP4}` } }, 'video/mp4', MP4],
      ['a video in a file', { type: 'file', file: { file_data: `data:video/mp4;base64,${MP4}` } }, 'video/mp4', MP4],
    ])('with %s inline', async (_name, part, mimeType, data) => {
      const answer = await ask({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, part] }] });
      expect(answer.status).toBe(200);
      const [{ parts } = { parts: [] }] = sent()['contents'] as { parts: Json[] }[];
      expect(parts).toEqual([{ text: 'What?' }, { inlineData: { mimeType, data } }]);
    });

    it('to think as hard as reasoning_effort says', async () => {
      await ask({ reasoning_effort: 'low' });
      expect(sent()).toMatchObject({ generationConfig: { thinkingConfig: { thinkingBudget: 1024 } } });
    });

    it('never for more answers than it gives: n is refused by name, and nothing is sent', async () => {
      const answer = await ask({ n: 2 });
      expect([answer.status, answer.error['code'], answer.error['param']]).toEqual([
        400,
        'parameter_not_supported',
        'n',
      ]);
      expect(provider.calls).toEqual([]);
    });
  });

  describe('that fails', () => {
    const DETAILS = 'type.googleapis.com/google.rpc';
    it.each([
      [400, 'INVALID_ARGUMENT', 'bad', 'bad_request', 400],
      [401, 'UNAUTHENTICATED', 'who', 'auth', 424],
      [403, 'PERMISSION_DENIED', 'no', 'auth', 424],
      [404, 'NOT_FOUND', 'models/x', 'not_found', 404],
      [429, 'RESOURCE_EXHAUSTED', 'slow', 'rate_limit', 429],
      [500, 'INTERNAL', 'oops', 'server', 502],
      [503, 'UNAVAILABLE', 'overloaded', 'overloaded', 503],
      [504, 'DEADLINE_EXCEEDED', 'late', 'timeout', 504],
    ])('%i %s is of class %s %s', async (code, status, message, outcome, ours) => {
      const { id, alias } = await model();
      fails(code, googleError(code, status, `${message} (key ${KEY})`));
      const answer = await call(hub, aChat(alias));
      expect(answer.text).not.toContain(KEY.slice(0, 12));
      expect([answer.status, String(answer.error['message'])]).toEqual([ours, expect.stringContaining(message)]);
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome, calls: 1 }]);
    });

    it('400 with more tokens than it takes is of class context_too_long', async () => {
      const message = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).';
      fails(400, googleError(400, 'INVALID_ARGUMENT', message));
      expect((await ask()).error['code']).toBe('context_length_exceeded');
    });

    it('with API_KEY_INVALID under 400: the key is known bad; any other 400 leaves the status alone', async () => {
      const { id, alias } = await model();
      fails(400, googleError(400, 'INVALID_ARGUMENT', 'Bad field'));
      await call(hub, aChat(alias));
      await usageSoon(hub, id, 1);
      expect((await readModel(hub, id))['status']).toBe('configured');
      const info = { '@type': `${DETAILS}.ErrorInfo`, reason: 'API_KEY_INVALID' };
      fails(400, googleError(400, 'INVALID_ARGUMENT', 'API key not valid.', info));
      expect((await call(hub, aChat(alias))).error['code']).toBe('provider_auth_failed');
      await until(
        () => readModel(hub, id),
        ({ status }) => status === 'error',
      );
    });

    it('with a RetryInfo of a quarter of a second and no header: the next attempt waits for it', async () => {
      const info = { '@type': `${DETAILS}.RetryInfo`, retryDelay: '0.25s' };
      provider.answerWith((received, response) =>
        provider.calls.length === 1
          ? sendJson(response, 429, googleError(429, 'RESOURCE_EXHAUSTED', 'slow', info))
          : politeGemini(received, response),
      );
      const startedAt = performance.now();
      expect((await ask({}, { max_retries: 1 })).status).toBe(200);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(249);
      expect(provider.calls).toHaveLength(2);
    });

    it.each([
      ['of the day used up', { quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
      ['of nothing', { quotaId: 'GenerateRequestsPerMinutePerProjectPerModel', quotaValue: '0' }],
    ])('with the quota %s: one attempt', async (_what, violation) => {
      const violations = [violation];
      const failure = { '@type': `${DETAILS}.QuotaFailure`, violations };
      fails(429, googleError(429, 'RESOURCE_EXHAUSTED', 'quota', failure));
      expect((await ask({}, { max_retries: 3 })).error['code']).toBe('insufficient_quota');
      expect(provider.calls).toHaveLength(1);
    });

    it('with a bare error in the middle of a stream: an error, not silence', async () => {
      const { id, alias } = await model({ max_retries: 3 });
      const [first = ''] = streamedHello();
      streams(first, JSON.stringify(googleError(503, 'UNAVAILABLE', `overloaded (key ${KEY})`)));
      const answer = await call(hub, aChat(alias, { stream: true }));
      expect(contentOf(answer.text)).toBe('Hel');
      expect(answer.text).toContain('"code":"provider_overloaded"');
      expect(answer.text).not.toContain('[DONE]');
      expect(answer.text).not.toContain(KEY.slice(0, 12));
      expect(provider.calls).toHaveLength(1);
      expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'overloaded', calls: 1 }]);
    });

    it.each([
      ['as an event', geminiEvent(googleError(503, 'UNAVAILABLE', 'overloaded'))],
      ['bare', JSON.stringify(googleError(503, 'UNAVAILABLE', 'overloaded'))],
      ['in a list', JSON.stringify([googleError(503, 'UNAVAILABLE', 'overloaded')])],
    ])('with an error %s where a stream should begin: it is asked again', async (_how, error) => {
      provider.answerWith((received, response) =>
        provider.calls.length === 1 ? sendGeminiStream(response, error) : politeGemini(received, response),
      );
      expect(contentOf((await stream({}, { max_retries: 1 })).text)).toBe('Hello');
      expect(provider.calls).toHaveLength(2);
    });

    it('by ending in the middle: an error, and what was used is estimated or known', async () => {
      const { id, alias } = await model();
      streams(streamedHello()[0] ?? '');
      const answer = await call(hub, aChat(alias, { stream: true }));
      expect(answer.text).toContain('"error"');
      expect(answer.text).not.toContain('[DONE]');
      expect(await usageSoon(hub, id, 1)).toMatchObject([{ outcome: 'bad_answer', calls: 1 }]);
    });

    it.each([
      ['no JSON', 200, 'application/json', 'not JSON', 'provider_bad_answer'],
      ['something else', 200, 'application/json', '{"hello":1}', 'provider_bad_answer'],
      ['nothing that says why there is none', 200, 'application/json', '{"candidates":[]}', 'provider_bad_answer'],
      ['a page', 502, 'text/html', '<html>Bad gateway</html>', 'provider_error'],
      ['nothing', 503, 'text/plain', '', 'provider_overloaded'],
    ])('with %s is told in the shape of OpenAI, whole and streamed', async (_what, status, type, body, code) => {
      failsWith(status, type, body);
      const { alias } = await model();
      for (const streamed of [false, true]) {
        const answer = await call(hub, aChat(alias, { stream: streamed }));
        expect(answer.error).toMatchObject({ code, type: expect.any(String) });
        expect(answer.text).not.toContain('html');
      }
    });

    it('with a redirect is not followed', async () => {
      const location = `${provider.url}/elsewhere`;
      provider.answerWith((_call, response) => void response.writeHead(307, { location }).end());
      expect((await ask()).error['code']).toBe('provider_bad_answer');
      expect(provider.calls).toHaveLength(1);
    });

    it('leaves its key in no log, though Google repeats it', async () => {
      fails(500, googleError(500, 'INTERNAL', `repeated (key ${KEY})`));
      await ask();
      expect(hub.logs().includes('repeated (key [redacted])')).toBe(true);
      expect(hub.logs().includes(KEY)).toBe(false);
    });
  });

  it('is let go of when the caller leaves in the middle of a stream', async () => {
    const { id, alias } = await model();
    provider.answerWith(async (_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(streamedHello()[0]);
      await sleep(20_000, undefined, { ref: false });
    });
    const open = openCall(hub.url, hub.adminToken, aChat(alias, { stream: true }));
    await until(open.text, (received) => received.includes('Hel'));
    open.leave();
    await provider.calls[0]?.closed;
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'client_gone', calls: 1 }]);
  });

  describe('of vectors', () => {
    const vectors = async (fields: Json, config: Json = {}): Promise<Answer> => {
      const { alias } = await model({ model_name: 'gemini-embedding-001', ...config });
      return call(hub, { model: alias, ...fields }, { path: '/v1/embeddings' });
    };

    it('makes one for a text and several for a list, in the format asked for', async () => {
      provider.answerWith((received, response) =>
        received.path.endsWith(':batchEmbedContents')
          ? sendJson(response, 200, { embeddings: [{ values: [0.25, -0.5] }, { values: [1, 2] }] })
          : sendJson(response, 200, { embedding: { values: [0.25, -0.5] } }),
      );
      const one = await vectors({ input: 'a', encoding_format: 'float', dimensions: 2 });
      expect(one.json).toMatchObject({ object: 'list', data: [{ index: 0, embedding: [0.25, -0.5] }] });
      expect(JSON.stringify(sent())).toContain('"outputDimensionality":2');
      const two = await vectors({ input: ['a', 'b'], encoding_format: 'base64' });
      const decoded = (two.json['data'] as { embedding: string }[]).map(({ embedding }) => {
        const bytes = Buffer.from(embedding, 'base64');
        return [bytes.readFloatLE(0), bytes.readFloatLE(4)];
      });
      expect(decoded).toEqual([
        [0.25, -0.5],
        [1, 2],
      ]);
    });

    it('takes no tokens in place of texts, and says so by name', async () => {
      const answer = await vectors({ input: [1, 2, 3] });
      expect([answer.status, answer.error['param']]).toEqual([400, 'input']);
      expect(provider.calls).toEqual([]);
    });
  });
});
