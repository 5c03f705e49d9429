import { setTimeout as sleep } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aFrame, anEvent } from './support/aws-frames.js';
import { aChat, call, saveModel, usageAfter, type Answer, type Json } from './support/calls.js';
import { sendJson, startFakeProvider, type FakeProvider, type Script } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';
import { chunksOf, contentOf, finishOf, messageOf, toolCallsOf, usageIn } from './support/openai-chunks.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const TOOLS = [
  {
    type: 'function',
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];
const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

let hub: TestHub;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const hello = (content: unknown): Json => ({ messages: [{ role: 'user', content }] });

describe('against a provider that others made', () => {
  let mock: LLMock;
  beforeAll(async () => {
    mock = new LLMock({ port: 0 });
    const usage = { input_tokens: 11, output_tokens: 7, prompt_tokens: 11, completion_tokens: 7 };
    mock.onMessage('hello', { content: 'Hello from the other side', usage });
    mock.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] });
    mock.onMessage('picture', { content: 'One pixel' });
    mock.onMessage('too fast', { error: { message: 'Slow down' }, status: 429 });
    mock.onMessage('broken', { error: { message: 'Oops' }, status: 500 });
    mock.onMessage('refused', { error: { message: 'Bad key' }, status: 403 });
    mock.onMessage('wrong', { error: { message: 'No such thing' }, status: 400 });
    await mock.start();
  });
  afterAll(() => mock.stop());

  type AddressOf = (url: string) => Json;
  const ROWS: [string, AddressOf][] = [
    ['cohere', (url) => ({ model_name: 'command-a-vision', api_base: `${url}/v2` })],
    ['amazon_bedrock', (url) => ({ model_name: 'some.model-v1:0', api_base: url })],
    [
      'google_vertex',
      (url) => ({ model_name: 'gemini-2.5-flash', api_base: `${url}/v1/projects/p/locations/l/publishers/google` }),
    ],
  ];

  const askOf = async (provider: string, addressOf: AddressOf, fields: Json): Promise<Answer> => {
    const config = { provider, api_key: `key-of-${provider}-1`, supports_images: true, ...addressOf(mock.url) };
    const { alias } = await saveModel(hub, config);
    return call(hub, aChat(alias, fields));
  };

  describe.each(ROWS)('a model of %s', (provider, addressOf) => {
    const ask = (fields: Json): Promise<Answer> => askOf(provider, addressOf, fields);

    it('answers whole', async () => {
      const answer = await ask(hello('hello'));
      expect(answer).toMatchObject({ status: 200, headers: { 'x-hub-provider': provider } });
      expect(messageOf(answer)).toMatchObject({ role: 'assistant', content: 'Hello from the other side' });
      expect([finishOf(answer), answer.json['usage']]).toMatchObject(['stop', USAGE]);
    });

    it('calls a tool', async () => {
      const answer = await ask({ ...hello('weather'), tools: TOOLS });
      const wanted = { type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
      expect(messageOf(answer)['tool_calls']).toMatchObject([{ id: expect.stringMatching(/./), ...wanted }]);
      expect(finishOf(answer)).toBe('tool_calls');
    });

    it('sees a picture', async () => {
      const content = [
        { type: 'text', text: 'this picture' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ];
      expect(messageOf(await ask(hello(content)))['content']).toBe('One pixel');
    });

    it.each([
      ['too fast', 429, 'rate_limit_exceeded'],
      ['broken', 502, 'provider_error'],
      ['refused', 424, 'provider_auth_failed'],
      ['wrong', 400, 'provider_rejected_request'],
    ])('says what went wrong: %s', async (text, status, code) => {
      for (const stream of [false, true]) {
        const answer = await ask({ ...hello(text), stream });
        expect(answer).toMatchObject({ status, error: { code } });
      }
    });
  });

  // The mock's first event for Cohere is none that Cohere sends, which a test of its own stands in for below.
  it.each(ROWS.slice(1))('a model of %s streams', async (provider, addressOf) => {
    const ask = (fields: Json): Promise<Answer> => askOf(provider, addressOf, { ...fields, stream: true });
    const { status, text } = await ask({ ...hello('hello'), stream_options: { include_usage: true } });
    expect(status).toBe(200);
    expect(contentOf(text)).toBe('Hello from the other side');
    expect(chunksOf(text).length).toBeGreaterThan(3);
    expect([finishOf({ json: {}, text }), usageIn(text)]).toMatchObject(['stop', USAGE]);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const tools = await ask({ ...hello('weather'), tools: TOOLS });
    expect(toolCallsOf(tools.text)).toMatchObject([{ function: { name: 'weather', arguments: '{"city":"Oslo"}' } }]);
  });
});

