import { MessageStream as OfficialStream } from '@anthropic-ai/sdk/lib/MessageStream';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { AppError } from '../../../platform/errors/app-error.js';
import { translating } from '../../calls/stream-outlet.js';
import { SseReader } from '../../calls/wire/sse-reader.js';
import { ProviderError } from '../../providers/provider-error.js';
import type { MessageEvent } from './message-events.js';
import type { Asked } from './message-writer.js';
import { MessageStream } from './messages.dialect.js';
import { toMessage } from './whole-message.js';

type Json = Record<string, unknown>;

const ASKED: Asked = { model: 'm', stops: [], thoughts: 'shown', messages: [] };

const chunk = (delta: Json, finishReason: string | null = null): Json => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finishReason }],
});

/** The events that these chunks become, whose bytes come in slices that end at these places. */
const translate = (chunks: readonly Json[], cuts: readonly number[] = [], asked = ASKED): MessageEvent[] => {
  const bytes = Buffer.from(chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''));
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const reader = new SseReader({ eventBytes: 1024 * 1024 });
  const outlet = translating(new MessageStream(asked));
  let text = '';
  let start = 0;
  for (const end of ends) {
    for (const event of reader.push(Buffer.from(bytes.subarray(start, end))))
      text += outlet.event(event)?.toString() ?? '';
    start = end;
  }
  text += String(outlet.end(null));
  return parseEvents(text);
};

const parseEvents = (text: string): MessageEvent[] =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      const parsed = JSON.parse(data) as MessageEvent;
      expect(parsed.type).toBe(name);
      return parsed;
    });

/** As Anthropic's client reads it. */
const readOfficially = (events: readonly MessageEvent[]): Promise<Json> => {
  const lines = new Blob(events.map((event) => `${JSON.stringify(event)}\n`)).stream();
  return OfficialStream.fromReadableStream(lines).finalMessage() as Promise<unknown> as Promise<Json>;
};

/** One block after the other, numbered from 0, in a message that begins and ends. */
const requireWellFormed = (events: readonly MessageEvent[]): void => {
  expect(events[0]?.type).toBe('message_start');
  expect(events.slice(-2).map(({ type }) => type)).toEqual(['message_delta', 'message_stop']);
  let open: number | null = null;
  let next = 0;
  for (const event of events.slice(1, -2)) {
    if (event.type === 'content_block_start') {
      expect([open, event.index]).toEqual([null, next]);
      open = event.index;
      next += 1;
    } else if (event.type === 'content_block_delta') {
      expect(event.index).toBe(open);
    } else {
      expect(event).toEqual({ type: 'content_block_stop', index: open });
      open = null;
    }
  }
  expect(open).toBeNull();
};

interface Call {
  id: string;
  name: string;
  input: Json;
}

interface Answer {
  thoughts: { text: string; signature: string }[];
  text: string;
  calls: Call[];
}

const words = (): fc.Arbitrary<string> => fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });

const answers = (): fc.Arbitrary<Answer> =>
  fc.record({
    thoughts: fc.array(fc.record({ text: words(), signature: fc.string({ minLength: 1, maxLength: 9 }) }), {
      maxLength: 3,
    }),
    text: fc.oneof(fc.constant(''), words()),
    calls: fc
      .array(
        fc.record({
          name: fc.string({ minLength: 1, maxLength: 9 }),
          input: fc.dictionary(words(), fc.jsonValue({ maxDepth: 2 })),
        }),
        {
          maxLength: 4,
        },
      )
      .map((calls) => calls.map(({ name, input }, index) => ({ id: `call_${index}`, name, input: asJson(input) }))),
  });

/** As it comes out of a parser. */
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

const cut = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = [];
  let rest = text;
  for (let turn = 0; rest.length > 0; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? rest.length);
    pieces.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return pieces;
};

const callDeltas = ({ id, name, input }: Call, index: number, sizes: readonly number[]): Json[] =>
  [{ index, id, type: 'function', function: { name, arguments: '' } } as Json]
    .concat(cut(JSON.stringify(input), sizes).map((json) => ({ index, function: { arguments: json } })))
    .map((call) => ({ tool_calls: [call] }));

