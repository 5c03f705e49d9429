import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bodyOf } from '../src/ai-model/calls/incoming-call.js';
import { PROVIDER_REGISTRY } from '../src/ai-model/providers/registry.js';
import type { Provider } from '../src/contract/providers.js';
import { GuardedHttpClient } from '../src/platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../src/platform/http/outbound/outbound-policy.js';
import { parsePrivateOrigins } from '../src/platform/http/outbound/private-origins.js';
import { aSnapshotModel } from './factories/snapshot-model.js';
import type { Json } from './support/calls.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { asText, expectGolden } from './support/golden.js';

const GOLDEN = 'translated';
const FOLDER = fileURLToPath(new URL(`golden/${GOLDEN}`, import.meta.url));

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQK';
const user = (...content: Json[]): Json => ({ role: 'user', content });
const TEXT = { type: 'text', text: 'What is this? 你好 🚀' };
const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Now',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };

const plain: Json = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'One' },
    { role: 'user', content: 'Two' },
    { role: 'assistant', content: 'Three' },
    { role: 'user', content: 'Four' },
  ],
  max_tokens: 100,
  temperature: 0.5,
  stop: ['END'],
};
const image: Json = { messages: [user(TEXT, { type: 'image_url', image_url: { url: PNG } })] };
const pdf: Json = { messages: [user(TEXT, { type: 'file', file: { file_data: PDF, filename: 'a.pdf' } })] };
const tools = (call: Json = CALL): Json => ({
  messages: [
    { role: 'user', content: 'Weather?' },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
  ],
  tools: [TOOL],
  tool_choice: 'auto',
});
const schema: Json = {
  messages: [user(TEXT)],
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, strict: true } },
};

const json: Json = { messages: [user(TEXT)], response_format: { type: 'json_object' } };
const textFile: Json = {
  messages: [user(TEXT, { type: 'file', file: { file_data: 'data:text/plain;base64,SGVsbG8=', filename: 'a.txt' } })],
};
/** Two calls in one turn, their results in another order, and a picture as one of them. */
const parallelTools: Json = {
  messages: [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [CALL, { ...CALL, id: 'call_2', function: { name: 'weather', arguments: '' } }],
    },
    { role: 'tool', tool_call_id: 'call_2', content: 'Sun' },
    { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'image_url', image_url: { url: PNG } }] },
    { role: 'user', content: 'And?' },
  ],
  tools: [TOOL, { type: 'function', function: { name: 'time' } }],
  tool_choice: { type: 'function', function: { name: 'weather' } },
  parallel_tool_calls: false,
};
const parameters: Json = {
  messages: [{ role: 'developer', content: 'Be kind.' }, user(TEXT)],
  max_completion_tokens: 50,
  temperature: 0,
  top_k: 5,
  stop: 'END',
  seed: 7,
  presence_penalty: 0.5,
  frequency_penalty: 0.25,
  user: 'u-1',
  metadata: { a: '1' },
};

interface Case {
  name: string;
  provider: Provider;
  model: string;
  body: Json;
}

const claude = (name: string, body: Json): Case => ({
  name: `claude-${name}`,
  provider: 'claude',
  model: 'claude-sonnet-4-5',
  body,
});
const gemini = (name: string, body: Json): Case => ({
  name: `gemini-${name}`,
  provider: 'gemini',
  model: 'gemini-2.5-flash',
  body,
});
const others = (['cohere', 'amazon_bedrock', 'google_vertex'] as const).flatMap((provider): Case[] => [
  { name: `${provider}-plain`, provider, model: 'some-model', body: plain },
  { name: `${provider}-image`, provider, model: 'some-model', body: image },
  { name: `${provider}-tools`, provider, model: 'some-model', body: tools() },
]);

