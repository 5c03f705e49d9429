import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Anthropic, { InternalServerError } from '@anthropic-ai/sdk';
import { saveModel, usageAfter, type Json } from './support/calls.js';
import {
  aMessage,
  anthropicError,
  block,
  MESSAGE_STOP,
  messageDelta,
  messageStart,
  PING,
  sendEvents,
  textBlock,
  toolBlock,
} from './support/fake-anthropic.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { startHub, type TestHub } from './support/hub.js';

const MARK = { type: 'ephemeral' } as const;
const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
  cache_control: MARK,
};
const THOUGHT = { type: 'thinking', thinking: 'I must look.', signature: 'signed' };
const SEALED = { type: 'redacted_thinking', data: 'sealed' };
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Oslo' } };
const USAGE = { input_tokens: 10, cache_creation_input_tokens: 20, cache_read_input_tokens: 30, output_tokens: 7 };

/** Anthropic's words go in and come out, though the hub speaks OpenAI's in between. */
describe("Anthropic's client in front of a model of Anthropic", () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let client: Anthropic;
  beforeAll(async () => {
    hub = await startHub();
    provider = await startFakeProvider();
    client = new Anthropic({ baseURL: hub.url, apiKey: await hub.createToken('invoke'), maxRetries: 0 });
  });
  beforeEach(() => {
    provider.calls.length = 0;
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const model = (fields: Json = {}): Promise<Json> =>
    saveModel(hub, { provider: 'claude', model_name: 'claude-sonnet-4-5', api_base: provider.url, ...fields });
  const ask = (alias: unknown): Anthropic.MessageCreateParamsNonStreaming => ({
    model: String(alias),
    max_tokens: 4000,
    system: [{ type: 'text', text: 'Be brief.', cache_control: MARK }],
    messages: [{ role: 'user', content: 'Weather in Oslo?' }],
    tools: [WEATHER],
    thinking: { type: 'enabled', budget_tokens: 2000 },
  });
  const answersFirst = (isStreamed: boolean): void =>
    provider.answerWith((_call, response) => {
      if (!isStreamed) {
        const fields = { stop_reason: 'tool_use', usage: USAGE };
        return sendJson(response, 200, aMessage([THOUGHT, SEALED, { type: 'text', text: 'Wait.' }, CALL], fields));
      }
      const thought = block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'I must ' },
        { type: 'thinking_delta', thinking: 'look.' },
        { type: 'signature_delta', signature: 'signed' },
      );
      return sendEvents(
        response,
        messageStart({ ...USAGE, output_tokens: 1 }),
        PING,
        thought,
        block(1, SEALED),
        textBlock(2, 'Wa', 'it.'),
        toolBlock(3, CALL.id, CALL.name, '{"city":', '"Oslo"}'),
        messageDelta('tool_use'),
        MESSAGE_STOP,
      );
    });

  it.each([
    ['whole', false],
    ['streamed', true],
  ])('thinks, calls a tool and goes on with its signed thoughts, %s', async (_name, isStreamed) => {
    const { id, alias } = await model();
    answersFirst(isStreamed);
    const request = ask(alias);
    const answer = isStreamed
      ? await client.messages.stream(request).finalMessage()
      : await client.messages.create(request);
    expect(answer).toMatchObject({
      model: alias,
      content: [THOUGHT, SEALED, { type: 'text', text: 'Wait.' }, CALL],
      stop_reason: 'tool_use',
      usage: USAGE,
    });
    expect(provider.calls[0]?.body).toMatchObject({
      model: 'claude-sonnet-4-5',
      max_tokens: 4000,
      system: request.system,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Weather in Oslo?' }] }],
      tools: [WEATHER],
      thinking: { type: 'enabled' },
    });
    expect(await usageAfter(hub, id, 1)).toMatchObject([{ outcome: 'ok', input: 60, cached: 30, output: 7 }]);

    provider.answerWith((_call, response) => sendJson(response, 200, aMessage([{ type: 'text', text: 'Cold.' }])));
    const result = { type: 'tool_result', tool_use_id: CALL.id, content: '4 degrees', cache_control: MARK } as const;
    const turns: Anthropic.MessageParam[] = [
      { role: 'assistant', content: answer.content },
      { role: 'user', content: [result] },
    ];
    const last = await client.messages.create({ ...request, messages: [...request.messages, ...turns] });
    expect(last).toMatchObject({ content: [{ type: 'text', text: 'Cold.' }], stop_reason: 'end_turn' });
    expect(provider.calls[1]?.body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [THOUGHT, SEALED, { type: 'text', text: 'Wait.' }, CALL] },
      { role: 'user', content: [result] },
    ]);
  });

  it('sends a picture and a paper as they are', async () => {
    const { alias } = await model({ supports_images: true, supports_files: true });
    provider.answerWith((_call, response) => sendJson(response, 200, aMessage()));
    const content: Anthropic.ContentBlockParam[] = [
      {
        type: 'image',
        source: {
          type: 'base64',
          media_type: 'image/png',
          data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        },
      },
      {
        type: 'document',
        title: 'empty.pdf',
        source: {
          type: 'base64',
          media_type: 'application/pdf',
          data: Buffer.from('%PDF-1.4\n%%EOF').toString('base64'),
        },
      },
    ];
    await client.messages.create({ ...ask(alias), messages: [{ role: 'user', content }] });
    expect(provider.calls[0]?.body['messages']).toMatchObject([{ role: 'user', content }]);
  });

  it('gets an error of its kind', async () => {
    const { alias } = await model();
    provider.answerWith((_call, response) => sendJson(response, 529, anthropicError('overloaded_error', 'Overloaded')));
    const failure = await client.messages.create(ask(alias)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(failure).toMatchObject({ status: 503, type: 'overloaded_error', errorCode: 'provider_overloaded' });
  });
});