/** The lists, mixed as the choices say; each one keeps its order. */
const mix = <Item>(lists: readonly (readonly Item[])[], choices: readonly number[]): Item[] => {
  const rest = lists.map((list) => [...list]);
  const mixed: Item[] = [];
  for (let turn = 0; rest.some((list) => list.length > 0); turn += 1) {
    const left = rest.filter((list) => list.length > 0);
    const item = left[(choices[turn % Math.max(1, choices.length)] ?? 0) % left.length]?.shift();
    if (item !== undefined) mixed.push(item);
  }
  return mixed;
};

/** Calls in the order of their numbers, behind what has no id. */
const byId = (blocks: unknown): Json[] => {
  const idOf = ({ id }: Json): string => (typeof id === 'string' ? id : '');
  return (blocks as Json[]).sort((a, b) => idOf(a).localeCompare(idOf(b)));
};

const blocksOf = ({ thoughts, text, calls }: Answer): Json[] => [
  ...thoughts.map((thought) => ({ type: 'thinking', thinking: thought.text, signature: thought.signature })),
  ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
  ...calls.map((call) => ({ type: 'tool_use', ...call, caller: { type: 'direct' } })),
];

describe('a stream in the words of Anthropic', () => {
  it('is to its client what the provider wrote, however it is cut and mixed', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 });
    const cuts = fc.array(fc.nat(5000), { maxLength: 40 });
    const property = fc.asyncProperty(
      answers(),
      sizes,
      cuts,
      fc.array(fc.nat(9), { maxLength: 20 }),
      async (answer, ...how) => {
        const [pieceSizes, places, choices] = how;
        const thoughts = answer.thoughts.flatMap(({ text, signature }, index) => [
          ...cut(text, pieceSizes).map((piece) => ({
            reasoning_details: [{ type: 'reasoning.text', text: piece, index }],
          })),
          { reasoning_details: [{ type: 'reasoning.text', signature, index }] },
        ]);
        const texts = cut(answer.text, pieceSizes).map((content) => ({ content }));
        const calls = mix(
          answer.calls.map((call, index) => callDeltas(call, index, pieceSizes)),
          choices,
        );
        const deltas: Json[] = [{ role: 'assistant', content: '' }, ...thoughts, ...texts, ...calls];
        const usage = { prompt_tokens: 3, completion_tokens: 2 };
        const chunks = [...deltas.map((delta) => chunk(delta)), chunk({}, 'stop'), { choices: [], usage }];
        const events = translate(chunks, places);
        requireWellFormed(events);
        const message = await readOfficially(events);
        // The first piece of a call decides its place, and calls are mixed.
        expect(byId(message['content'])).toEqual(byId(blocksOf(answer)));
        expect(message).toMatchObject({
          stop_reason: answer.calls.length > 0 ? 'tool_use' : 'end_turn',
          usage: { input_tokens: 3, output_tokens: 2 },
        });
      },
    );
    // Ends of lines to Unicode, and none to a stream of events.
    const text = 'one\u2028two\u2029three\u0085four';
    const hard = { thoughts: [{ text, signature: 's' }], text, calls: [] };
    await fc.assert(property, { numRuns: 150, examples: [[hard, [], [], []]] });
  });

  it('says the same as the whole answer', async () => {
    const property = fc.asyncProperty(
      answers(),
      fc.constantFrom('stop', 'tool_calls', 'content_filter'),
      async (answer, reason) => {
        const message = {
          role: 'assistant',
          content: answer.text,
          reasoning_details: answer.thoughts.map(({ text, signature }) => ({
            type: 'reasoning.text',
            text,
            signature,
          })),
          tool_calls: answer.calls.map(({ id, name, input }) => ({
            id,
            function: { name, arguments: JSON.stringify(input) },
          })),
        };
        const usage = { prompt_tokens: 3, completion_tokens: 2 };
        const whole = toMessage({ choices: [{ index: 0, message, finish_reason: reason }], usage }, ASKED);
        expect(whole.content).toEqual(blocksOf(answer));
        const streamed = await readOfficially(translate([chunk(message, reason), { choices: [], usage }]));
        expect({ ...streamed, id: whole.id }).toMatchObject({ ...asJson(whole) });
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('begins with the first chunk, and ends even if nothing was said', () => {
    const stream = new MessageStream(ASKED);
    expect(parseEvents(stream.chunk(chunk({ role: 'assistant' }))).map(({ type }) => type)).toEqual(['message_start']);
    expect(stream.chunk(chunk({ content: '' }))).toBe('');
    expect(parseEvents(stream.end())).toMatchObject([{ type: 'message_delta' }, { type: 'message_stop' }]);
    requireWellFormed(translate([]));
  });

  it('tells a call as it comes', () => {
    const stream = new MessageStream(ASKED);
    const call = (json: string, more: Json = {}): MessageEvent[] =>
      parseEvents(stream.chunk(chunk({ tool_calls: [{ index: 0, function: { arguments: json, ...more } }] }))).filter(
        ({ type }) => type !== 'message_start',
      );
    expect(call('', { name: 'look' })).toMatchObject([
      { content_block: { name: 'look', id: expect.stringMatching(/^toolu_/) } },
    ]);
    expect(call('{"a"')).toMatchObject([{ delta: { partial_json: '{"a"' } }]);
    expect(call(':1}')).toMatchObject([{ delta: { partial_json: ':1}' } }]);
  });

  it('takes calls that all have the same index, or none', async () => {
    const call = (id: string, more: Json): Json =>
      chunk({ tool_calls: [{ id, function: { name: 'look', arguments: `{"id":"${id}"}` }, ...more }] });
    for (const more of [{ index: 0 }, {}]) {
      const message = await readOfficially(translate([call('a', more), call('b', more), chunk({}, 'tool_calls')]));
      expect(message['content']).toMatchObject([
        { id: 'a', input: { id: 'a' } },
        { id: 'b', input: { id: 'b' } },
      ]);
    }
  });

  it('says thoughts and text of other makes', async () => {
    const thinking = [{ type: 'text', text: 'Hm' }];
    const message = await readOfficially(
      translate([
        chunk({ content: [{ type: 'thinking', thinking }] }),
        chunk({ reasoning: '.' }),
        chunk({ content: [{ type: 'text', text: 'No' }] }),
        chunk({ refusal: ' way' }, 'content_filter'),
      ]),
    );
    expect(message).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: '' },
        { type: 'text', text: 'No way' },
      ],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal' },
    });
  });

  it('breaks off with an error, and keeps connections alive with pings', () => {
    const stream = new MessageStream(ASKED);
    expect(stream.heartbeat).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    const error = new AppError('provider_overloaded', { detail: 'sk-0123456789abc is too busy' });
    expect(stream.error(error)).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"[redacted] is too busy","code":"provider_overloaded","details":{"error_code":"provider_overloaded"}}}\n\n',
    );
  });

  it.each([
    ['has no name', [chunk({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] }, 'tool_calls')]],
    [
      'has half of its arguments',
      [chunk({ tool_calls: [{ index: 0, function: { name: 'a', arguments: '{"b":' } }] }, 'stop')],
    ],
    [
      'goes on when it was over',
      [
        chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'a', arguments: '{}' } }] }),
        chunk({ content: 'x' }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
      ],
    ],
    [
      'never ends, while others wait',
      [
        chunk({ tool_calls: [{ index: 0, function: { name: 'a', arguments: '{' } }] }),
        ...Array.from({ length: 20 }, () => chunk({ content: 'x'.repeat(512 * 1024) })),
      ],
    ],
  ])('is no good when a call of a tool %s', (_name, chunks) => {
    expect(() => translate(chunks)).toThrow(ProviderError);
  });

  it('leaves a call that the limit has cut as it is', () => {
    const events = translate([
      chunk({ tool_calls: [{ index: 0, function: { name: 'a', arguments: '{"b":' } }] }, 'length'),
    ]);
    requireWellFormed(events);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'max_tokens' } });
  });
});
