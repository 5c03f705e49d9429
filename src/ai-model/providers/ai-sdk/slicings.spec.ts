import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { aSnapshotModel } from '../../../../test/factories/snapshot-model.js';
import { contentOf, finishOf, reasoningOf, toolCallsOf, usageIn } from '../../../../test/support/openai-chunks.js';
import type { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { bodyOf } from '../../calls/incoming-call.js';
import { ANTHROPIC } from './anthropic.js';
import { BEDROCK } from './bedrock.js';
import { COHERE } from './cohere.js';
import { GEMINI } from './gemini.js';
import { SdkProvider } from './sdk-provider.js';
import type { SdkWire } from './sdk-wire.js';
import { BEDROCK_STREAM, CLAUDE_STREAM, COHERE_STREAM, GEMINI_STREAM } from './slicings.spec-data.js';

const RUNS = 2000;
const sliced = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
};

/** The network, and nothing else, is played: packets as they are cut. */
const networkOf = (packets: Buffer[], type: string): GuardedHttpClient =>
  ({
    request: () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-type': type },
        body: Readable.from(packets.filter(({ length }) => length > 0)),
      }),
  }) as unknown as GuardedHttpClient;

const BODY = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 100, stream: true };

const read = async (wire: SdkWire, packets: Buffer[]): Promise<unknown> => {
  const provider = new SdkProvider(
    networkOf(packets, wire === BEDROCK ? 'application/vnd.amazon.eventstream' : 'text/event-stream'),
    'https://provider.example.com',
    wire,
  );
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
  ['Cohere', COHERE, COHERE_STREAM],
  ['Bedrock', BEDROCK, BEDROCK_STREAM],
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
