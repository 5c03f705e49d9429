import { describe, expect, it } from '@jest/globals';
import type { StreamVerdict } from './chat-stream-tap.js';
import { ChatStreamTap } from './chat-stream-tap.js';
import { SseReader } from './sse-reader.js';

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const DONE = 'data: [DONE]\n\n';
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, rest: object = {}, finishReason: string | null = null): string =>
  data({
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    usage: null,
    ...rest,
  });

interface Watched {
  tap: ChatStreamTap;
  verdicts: StreamVerdict[];
  forwarded: string;
}
const watch = (stream: string | Buffer[], callerWantsUsage = false): Watched => {
  const reader = new SseReader({ eventBytes: 1_000_000 });
  const tap = new ChatStreamTap({ callerWantsUsage });
  const chunks = typeof stream === 'string' ? [Buffer.from(stream)] : stream;
  const events = [...chunks.flatMap((bytes) => reader.push(bytes)), ...reader.end()];
  const verdicts = events.map((event) => tap.inspect(event));
  const kept = events.filter((_, index) => verdicts[index] === 'forward');
  return { tap, verdicts, forwarded: Buffer.concat(kept.map((event) => event.bytes)).toString() };
};

describe('usage (traps 5 and 9)', () => {
  const text = chunk({ role: 'assistant', content: '' }) + chunk({ content: 'Hi' }) + chunk({}, {}, 'stop');
  const extra = data({ choices: [], usage: USAGE });

  it('drops the extra chunk for a caller who did not ask, and counts it', () => {
    const { tap, forwarded } = watch(text + extra + DONE);
    expect(forwarded).toBe(text + DONE);
    expect(tap.usage).toMatchObject({ inputTokens: 10, outputTokens: 5, estimated: false });
    expect([tap.doneSeen, tap.finishReasonSeen, tap.errorSeen]).toEqual([true, true, false]);
  });

  it('forwards everything to a caller who asked', () => {
    const { tap, forwarded } = watch(text + extra + DONE, true);
    expect(forwarded).toBe(text + extra + DONE);
    expect(tap.usage?.outputTokens).toBe(5);
  });

  it.each([data({ usage: USAGE }), data({ choices: null, usage: USAGE }), 'data:{"choices" : [ ],"usage" : {}}\n\n'])(
    'drops %j, which is also only usage',
    (event) => {
      expect(watch(event).verdicts).toEqual(['drop']);
    },
  );

  it.each([
    data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }] }),
    data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { id: 'r', usage: USAGE } }),
  ])('takes usage from where Moonshot and Groq have it: %j', (event) => {
    const { tap, verdicts } = watch(event + extra + DONE);
    expect(verdicts).toEqual(['forward', 'drop', 'forward']);
    expect(tap.usage).toMatchObject({ inputTokens: 10, outputTokens: 5 });
    expect(watch(event).tap.usage).toMatchObject({ inputTokens: 10, outputTokens: 5 });
  });

  it('takes usage from a chunk with choices and never drops it', () => {
    const { tap, verdicts } = watch(chunk({ content: 'Hi' }, { usage: USAGE }));
    expect(verdicts).toEqual(['forward']);
    expect(tap.usage?.inputTokens).toBe(10);
  });

  it('counts once when both kinds come, and the last one wins', () => {
    const last = { ...USAGE, completion_tokens: 7 };
    const { tap, verdicts } = watch(
      chunk({ content: 'Hi' }, { usage: USAGE }) +
        data({ choices: [], usage: last }) +
        data({ choices: [], usage: {} }),
    );
    expect(verdicts).toEqual(['forward', 'drop', 'drop']);
    expect(tap.usage).toMatchObject({ inputTokens: 10, outputTokens: 7 });
  });

  it('forwards a chunk without choices that reports something else', () => {
    const filter = data({ choices: [], prompt_filter_results: [{}], usage: null });
    expect(watch(filter).forwarded).toBe(filter);
  });
});

