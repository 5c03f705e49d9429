import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { aSnapshotModel } from '../../../../test/factories/snapshot-model.js';
import { contentOf, finishOf, reasoningOf, toolCallsOf, usageIn } from '../../../../test/support/openai-chunks.js';
import type { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { bodyOf } from '../../calls/incoming-call.js';
import { ANTHROPIC } from './anthropic.js';
import { GEMINI } from './gemini.js';
import { SdkProvider } from './sdk-provider.js';
import type { SdkWire } from './sdk-wire.js';

const RUNS = 2000;
const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const delta = (index: number, fields: object): string => event('content_block_delta', { index, delta: fields });

const CLAUDE_STREAM = [
  event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-x',
      content: [],
      usage: { input_tokens: 9, output_tokens: 1 },
    },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
  delta(0, { type: 'thinking_delta', thinking: 'Hm… 🤔' }),
  delta(0, { type: 'signature_delta', signature: 'c2ln' }),
  event('content_block_stop', { index: 0 }),
  event('content_block_start', { index: 1, content_block: { type: 'text', text: '' } }),
  event('ping', {}),
  delta(1, { type: 'text_delta', text: 'Grüße, 漢字 ' }),
  delta(1, { type: 'text_delta', text: '🚀 "data: [DONE]"\\n' }),
  event('content_block_stop', { index: 1 }),
  event('content_block_start', {
    index: 2,
    content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
  }),
  delta(2, { type: 'input_json_delta', partial_json: '{"city":"Tr' }),
  delta(2, { type: 'input_json_delta', partial_json: 'omsø 🌧"}' }),
  event('content_block_stop', { index: 2 }),
  event('content_block_start', {
    index: 3,
    content_block: { type: 'tool_use', id: 'call_2', name: 'time', input: {} },
  }),
  event('content_block_stop', { index: 3 }),
  event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 14 } }),
  event('message_stop', {}),
].join('');

const candidate = (parts: object[], fields: object, count: number): string =>
  `data: ${JSON.stringify({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...fields }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: count, totalTokenCount: 9 + count },
    modelVersion: 'gemini-x',
  })}\r\n\r\n`;
const GEMINI_STREAM = [
  candidate([{ text: 'Hm… 🤔', thought: true }], {}, 1),
  candidate([{ text: 'Grüße, 漢字 ' }], {}, 3),
  candidate([{ text: '🚀 "data: [DONE]"\\n' }], {}, 8),
  candidate(
    [
      { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Tromsø 🌧' } } },
      { functionCall: { id: 'call_2', name: 'time', args: {} } },
    ],
    { finishReason: 'STOP' },
    14,
  ),
].join('');

const sliced = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
};

/** The network, and nothing else, is played: packets as they are cut. */
const networkOf = (packets: Buffer[]): GuardedHttpClient =>
  ({
    request: () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        body: Readable.from(packets.filter(({ length }) => length > 0)),
      }),
  }) as unknown as GuardedHttpClient;

const BODY = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 100, stream: true };

const read = async (wire: SdkWire, packets: Buffer[]): Promise<unknown> => {
  const provider = new SdkProvider(networkOf(packets), 'https://provider.example.com', wire);
  const model = aSnapshotModel({ api_base: 'https://provider.example.com', model_name: 'a-model' });
  const request = { model, ...bodyOf(BODY), parameters: BODY, stream: true, isTranslated: false };
  const answer = await provider.chat(request, new AbortController().signal);
  if (answer.kind !== 'stream') throw new Error('not a stream');
  let text = '';
  for await (const piece of answer.body) text += String(piece);
  return {
    thoughts: reasoningOf(text),
    content: contentOf(text),
    calls: toolCallsOf(text),
    finish: finishOf({ json: {}, text }),
    usage: usageIn(text),
    isDone: text.endsWith('data: [DONE]\n\n'),
  };
};

describe.each([
  ['Anthropic', ANTHROPIC, CLAUDE_STREAM],
  ['Google', GEMINI, GEMINI_STREAM],
] as const)('a stream of %s', (_name, wire, stream) => {
  it('says the same however the network cuts it', async () => {
    const bytes = Buffer.from(stream);
    const whole = await read(wire, [bytes]);
    expect(whole).toMatchObject({
      content: 'Grüße, 漢字 🚀 "data: [DONE]"\\n',
      thoughts: 'Hm… 🤔',
      calls: [
        { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Tromsø 🌧"}' } },
        { id: 'call_2', type: 'function', function: { name: 'time', arguments: '{}' } },
      ],
      finish: 'tool_calls',
      usage: { prompt_tokens: 9, completion_tokens: 14, total_tokens: 23 },
      isDone: true,
    });
    const cuts = fc.array(fc.nat({ max: bytes.length }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => expect(await read(wire, sliced(bytes, places))).toEqual(whole)),
      { numRuns: RUNS },
    );
  });
});
