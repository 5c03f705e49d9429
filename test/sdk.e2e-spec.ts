import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from 'openai';
import { readModel, saveModel, until, usageAfter, type Json } from './support/calls.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Neither side was written here: OpenAI's own client, and a provider that others made. */
describe("OpenAI's client", () => {
  let hub: TestHub;
  let mock: LLMock;
  let token: string;
  let client: OpenAI;
  beforeAll(async () => {
    hub = await startHub();
    mock = new LLMock({ port: 0 });
    mock.onMessage('hello', { content: 'Hello from the other side' });
    mock.onMessage('weather', { toolCalls: [{ name: 'get_weather', arguments: '{"city":"Oslo"}' }] });
    mock.onMessage('this picture', { content: 'One pixel' });
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
    token = await hub.createToken('invoke');
    client = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: token, maxRetries: 0 });
  });
  afterAll(async () => {
    await hub.close();
    await mock.stop();
  });

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { provider: 'openai', model_name: 'gpt-4o-mini', api_base: `${mock.url}/v1`, ...fields });
  const ask = (
    alias: unknown,
    content: OpenAI.ChatCompletionUserMessageParam['content'],
  ): Pick<OpenAI.ChatCompletionCreateParams, 'model' | 'messages'> => ({
    model: String(alias),
    messages: [{ role: 'user', content }],
  });
  const failureOf = (request: PromiseLike<unknown>): Promise<unknown> =>
    Promise.resolve(request).then(
      () => 'it went well',
      (error: unknown) => error,
    );

  it('gets an answer, and the call is counted', async () => {
    const { id, alias } = await model();
    const { data, response } = await client.chat.completions.create(ask(alias, 'hello')).withResponse();
    expect(data.choices[0]?.message.content).toBe('Hello from the other side');
    expect(data.object).toBe('chat.completion');
    expect(response.headers.get('x-hub-model')).toBe(alias);
    expect(mock.getLastRequest()?.body).toMatchObject({ model: 'gpt-4o-mini' });
    await usageAfter(hub, id, 1);
    expect(await readModel(hub, id)).toMatchObject({ usage_count: 1, error_count: 0 });
  });

  it('gets a stream, word by word to its end', async () => {
    const { alias } = await model();
    const pieces: string[] = [];
    const stream = await client.chat.completions.create({ ...ask(alias, 'hello'), stream: true });
    let finish: string | null | undefined;
    for await (const { choices, usage } of stream) {
      expect(choices).toHaveLength(1);
      expect(usage ?? null).toBeNull();
      pieces.push(choices[0]?.delta.content ?? '');
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect(pieces.join('')).toBe('Hello from the other side');
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(1);
    expect(finish).toBe('stop');
  });

  it('gets the usage of a stream when it asks, and the hub counts the same', async () => {
    const { id, alias } = await model();
    const stream = await client.chat.completions.create({
      ...ask(alias, 'hello'),
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    expect(usage?.completion_tokens).toBeGreaterThan(0);
    const counted = { estimated: 0, input: usage?.prompt_tokens, output: usage?.completion_tokens };
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', calls: 1, ...counted }]);
  });

  it('gets the call of a tool, whole and put together from a stream', async () => {
    const { alias } = await model();
    const tools: OpenAI.ChatCompletionTool[] = [
      {
        type: 'function',
        function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
      },
    ];
    const { choices } = await client.chat.completions.create({ ...ask(alias, 'weather'), tools });
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }] },
    });
    expect(mock.getLastRequest()?.body).toMatchObject({ tools });
    const streamed = await client.chat.completions.stream({ ...ask(alias, 'weather'), tools }).finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    });
  });

  it('sends a picture', async () => {
    const { alias } = await model({ supports_images: true });
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: 'text', text: 'What is in this picture?' },
      { type: 'image_url', image_url: { url: PIXEL, detail: 'low' } },
    ];
    const { choices } = await client.chat.completions.create(ask(alias, content));
    expect(choices[0]?.message.content).toBe('One pixel');
    expect(mock.getLastRequest()?.body).toMatchObject({ messages: [{ role: 'user', content }] });
  });

  it('lists what can be called, and one of it by name', async () => {
    const { alias } = await model({ alias: 'team/listed', supports_images: true, context_window: 128_000 });
    const { alias: off } = await model({ is_enabled: false });
    const ids: string[] = [];
    await until(
      async () => (await client.models.list()).data.map(({ id }) => id),
      (seen) => seen.includes(String(alias)),
    );
    for await (const listed of client.models.list()) ids.push(listed.id);
    expect(ids).toContain(alias);
    expect(ids).not.toContain(off);
    expect(await client.models.retrieve('team/listed')).toMatchObject({
      id: 'team/listed',
      object: 'model',
      owned_by: 'openai',
      context_window: 128_000,
      capabilities: { images: true, streaming: true },
    });
    expect(await failureOf(client.models.retrieve(String(off)))).toBeInstanceOf(NotFoundError);
  });

  it('gets errors of its own classes for what is wrong with its request', async () => {
    const { alias } = await model();
    const stranger = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    const unauthorized = await failureOf(stranger.chat.completions.create(ask(alias, 'hello')));
    expect(unauthorized).toBeInstanceOf(AuthenticationError);
    expect(unauthorized).toMatchObject({ status: 401, code: 'token_invalid', type: 'authentication_error' });
    const unknown = await failureOf(client.chat.completions.create(ask('nobody', 'hello')));
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect(unknown).toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      requestID: expect.stringMatching(/\w/),
    });
  });

  it('gets errors of its own classes for what it may not, or the model cannot', async () => {
    const { alias } = await model();
    const reader = new OpenAI({
      baseURL: `${hub.url}/v1`,
      apiKey: await hub.createToken('models:read'),
      maxRetries: 0,
    });
    const forbidden = await failureOf(reader.chat.completions.create(ask(alias, 'hello')));
    expect(forbidden).toBeInstanceOf(PermissionDeniedError);
    expect(forbidden).toMatchObject({ status: 403, code: 'scope_missing' });
    mock.clearRequests();
    const picture: OpenAI.ChatCompletionContentPart[] = [{ type: 'image_url', image_url: { url: PIXEL } }];
    const unseen = await failureOf(client.chat.completions.create(ask(alias, picture)));
    expect(unseen).toBeInstanceOf(UnprocessableEntityError);
    expect(unseen).toMatchObject({ status: 422, code: 'modality_not_supported' });
    expect(mock.getRequests()).toHaveLength(0);
  });

  it('gets errors of its own classes for what the provider refuses', async () => {
    const { alias } = await model();
    const stories = [
      ['too fast', RateLimitError, { status: 429, code: 'rate_limit_exceeded' }],
      ['too much', BadRequestError, { status: 400, code: 'context_length_exceeded' }],
      ['broken', InternalServerError, { status: 502, code: 'provider_error' }],
    ] as const;
    for (const [text, type, fields] of stories) {
      const failure = await failureOf(client.chat.completions.create(ask(alias, text)));
      expect(failure).toBeInstanceOf(type);
      expect(failure).toMatchObject(fields);
      const streamed = await failureOf(client.chat.completions.create({ ...ask(alias, text), stream: true }));
      expect(streamed).toBeInstanceOf(type);
    }
  });

  it('asks once for what will not change, however many retries it is set to', async () => {
    const patient = new OpenAI({ baseURL: `${hub.url}/v1`, apiKey: token, maxRetries: 3 });
    const { alias } = await model();
    mock.clearRequests();
    await failureOf(patient.chat.completions.create(ask(alias, 'too much')));
    expect(mock.getRequests()).toHaveLength(1);
    const { id, alias: keyless } = await model({ api_key: null });
    const startedAt = Date.now();
    expect(await failureOf(patient.chat.completions.create(ask(keyless, 'hello')))).toMatchObject({
      code: 'credential_missing',
    });
    expect(Date.now() - startedAt).toBeLessThan(400);
    expect(await readModel(hub, id)).toMatchObject({ status: 'needs_api_key' });
  });

  // Where there is no curl there is nothing to show.
  const hasCurl = spawnSync('curl', ['--version']).status === 0;
  (hasCurl ? it : it.skip)('has a sister in curl: save a model, call it, see it counted', async () => {
    const run = async (path: string, body?: Json): Promise<Json> => {
      const data = body ? ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)] : [];
      const { stdout } = await promisify(execFile)('curl', [
        '-sS',
        '-f',
        `${hub.url}${path}`,
        '-H',
        `Authorization: Bearer ${hub.adminToken}`,
        ...data,
      ]);
      return JSON.parse(stdout) as Json;
    };
    const saved = await run(CONFIGS, {
      alias: 'fast',
      provider: 'openai',
      model_name: 'gpt-4o-mini',
      api_key: 'sk-test-0123456789',
      api_base: `${mock.url}/v1`,
    });
    expect(saved).toMatchObject({ alias: 'fast', status: 'configured' });
    const answer = await run('/v1/chat/completions', { model: 'fast', messages: [{ role: 'user', content: 'hello' }] });
    expect(answer).toMatchObject({ choices: [{ message: { content: 'Hello from the other side' } }] });
    await until(
      () => run(`${CONFIGS}/by-alias/fast`),
      (seen) => seen['usage_count'] === 1,
    );
  });
});