describe('against a provider that does what it is told', () => {
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await startFakeProvider();
  });
  beforeEach(() => {
    provider.calls.length = 0;
  });
  afterAll(() => provider.close());

  const model = (name: string, fields: Json = {}): Promise<Json> =>
    saveModel(hub, {
      provider: name,
      model_name: 'some-model',
      api_base: provider.url.replace(/\/v1$/, ''),
      api_key: 'key-of-the-provider-1',
      ...fields,
    });
  const ask = async (name: string, fields: Json = {}): Promise<Answer> =>
    call(hub, aChat((await model(name))['alias'], fields));
  const answers = (status: number, body: Json, headers: Record<string, string> = {}): void =>
    provider.answerWith((_call, response) => sendJson(response, status, body, headers));

  describe("Bedrock's stream", () => {
    const sends = (...frames: Buffer[]): void =>
      provider.answerWith((_call, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
        for (const frame of frames) response.write(frame);
        response.end();
      });
    const delta = (text: string): Buffer => anEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } });
    const exception = (type: string, message: string): Buffer =>
      aFrame({ ':message-type': 'exception', ':exception-type': type }, { message });
    const END = [
      anEvent('contentBlockStop', { contentBlockIndex: 0 }),
      anEvent('messageStop', { stopReason: 'end_turn' }),
      anEvent('metadata', { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 }, metrics: { latencyMs: 1 } }),
    ];
    const stream = (): Promise<Answer> => ask('amazon_bedrock', { stream: true });

    it('is read from its frames, asked with the key in its header', async () => {
      sends(anEvent('messageStart', { role: 'assistant' }), delta('Grüße, '), delta('漢字 🚀'), ...END);
      const { status, text } = await ask('amazon_bedrock', { stream: true, stream_options: { include_usage: true } });
      expect([status, contentOf(text), usageIn(text)]).toMatchObject([200, 'Grüße, 漢字 🚀', USAGE]);
      expect(provider.calls[0]).toMatchObject({
        path: '/model/some-model/converse-stream',
        headers: { authorization: 'Bearer key-of-the-provider-1' },
      });
    });

    it.each([
      ['throttlingException', 'rate_limit_exceeded'],
      ['serviceUnavailableException', 'provider_overloaded'],
      ['modelStreamErrorException', 'provider_error'],
      ['validationException', 'provider_rejected_request'],
    ])('ends with what AWS says: %s', async (type, code) => {
      provider.answerWith(async (_call, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
        response.write(delta('Hel'));
        await sleep(50);
        response.end(exception(type, 'Not now'));
      });
      const { text } = await stream();
      expect(contentOf(text)).toBe('Hel');
      expect(chunksOf(text).at(-1)).toMatchObject({ error: { code, message: expect.stringContaining('Not now') } });
    });

    it.each([
      ['a frame without end', [Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])], /longer than/],
      ['a frame broken off', [delta('Hel').subarray(0, -3)], /broke off/],
      [
        'a frame with a wrong checksum',
        [Buffer.concat([delta('Hel').subarray(0, -4), Buffer.alloc(4)])],
        /not what Amazon Bedrock sends/,
      ],
      ['an end before its end', [delta('Hel')], /without a reason/],
    ])('is a bad answer with %s', async (_what, frames, message) => {
      sends(...frames);
      const answer = await stream();
      const error = answer.status === 200 ? chunksOf(answer.text).at(-1)?.['error'] : answer.error;
      expect(error).toMatchObject({ code: 'provider_bad_answer', message: expect.stringMatching(message) });
    });
  });

  it("asks Bedrock with the config's key and address, whatever the environment says", async () => {
    const own = { ...process.env };
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIAOFTHEENVIRONMENT',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-environment',
      AWS_BEARER_TOKEN_BEDROCK: 'token-of-the-environment',
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:9',
    });
    try {
      answers(200, {
        output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
      });
      expect(messageOf(await ask('amazon_bedrock'))['content']).toBe('Hello');
    } finally {
      process.env = own;
    }
    const [{ headers, raw, path }] = provider.calls as [FakeProvider['calls'][number]];
    expect(path).toBe('/model/some-model/converse');
    expect(headers['authorization']).toBe('Bearer key-of-the-provider-1');
    expect(`${JSON.stringify(headers)}${String(raw)}`).not.toMatch(/environment|AKIA|x-amz/i);
  });

  it.each([
    ['amazon_bedrock', 429, 'ThrottlingException', 'Too many requests', 429, 'rate_limit_exceeded'],
    ['amazon_bedrock', 400, 'ServiceQuotaExceededException', 'Used up', 429, 'insufficient_quota'],
    [
      'amazon_bedrock',
      400,
      'ValidationException',
      'Input is too long for requested model.',
      400,
      'context_length_exceeded',
    ],
    [
      'amazon_bedrock',
      400,
      'ValidationException',
      'The provided model identifier is invalid.',
      404,
      'provider_model_not_found',
    ],
    ['amazon_bedrock', 403, 'AccessDeniedException', 'No access', 424, 'provider_auth_failed'],
    ['amazon_bedrock', 429, 'ModelNotReadyException', 'Wait', 503, 'provider_overloaded'],
    ['cohere', 400, '', 'too many tokens: total number of tokens exceeds the limit', 400, 'context_length_exceeded'],
    ['cohere', 401, '', 'invalid api token', 424, 'provider_auth_failed'],
    [
      'cohere',
      429,
      '',
      'You are using a Trial key, which is limited to 1000 API calls / month.',
      429,
      'insufficient_quota',
    ],
    ['cohere', 498, '', 'blocked', 400, 'content_filter'],
  ])('knows what %s means with %d %s: %s', async (name, status, type, message, expected, code) => {
    answers(status, { message }, type === '' ? {} : { 'x-amzn-errortype': `${type}:http://internal.amazon.com/` });
    const answer = await ask(name);
    expect(answer).toMatchObject({ status: expected, error: { code, message: expect.stringContaining(message) } });
  });

  it('does not ask Bedrock for what Converse does not know, and says so', async () => {
    answers(200, {
      output: { message: { role: 'assistant', content: [{ text: '{}' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
    });
    const fields = {
      top_k: 20,
      top_p: 0.5,
      seed: 7,
      reasoning_effort: 'low',
      response_format: { type: 'json_object' },
    };
    const { status, headers } = await ask('amazon_bedrock', fields);
    expect(status).toBe(200);
    expect(String(headers['x-hub-ignored-parameters']).split(', ').toSorted()).toEqual([
      'reasoning_effort',
      'response_format',
      'seed',
      'top_k',
    ]);
    expect(provider.calls[0]?.body['inferenceConfig']).toEqual({ topP: 0.5 });
  });

  it("reads Cohere's stream, its tool calls and its usage", async () => {
    const events = [
      {
        type: 'message-start',
        id: 'c1',
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
      },
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hello' } } } },
      { type: 'content-end', index: 0 },
      {
        type: 'tool-call-start',
        index: 0,
        delta: {
          message: { tool_calls: { id: 'weather_1', type: 'function', function: { name: 'weather', arguments: '' } } },
        },
      },
      {
        type: 'tool-call-delta',
        index: 0,
        delta: { message: { tool_calls: { function: { arguments: '{"city":"Oslo"}' } } } },
      },
      { type: 'tool-call-end', index: 0 },
      {
        type: 'message-end',
        delta: { finish_reason: 'TOOL_CALL', usage: { tokens: { input_tokens: 11, output_tokens: 7 } } },
      },
    ];
    provider.answerWith((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      response.end();
    });
    const fields = { tools: TOOLS, stream: true, stream_options: { include_usage: true } };
    const { text } = await ask('cohere', fields);
    expect([contentOf(text), usageIn(text)]).toMatchObject(['Hello', USAGE]);
    expect(toolCallsOf(text)).toMatchObject([
      { id: 'weather_1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    ]);
    expect(finishOf({ json: {}, text })).toBe('tool_calls');
  });

  describe('makes vectors', () => {
    /** A vector that tells which text it is of. */
    const vectorOf = (text: string): number[] => [Number(text), 0.25, -0.5];
    const google: Script = ({ path, body }, response) => {
      const textIn = ({ content }: Json): string => (content as { parts: [{ text: string }] }).parts[0].text;
      if (path.endsWith(':embedContent'))
        return sendJson(response, 200, { embedding: { values: vectorOf(textIn(body)) } });
      const embeddings = (body['requests'] as Json[]).map((entry) => ({ values: vectorOf(textIn(entry)) }));
      sendJson(response, 200, { embeddings });
    };
    const cohere: Script = ({ body }, response) => {
      const float = (body['texts'] as string[]).map(vectorOf);
      const meta = { billed_units: { input_tokens: 2 * float.length } };
      sendJson(response, 200, { id: 'e1', embeddings: { float }, texts: body['texts'], meta });
    };
    const titan: Script = ({ body }, response) =>
      sendJson(response, 200, { embedding: vectorOf(String(body['inputText'])), inputTextTokenCount: 2 });
    const nova: Script = ({ body }, response) => {
      const { text } = body['singleEmbeddingParams'] as { text: { value: string } };
      sendJson(response, 200, { embeddings: [{ embeddingType: 'TEXT', embedding: vectorOf(text.value) }] });
    };
    const PLAYS: [string, string, Script, { requests: number; counts: boolean; sized: number; as: string }][] = [
      [
        'gemini',
        'gemini-embedding-001',
        google,
        { requests: 3, counts: false, sized: 768, as: '"outputDimensionality":768' },
      ],
      ['cohere', 'embed-v4.0', cohere, { requests: 3, counts: true, sized: 512, as: '"output_dimension":512' }],
      [
        'amazon_bedrock',
        'amazon.titan-embed-text-v2:0',
        titan,
        { requests: 201, counts: true, sized: 512, as: '"dimensions":512' },
      ],
      [
        'amazon_bedrock',
        'amazon.nova-2-multimodal-embeddings-v1:0',
        nova,
        { requests: 201, counts: false, sized: 384, as: '"embeddingDimension":384' },
      ],
    ];
    const embed = (alias: unknown, fields: Json): Promise<Answer> =>
      call(hub, { model: alias, ...fields }, { path: '/v1/embeddings' });

    it.each(PLAYS)('with %s, %s', async (name, modelName, script, { requests, counts, sized, as }) => {
      provider.answerWith(script);
      const { id, alias } = await model(name, { model_name: modelName });
      const one = await embed(alias, { input: '7', dimensions: sized, user: 'somebody' });
      expect(one.status).toBe(200);
      expect(one.headers['x-hub-ignored-parameters']).toBe('user');
      expect(one.json).toMatchObject({
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: vectorOf('7') }],
      });
      expect(String(provider.calls[0]?.raw)).toContain(as);
      provider.calls.length = 0;
      const input = Array.from({ length: 201 }, (_, index) => String(index));
      const many = await embed(alias, { input, encoding_format: 'base64' });
      const vectors = (many.json['data'] as { embedding: string }[]).map(({ embedding }) => {
        const bytes = Buffer.from(embedding, 'base64');
        return [0, 4, 8].map((at) => bytes.readFloatLE(at));
      });
      expect(vectors).toEqual(input.map(vectorOf));
      expect(provider.calls).toHaveLength(requests);
      const [outcome] = await usageAfter(hub, id, 2);
      expect(outcome).toMatchObject({ outcome: 'ok', calls: 2, estimated: counts ? 0 : 2 });
      if (counts) expect([many.json['usage'], outcome]).toMatchObject([{ prompt_tokens: 402 }, { input: 404 }]);
    });

    it.each(PLAYS)('with %s, %s, of texts and not of tokens', async (name, modelName) => {
      const { alias } = await model(name, { model_name: modelName });
      for (const input of [
        [1, 2],
        [[1], [2]],
      ]) {
        expect(await embed(alias, { input })).toMatchObject({
          status: 400,
          error: { code: 'parameter_not_supported', param: 'input' },
        });
      }
      expect(provider.calls).toEqual([]);
    });

    it.each(PLAYS.slice(1))('with %s, %s, of the lengths that it has', async (name, modelName) => {
      const { alias } = await model(name, { model_name: modelName });
      expect(await embed(alias, { input: 'Hi', dimensions: 100 })).toMatchObject({
        status: 400,
        error: { code: 'parameter_not_supported', param: 'dimensions', message: expect.stringContaining('1024') },
      });
      expect(provider.calls).toEqual([]);
    });

    it('and tells of a provider that answers with too few of them, or fails halfway', async () => {
      const { alias } = await model('gemini', { model_name: 'gemini-embedding-001' });
      answers(200, { embeddings: [{ values: [1] }] });
      expect(await embed(alias, { input: ['1', '2'] })).toMatchObject({ error: { code: 'provider_bad_answer' } });
      provider.answerWith((received, response) =>
        provider.calls.length > 2
          ? sendJson(response, 429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Slow down' } })
          : google(received, response),
      );
      const input = Array.from({ length: 201 }, () => '1');
      expect(await embed(alias, { input })).toMatchObject({ status: 429, error: { code: 'rate_limit_exceeded' } });
    });

    it('nowhere with Claude and Vertex', async () => {
      for (const name of ['claude', 'google_vertex']) {
        const { alias } = await model(name);
        expect(await embed(alias, { input: 'Hi' })).toMatchObject({ error: { code: 'operation_not_supported' } });
      }
      expect(provider.calls).toEqual([]);
    });
  });
});
