import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { SseEvent } from './sse-reader.js';
import { SseLimitError, SseReader } from './sse-reader.js';

const LIMITS = { eventBytes: 1_000_000 };
const readAll = (chunks: readonly Buffer[], limits = LIMITS): SseEvent[] => {
  const reader = new SseReader(limits);
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
};
const describeEvents = (events: readonly SseEvent[]): unknown[] =>
  events.map((event) => [event.bytes.toString('latin1'), event.complete, event.data(), event.eventName()]);
const read = (text: string): SseEvent[] => readAll([Buffer.from(text)]);
const slice = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  // Copies, so that a reader that keeps a reference to a neighbour's memory is found out.
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
};

describe('SseReader', () => {
  it.each(['\n\n', '\r\n\r\n', '\r\r', '\n\r\n', '\r\n\n', '\n\r', '\r\n\r'])('cuts at %j', (delimiter) => {
    const stream = `data: 1${delimiter}: ping${delimiter}event: x\ndata: 2${delimiter}`;
    expect(read(stream).map((event) => [event.data(), event.eventName(), event.complete])).toEqual([
      ['1', null, true],
      [null, null, true],
      ['2', 'x', true],
    ]);
    expect(read(stream)[0]?.bytes.toString()).toBe(`data: 1${delimiter}`);
  });

  it('gives a surplus empty line as an event without data', () => {
    expect(read('data: 1\n\n\n\r\ndata: 2\n\n').map((event) => event.bytes.toString())).toEqual([
      'data: 1\n\n',
      '\n',
      '\r\n',
      'data: 2\n\n',
    ]);
  });

  it('gives a surplus empty line that ends with \\r as an event without data', () => {
    expect(read('data: 1\n\r\r\rdata: 2\r\r').map((event) => event.bytes.toString())).toEqual([
      'data: 1\n\r',
      '\r',
      '\r',
      'data: 2\r\r',
    ]);
  });

  it('does not wait behind \\r\\r, but waits for the \\n of a \\r\\n\\r', () => {
    const reader = new SseReader(LIMITS);
    expect(reader.push(Buffer.from('data: 1\r\r'))).toHaveLength(1);
    expect(reader.push(Buffer.from('data: 2\r\n\r'))).toHaveLength(0);
    expect(reader.push(Buffer.from('\n')).map((event) => event.bytes.toString())).toEqual(['data: 2\r\n\r\n']);
    expect(reader.end()).toEqual([]);
  });

  it('ends an event whose last \\r is the last byte of the stream', () => {
    expect(describeEvents(read('data: 1\r\n\r'))).toEqual([['data: 1\r\n\r', true, '1', null]]);
  });

  it.each(['data: {"a"', 'data: 1\n', 'data: 1\r', 'data: 1\r\n', 'x'])(
    'reports %j at the end as unfinished',
    (rest) => {
      const events = read(`data: 0\n\n${rest}`);
      expect(events.map((event) => event.complete)).toEqual([true, false]);
      expect(events[1]?.bytes.toString()).toBe(rest);
    },
  );

  it('does not copy what ends on the boundary', () => {
    const chunk = Buffer.from('data: 1\n\ndata: 2\n\n');
    const events = new SseReader(LIMITS).push(chunk);
    expect(events.map((event) => event.bytes.buffer === chunk.buffer)).toEqual([true, true]);
  });

  it('reads data lines as the standard says', () => {
    expect(read('data:a\ndata:  b\r\ndata\rid: 7\ndatax: c\n: data: d\n\n')[0]?.data()).toBe('a\n b\n');
    expect(read('\uFEFFdata: é\n\n')[0]?.data()).toBe('é');
    expect(read('event: a\nevent:b\n\n')[0]?.eventName()).toBe('b');
  });

  it('joins a character split between packets', () => {
    const bytes = Buffer.from('data: {"content":"héllo 世界 😀"}\r\n\r\n');
    const bytewise = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(readAll(bytewise).map((event) => event.data())).toEqual(['{"content":"héllo 世界 😀"}']);
  });

  it('refuses an event over the limit in any slicing, and hands over what came before', () => {
    const stream = Buffer.from(`data: 1\n\ndata: ${'x'.repeat(12)}\n\n`);
    const limits = { eventBytes: 19 };
    expect(readAll([stream], { eventBytes: 20 })).toHaveLength(2);
    expect(() =>
      readAll(
        Array.from(stream, (byte) => Buffer.from([byte])),
        limits,
      ),
    ).toThrow(SseLimitError);
    const completed = (): readonly SseEvent[] => {
      try {
        return readAll([stream], limits);
      } catch (error) {
        return (error as SseLimitError).completed;
      }
    };
    expect(completed().map((event) => event.data())).toEqual(['1']);
    expect(() => readAll([Buffer.alloc(20, 'x')], limits)).toThrow(SseLimitError);
  });
});

const line = fc
  .tuple(
    fc.constantFrom('data: ', 'data:', ': ', 'event: ', 'id: ', '{"'),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  .map(([field, content]) => field + content.replaceAll(/[\r\n]/g, ' '));
/** Line end and empty line; `\r` before `\n` would be one line end, and `\r` before `\r\n` is tested above. */
const ends = fc.constantFrom(
  ['\n', '\n'],
  ['\r\n', '\r\n'],
  ['\r', '\r'],
  ['\n', '\r\n'],
  ['\r\n', '\n'],
  ['\n', '\r'],
  ['\r\n', '\r'],
);
const eventText = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 3 }), ends)
  .map(([lines, [end, empty]]) => lines.join(end) + end + empty);
const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 12 });

describe('any stream', () => {
  it('gives the events it was written from, however it is sliced', () => {
    fc.assert(
      fc.property(fc.array(eventText, { maxLength: 6 }), cuts, (texts, places) => {
        const events = readAll(slice(Buffer.from(texts.join('')), places));
        expect(events.map((event) => event.bytes.toString())).toEqual(texts);
        expect(events.every((event) => event.complete)).toBe(true);
      }),
      { numRuns: 6000 },
    );
  });

  it('gives the same events in any slicing, broken streams and surplus line ends included, and loses no byte', () => {
    const unit = fc.constantFrom('\r', '\n', '\r\n', 'a', ':', 'data: ', 'é', '😀', '\uFEFF');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), cuts, (text, places) => {
        const bytes = Buffer.from(text);
        const whole = readAll([bytes]);
        expect(describeEvents(readAll(slice(bytes, places)))).toEqual(describeEvents(whole));
        expect(Buffer.concat(whole.map((event) => event.bytes))).toEqual(bytes);
      }),
      { numRuns: 6000 },
    );
  });
});