describe('a stream that breaks (trap 10)', () => {
  it('has no usage and no end, but an output to estimate from', () => {
    const { tap, verdicts } = watch(`${chunk({ content: 'Hello 世界' })}data: {"choices":[{"del`);
    expect(verdicts).toEqual(['forward', 'drop']);
    expect([tap.usage, tap.doneSeen, tap.finishReasonSeen, tap.unfinishedSeen]).toEqual([null, false, false, true]);
    expect([tap.contentChunks, tap.outputCharacters]).toEqual([1, 14]);
  });

  it('is not one when only the empty line after [DONE] is missing', () => {
    const { tap, verdicts } = watch(`${chunk({}, {}, 'stop')}data: [DONE]\n`);
    expect(verdicts).toEqual(['forward', 'forward']);
    expect([tap.doneSeen, tap.unfinishedSeen]).toEqual([true, false]);
  });
});

describe('an error in the stream (trap 11)', () => {
  const error = { message: 'overloaded', type: 'server_error', code: 503 };

  it.each([
    ['data with error', data({ error }), error],
    ['error as a text', data({ error: 'overloaded' }), 'overloaded'],
    ['a named event', `event: error\ndata: ${JSON.stringify({ error })}\n\n`, error],
    ['a named event, flat', `event: error\r\ndata: ${JSON.stringify(error)}\r\n\r\n`, error],
    ['a named event, no JSON', 'data: broken\nevent:error\n\n', 'broken'],
    ['a flat body', data({ object: 'error', ...error }), { object: 'error', ...error }],
    ['beside choices', chunk({ content: '' }, { error }, 'error'), error],
    ['bare JSON', JSON.stringify({ error }, null, 2), error],
    ['unfinished', data({ error }).trimEnd(), error],
  ])('%s is an error', (_, event, expected) => {
    const { tap, verdicts } = watch(chunk({ content: 'Hi' }) + event);
    expect(verdicts).toEqual(['forward', 'error']);
    expect(tap.errorSeen).toBe(true);
    expect(tap.error).toEqual(expected);
  });

  it('keeps the first of several, and the usage that came with one', () => {
    const { tap } = watch(data({ error, usage: USAGE }) + data({ error: 'second' }));
    expect(tap.error).toEqual(error);
    expect(tap.usage?.inputTokens).toBe(10);
  });

  it.each([
    ['null', chunk({ content: 'x' }, { error: null })],
    ['an empty text', chunk({ content: 'x' }, { error: '' })],
    ['deeper down', chunk({ content: 'x', tool: { error: 'x' } })],
    ['quoted by the model', chunk({ content: 'event: error {"error":{"message":"x"},"usage":{}}' })],
    ['a broken chunk', 'data: {"error":{"usage":{\n\n'],
  ])('%s is not', (_, event) => {
    const { tap, verdicts } = watch(event);
    expect(verdicts).toEqual(['forward']);
    expect([tap.errorSeen, tap.error, tap.usage]).toEqual([false, undefined, null]);
  });
});

describe('text as it comes (trap 13)', () => {
  const pieces = [
    ': ping\r\n\r\n',
    chunk({ content: 'Grüße ' }, { obfuscation: 'x'.repeat(50) }),
    chunk({ content: '世界 😀"\n' }).replaceAll('\n', '\r\n'),
    ':\n\n\n',
    DONE,
  ];

  it('is forwarded byte for byte, whatever the packets', () => {
    const bytes = Buffer.from(pieces.join(''));
    const bytewise = Array.from(bytes, (byte) => Buffer.from([byte]));
    for (const stream of [[bytes], bytewise]) {
      const { tap, forwarded } = watch(stream);
      expect(forwarded).toBe(pieces.join(''));
      expect([tap.contentChunks, tap.outputCharacters, tap.doneSeen]).toEqual([2, 6 + 12 + 3, true]);
    }
  });

  it('counts reasoning, refusals and arguments of tools, not roles and empty deltas', () => {
    const { tap } = watch(
      chunk({ role: 'assistant', content: '' }) +
        chunk({ reasoning_content: 'abcd' }) +
        chunk({ reasoning: 'ef' }) +
        chunk({ refusal: 'no' }) +
        chunk({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{"a":1}' } }] }) +
        chunk({}, {}, 'tool_calls'),
    );
    expect([tap.contentChunks, tap.outputCharacters]).toEqual([4, 4 + 2 + 2 + 7]);
  });

  it('does not take a text that says [DONE] for the end, nor a quoted finish_reason', () => {
    const { tap } = watch(`data: "[DONE]"\n\n${chunk({ content: '[DONE] "finish_reason":"stop"' })}: [DONE]\n\n`);
    expect([tap.doneSeen, tap.finishReasonSeen]).toEqual([false, false]);
  });
});
