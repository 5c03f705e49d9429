import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { aFrame } from '../../../../test/support/aws-frames.js';
import { FrameReader } from './event-frames.js';

const FRAMES = [
  aFrame({ ':message-type': 'event', ':event-type': 'messageStart' }, { role: 'assistant' }),
  aFrame({ ':message-type': 'event', ':event-type': 'contentBlockDelta' }, { delta: { text: 'Grüße 漢字 🚀' } }),
  aFrame({}, {}),
];
const WHOLE = Buffer.concat(FRAMES);

const sizedFrame = (length: number, headersLength: number, rest = Buffer.alloc(0)): Buffer => {
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(length, 0);
  prelude.writeUInt32BE(headersLength, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  return Buffer.concat([prelude, rest]);
};

describe('the frames of a binary stream', () => {
  it('are the same however the network cuts them', () => {
    const cuts = fc.array(fc.nat({ max: WHOLE.length }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (places) => {
        const reader = new FrameReader();
        const ends = [...places.sort((a, b) => a - b), WHOLE.length];
        const read = ends.flatMap((end, index) => reader.push(WHOLE.subarray(ends[index - 1] ?? 0, end)));
        reader.end();
        expect(read.map(({ bytes }) => bytes)).toEqual(FRAMES);
        expect(read.map(({ headers }) => headers[':event-type'])).toEqual([
          'messageStart',
          'contentBlockDelta',
          undefined,
        ]);
        expect(JSON.parse(String(read[1]?.payload))).toEqual({ delta: { text: 'Grüße 漢字 🚀' } });
      }),
      { numRuns: 1000 },
    );
  });

  it('have headers of every type, of which the texts are read', () => {
    const name = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
    const headers = Buffer.concat([
      ...[0, 1].map((type) => Buffer.concat([name('b'), Buffer.from([type])])),
      ...[1, 2, 4, 8, undefined, undefined, 8, 16].map((size, index) => {
        const value = size === undefined ? Buffer.from('\0\x02hi', 'latin1') : Buffer.alloc(size);
        return Buffer.concat([name(`h${index}`), Buffer.from([index + 2]), value]);
      }),
    ]);
    const frame = sizedFrame(16 + headers.length, headers.length, Buffer.concat([headers, Buffer.alloc(4)]));
    expect(new FrameReader().push(frame)).toMatchObject([{ headers: { h5: 'hi' } }]);
  });

  it.each([
    ['longer than any event', sizedFrame(1024 * 1024 + 1, 0), /longer than/],
    ['shorter than a frame can be', sizedFrame(15, 0), /no event/],
    ['a page of a proxy', Buffer.from('<html><body>502</body></html>'), /longer than/],
    ['with headers longer than itself', sizedFrame(16, 1, Buffer.alloc(4)), /headers/],
    ['with a header cut off', sizedFrame(18, 2, Buffer.from('\x05a\0\0\0\0', 'latin1')), /headers/],
    ['with a value cut off', sizedFrame(22, 6, Buffer.from('\x01a\x07\xff\xffx\0\0\0\0', 'latin1')), /headers/],
    ['with a header of no known type', sizedFrame(19, 3, Buffer.from('\x01a\x0a\0\0\0\0', 'latin1')), /headers/],
  ])('are refused when they are %s', (_what, bytes, message) => {
    const refusal = expect.objectContaining({
      errorClass: 'bad_answer',
      details: expect.objectContaining({ message: expect.stringMatching(message) }),
    });
    expect(() => new FrameReader().push(bytes)).toThrow(refusal);
  });

  it('do not break off', () => {
    const reader = new FrameReader();
    reader.push(WHOLE.subarray(0, -1));
    expect(() => reader.end()).toThrow(expect.objectContaining({ errorClass: 'bad_answer' }));
  });
});
