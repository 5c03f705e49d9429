import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CHAT_DIALECT } from '../src/ai-model/entrances/chat/chat.dialect.js';
import { bodyOf } from '../src/ai-model/calls/incoming-call.js';
import { scanTopLevel } from '../src/ai-model/calls/wire/json-object-editor.js';
import type { ChatProvider, ProviderRequest } from '../src/ai-model/providers/provider.js';
import { PROVIDER_REGISTRY } from '../src/ai-model/providers/registry.js';
import { PRESETS } from '../src/contract/presets.js';
import type { SnapshotModel } from '../src/contract/snapshot.contract.js';
import { GuardedHttpClient } from '../src/platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../src/platform/http/outbound/outbound-policy.js';
import { parsePrivateOrigins } from '../src/platform/http/outbound/private-origins.js';
import { aSnapshotModel } from './factories/snapshot-model.js';
import { sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { asText, expectGolden } from './support/golden.js';

const GOLDEN = 'openai-wire';
const FOLDER = fileURLToPath(new URL(`golden/${GOLDEN}`, import.meta.url));

/** Blanks, a number that no double holds, escapes and a parameter nobody knows: none of it is the hub's business. */
const PLAIN = `{ "model":"alias-of-the-hub",\t"messages" : [ {"role":"user","content":"Grüße \\u4f60\\u597d \\/ 🚀"} ],
  "logit_bias": {"50256": -100}, "seed": 9007199254740993, "x_unknown": 1.0e+2 }`;

/** A request that uses what servers differ in. */
const RICH = `{"model":"alias-of-the-hub", "messages":[
  {"role":"developer","content":"Be brief.","name":"policy"},
  {"role":"user","name":"ann","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}]},
  {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"n\\": 1e2}"}}]},
  {"role":"tool","tool_call_id":"call_1","content":"42"}
 ], "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"n":{"type":"number"}}}}}],
 "max_completion_tokens": 300, "seed": 7, "frequency_penalty": 0.5, "presence_penalty": 0.25, "logit_bias": {"1": -1},
 "logprobs": true, "top_logprobs": 2, "parallel_tool_calls": false, "service_tier": "auto", "store": false, "user": "u-1",
 "stop": ["END"], "stream": true, "stream_options": {"include_usage": false} }`;

/** What an entrance of another dialect makes: OpenAI's format, and extensions where some provider has a use for them. */
const TRANSLATED = {
  model: 'alias-of-the-hub',
  messages: [
    { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }] },
    { role: 'user', content: 'say "cache_control"' },
    {
      role: 'assistant',
      content: null,
      reasoning_details: [{ type: 'reasoning.text', text: 'so', signature: 's' }],
      tool_calls: [
        {
          id: 'c1',
          type: 'function',
          function: { name: 'f', arguments: '{"cache_control":1}' },
          extra_content: { google: { thought_signature: 'x' } },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'done', cache_control: { type: 'ephemeral' } },
  ],
  tools: [
    {
      type: 'function',
      function: { name: 'f', parameters: { type: 'object', properties: { cache_control: { type: 'number' } } } },
      cache_control: { type: 'ephemeral' },
    },
  ],
  max_tokens: 20,
};

const EMBEDDING = `{"input":["Grüße", "b"], "model" : "alias-of-the-hub","encoding_format":"base64", "dimensions":256}`;

interface Case {
  name: string;
  model: Partial<SnapshotModel>;
  body: string | typeof TRANSLATED;
  operation?: 'chat' | 'embed';
}

const AZURE = { provider: 'azure_openai', model_name: 'gpt-4o', api_base: 'https://127.0.0.1' } as const;

const MODELS: Record<string, Partial<SnapshotModel>> = {
  openai: { provider: 'openai', model_name: 'gpt-4o-mini' },
  'openai-reasoning': { provider: 'openai', model_name: 'gpt-5-mini' },
  'azure-dated': { ...AZURE, model_name: 'my deployment/4o', api_version: '2024-10-21' },
  'azure-old': { ...AZURE, api_version: '2024-02-01', api_base: 'https://127.0.0.1/openai/' },
  'azure-v1': { ...AZURE, api_base: 'https://127.0.0.1/openai/v1' },
  'azure-preview': { ...AZURE, model_name: 'o4-mini', api_version: 'preview' },
  huggingface: { provider: 'huggingface', model_name: 'org/model:groq' },
  local: { provider: 'local', model_name: 'llama3', api_key: null, is_local: true },
  'openai-compatible': {
    auth_headers: { 'X-Team': 'search' },
    default_temperature: 0.5,
    custom_parameters: { top_k: 40, seed: 1, never: null, max_tokens: 9 },
  },
};

const CASES: Case[] = [
  ...Object.entries(MODELS).flatMap(([name, model]): Case[] => [
    { name: `${name}-plain`, model, body: PLAIN },
    { name: `${name}-rich`, model, body: RICH },
    { name: `${name}-translated`, model, body: TRANSLATED },
    { name: `${name}-embeddings`, model, body: EMBEDDING, operation: 'embed' },
  ]),
  ...PRESETS.filter(({ is_local: isLocal }) => !isLocal).flatMap((preset): Case[] => {
    const model = { provider: preset.provider, api_base: preset.api_base, model_name: 'grok-4' };
    return [
      { name: `preset-${preset.id}-rich`, model, body: RICH },
      { name: `preset-${preset.id}-translated`, model, body: TRANSLATED },
    ];
  }),
];

describe('what reaches a server that speaks OpenAI, byte for byte', () => {
  let server: FakeProvider;
  let client: GuardedHttpClient;
  let port: string;
  beforeAll(async () => {
    server = await startFakeProvider();
    port = new URL(server.url).port;
    // Every name leads to the fake server, so that the true addresses decide what is sent.
    const hosts = ['127.0.0.1', ...PRESETS.map(({ api_base: base }) => new URL(base).hostname)];
    const origins = parsePrivateOrigins(hosts.map((host) => `http://${host}:${port}`).join(','));
    const resolve = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    client = new GuardedHttpClient(new OutboundPolicy(origins), { resolve });
  });
  beforeEach(() => {
    server.calls.length = 0;
    server.answerWith(({ body }, response) => {
      if (body['stream'] !== true) return sendJson(response, 200, {});
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
    });
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  /** The same path at the fake server's port, without TLS. */
  const redirected = (address: string | null | undefined): string => {
    const url = new URL(address ?? server.url);
    return `http://${url.hostname}:${port}${url.pathname.replace(/\/$/, '')}`;
  };

  const requestOf = ({ model, body, operation }: Case): ProviderRequest => {
    const snapshot = aSnapshotModel({ ...model, api_base: redirected(model.api_base) });
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    if (typeof body !== 'string') {
      return { model: snapshot, ...bodyOf(body), parameters: body, stream: false, isTranslated: true };
    }
    if (operation === 'embed') {
      const parameters = JSON.parse(body) as Record<string, unknown>;
      const topLevel = scanTopLevel(bytes, { depth: 64 });
      return { model: snapshot, body: bytes, topLevel, parameters, stream: false, isTranslated: false };
    }
    const { topLevel, parameters, stream, isTranslated } = CHAT_DIALECT.read(bytes);
    return { model: snapshot, body: bytes, topLevel, parameters, stream, isTranslated };
  };

  const providerOf = ({ model: { provider = 'openai_compatible' } }: Case): Promise<ChatProvider> | undefined =>
    PROVIDER_REGISTRY[provider].load(client, PROVIDER_REGISTRY[provider].defaultApiBase);

  it.each(CASES)('$name', async (story) => {
    const provider = await providerOf(story);
    const signal = new AbortController().signal;
    const request = requestOf(story);
    const answer = await (story.operation === 'embed'
      ? provider?.embed?.(request, signal)
      : provider?.chat(request, signal));
    if (answer?.kind === 'stream') answer.body.destroy();
    expect(server.calls).toHaveLength(1);
    const ignored = answer?.ignored.join(', ') ?? '';
    const sent = server.calls.map((call) => asText(call)).join('');
    expectGolden(`${GOLDEN}/${story.name}`, `${sent}\n\n# told as ignored: ${ignored || 'nothing'}\n`);
  });

  it('has no golden file that nobody compares', () => {
    const names = CASES.map(({ name }) => `${name}.http`).sort();
    expect(readdirSync(FOLDER).sort()).toEqual(names);
  });
});
