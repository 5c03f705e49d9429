import type { ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextPacket } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CallDeadline } from './call-deadline.js';
import { StreamForwarder, type StreamEnd } from './stream-forwarder.js';
import { PASS_THROUGH } from './stream-outlet.js';
import { ChatStreamTap } from './wire/chat-stream-tap.js';

const USAGE = '{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}';

interface Outcome {
  end: StreamEnd;
  text: string;
  output: number | undefined;
}

/** Sends packets through the reader, the tap and the forwarder, as a call does. */
const forward = async (
  packets: Iterable<Buffer> | AsyncIterable<Buffer>,
  callerWantsUsage = false,
): Promise<Outcome> => {
  const sent = new PassThrough({ highWaterMark: 1_000_000 });
  const tap = new ChatStreamTap({ callerWantsUsage });
  const deadline = new CallDeadline({ stream: true });
  deadline.begin(60_000);
  const response = sent as unknown as ServerResponse;
  const forwarder = new StreamForwarder(response, tap, deadline, PASS_THROUGH, () => undefined);
  const end = await forwarder.forward(Readable.from(packets, { objectMode: false })).finally(() => deadline.clear());
  const text = (sent.read() as Buffer | null)?.toString('utf8') ?? '';
  return { end, text, output: tap.usage?.outputTokens };
};

const slice = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places
    .slice(1)
    .map((end, index) => Buffer.from(bytes.subarray(places[index], end)))
    .filter((packet) => packet.length > 0);
};

/** An event and whether its caller gets it. */
interface Piece {
  event: string;
  isForwarded: boolean;
}

const asJson = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] });
const DELIMITER = fc.constantFrom('\n\n', '\r\n\r\n', '\r\r');
const TEXT = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('漢字🚀', 'é', 'data: [DONE]', '\u2028'),
);

const PIECE: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 6, arbitrary: TEXT.map((text): Piece => ({ event: `data: ${asJson(text)}`, isForwarded: true })) },
  { weight: 1, arbitrary: fc.constantFrom<Piece>({ event: ': ping', isForwarded: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Piece>(
      { event: `data: {"choices":[],"usage":${USAGE},"obfuscation":"xx"}`, isForwarded: false },
      { event: `data:{"choices":[{"index":0,"delta":{}}],"x_groq":{"usage":${USAGE}}}`, isForwarded: true },
      { event: 'event: message\ndata: {"choices":\ndata: []}', isForwarded: true },
      { event: 'data: {"choices": [', isForwarded: true },
    ),
  },
);

const STREAM = fc.record({
  pieces: fc.array(fc.tuple(PIECE, DELIMITER), { minLength: 1, maxLength: 8 }),
  cuts: fc.array(fc.nat(), { maxLength: 30 }),
});

const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

describe('a forwarded stream', () => {
  it('is the same to the byte however the network sliced it', async () => {
    await fc.assert(
      fc.asyncProperty(STREAM, async ({ pieces, cuts }) => {
        const all = pieces.map(([{ event }, delimiter]) => event + delimiter).join('') + END;
        const kept = pieces.filter(([{ isForwarded }]) => isForwarded);
        const expected = kept.map(([{ event }, delimiter]) => event + delimiter).join('') + END;
        const outcome = await forward(slice(Buffer.from(all), cuts));
        const hasUsage = pieces.some(([{ event }]) => event.includes('usage":{'));
        expect(outcome).toEqual({ end: { kind: 'complete' }, text: expected, output: hasUsage ? 5 : undefined });
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same for every single place to cut, and byte by byte', async () => {
    const bytes = Buffer.from(
      `: hi\r\n\r\ndata: ${asJson('漢字 🚀')}\r\rdata: {"choices":[],"usage":${USAGE}}\n\n${END}`,
    );
    const whole = await forward([bytes], true);
    expect(whole.text).toBe(bytes.toString());
    for (let cut = 1; cut < bytes.length; cut += 1) expect(await forward(slice(bytes, [cut]), true)).toEqual(whole);
    expect(await forward(slice(bytes, Array.from(bytes.keys())), true)).toEqual(whole);
  });

  it.each<[name: string, text: string, expected: Partial<Outcome>]>([
    ['without [DONE] gets one', 'data: {"choices":[{"finish_reason":"stop"}]}\n\n', { end: { kind: 'complete' } }],
    ['without an end is cut', `data: ${asJson('a')}\n\n`, { end: { kind: 'cut' } }],
    ['that is empty is cut', '', { end: { kind: 'cut' }, text: '' }],
    [
      'with an error ends there',
      `data: {"error":{"code":"x"}}\n\n${END}`,
      { end: { kind: 'provider_error', error: { code: 'x' } }, text: '' },
    ],
    [
      'that goes on behind its end stops there',
      `${END}data: ${asJson('more')}\n\n`,
      { end: { kind: 'complete' }, text: END },
    ],
    ['with a mark of the byte order', `\uFEFF${END}`, { end: { kind: 'complete' }, text: `\uFEFF${END}` }],
  ])('%s', async (_name, text, expected) => {
    expect(await forward(text === '' ? [] : [Buffer.from(text)])).toMatchObject(expected);
  });

  it('ends with an error at an event of 50 MB, long before it is all there', async () => {
    let given = 0;
    const packets = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('data: "');
      for (; given < 50; given += 1) {
        await nextPacket();
        yield Buffer.alloc(1024 * 1024, 'x');
      }
    };
    await expect(forward(packets())).rejects.toThrow('larger than 1048576 bytes');
    expect(given).toBeLessThan(5);
  });
});