const CASES: Case[] = [
  claude('plain', plain),
  claude('streamed', { ...plain, stream: true }),
  claude('image', image),
  claude('image-by-address', {
    messages: [user(TEXT, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } })],
  }),
  claude('pdf', pdf),
  claude('pdf-by-address', {
    messages: [user(TEXT, { type: 'file', file: { file_url: 'https://example.com/a.pdf' } })],
  }),
  claude('tools', tools()),
  claude('schema', schema),
  claude('thinking', { messages: [user(TEXT)], reasoning_effort: 'medium', max_tokens: 4000 }),
  claude('thoughts-back', {
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        reasoning_details: [{ type: 'reasoning.text', text: 'Hm', signature: 'sig' }],
        tool_calls: [CALL],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
    ],
    tools: [TOOL],
    reasoning_effort: 'low',
    max_tokens: 8000,
  }),
  claude('cache', {
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Long.', cache_control: { type: 'ephemeral' } }] },
      user(TEXT),
    ],
  }),
  claude('text-file', textFile),
  claude('parallel-tools', parallelTools),
  claude('json', json),
  claude('parameters', parameters),
  gemini('plain', plain),
  gemini('streamed', { ...plain, stream: true }),
  gemini('image', image),
  gemini('pdf', pdf),
  gemini('audio', {
    messages: [user(TEXT, { type: 'input_audio', input_audio: { data: 'UklGRgAAAABXQVZF', format: 'wav' } })],
  }),
  gemini('video', {
    messages: [user(TEXT, { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAAGGZ0eXBtcDQy' } })],
  }),
  gemini('tools', tools({ ...CALL, extra_content: { google: { thought_signature: 'c2ln' } } })),
  gemini('schema', schema),
  gemini('thinking', { messages: [user(TEXT)], reasoning_effort: 'high' }),
  gemini('text-file', textFile),
  gemini('uploaded-file', {
    messages: [
      user(TEXT, {
        type: 'file',
        file: { file_url: 'https://generativelanguage.googleapis.com/v1beta/files/abc-123' },
      }),
    ],
  }),
  gemini('parallel-tools', parallelTools),
  gemini('json', json),
  gemini('parameters', parameters),
  gemini('no-thinking', { messages: [user(TEXT)], reasoning_effort: 'none' }),
  { ...gemini('3-thinking', { messages: [user(TEXT)], reasoning_effort: 'medium' }), model: 'gemini-3-pro-preview' },
  { ...gemini('3-tools-unsigned', tools()), model: 'gemini-3-pro-preview' },
  { ...gemini('3-parallel-tools', parallelTools), model: 'gemini-3-pro-preview' },
  {
    name: 'cohere-parallel-tools',
    provider: 'cohere',
    model: 'some-model',
    body: { ...parallelTools, tool_choice: 'auto' },
  },
  ...others,
];

/** The very bytes that reach a provider whose wire is not OpenAI's, by provider and modality. */
describe('what reaches a provider of another wire', () => {
  let server: FakeProvider;
  let client: GuardedHttpClient;
  beforeAll(async () => {
    server = await startFakeProvider((_call, response) => sendJson(response, 503, {}));
    client = new GuardedHttpClient(new OutboundPolicy(parsePrivateOrigins('http://127.0.0.1:*')));
  });
  beforeEach(() => {
    server.calls.length = 0;
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  it.each(CASES)('$name', async ({ name, provider: id, model: modelName, body }) => {
    const provider = await PROVIDER_REGISTRY[id].load?.(client, null);
    const fields = {
      provider: id,
      model_name: modelName,
      api_base: server.url.replace(/\/v1$/, '/base'),
      api_key: 'key-of-the-provider',
    };
    const model = aSnapshotModel(fields);
    const stream = body['stream'] === true;
    const request = { model, ...bodyOf(body), parameters: body, stream, isTranslated: false };
    // The server is overloaded: what it was sent is all that matters.
    await expect(provider?.chat(request, new AbortController().signal)).rejects.toMatchObject({
      errorClass: 'overloaded',
    });
    expect(server.calls).toHaveLength(1);
    expectGolden(`${GOLDEN}/${name}`, `${server.calls.map((call) => asText(call)).join('')}\n`);
  });

  it('has no golden file that nobody compares', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(CASES.map(({ name }) => `${name}.http`).sort());
  });
});
