import { PendingBytes } from './pending-bytes.js';
import { SseEvent } from './sse-event.js';

export { SseEvent } from './sse-event.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Where the reader stands in the line structure after the bytes seen so far. */
type Position =
  | 'line-start'
  | 'in-line'
  /** After a `\r` that ends a line; a `\n` would belong to it. */
  | 'line-return'
  /** After a `\r` that is an empty line, so the event is over; a `\n` would still belong to it. */
  | 'blank-return';

/** An event is larger than we are willing to hold. */
export class SseLimitError extends Error {
  override readonly name = 'SseLimitError';

  constructor(
    readonly eventBytes: number,
    /** Complete events of the same packet that came before; they may still be forwarded. */
    readonly completed: readonly SseEvent[],
  ) {
    super(`an event of the stream is larger than ${eventBytes} bytes`);
  }
}

/**
 * Cuts a byte stream into server-sent events, the same ones however the network sliced it. An event ends with an empty
 * line; a surplus empty line is an event of its own without data, so nothing is lost or held back.
 *
 * After `\r\r` an event is over at once, because waiting for a possible `\n` would delay every event of a server that
 * ends lines with `\r`. Such a `\n` becomes a surplus empty line, which means nothing to a client.
 *
 * Events share memory with the chunks pushed in: a chunk must not be written to afterwards.
 */
export class SseReader {
  private readonly pending = new PendingBytes();
  private position: Position = 'line-start';

  constructor(private readonly limits: { readonly eventBytes: number }) {}

  /** The events that this chunk completes. After an SseLimitError the reader is of no further use. */
  push(chunk: Buffer): SseEvent[] {
    const events: SseEvent[] = [];
    let start = 0;
    for (const end of this.findEventEnds(chunk)) {
      events.push(this.finish(chunk.subarray(start, end), events));
      start = end;
    }
    if (start < chunk.length) {
      this.checkSize(this.pending.length + chunk.length - start, events);
      this.pending.append(chunk.subarray(start));
    }
    return events;
  }

  /** What is left when the stream ends: nothing, or one event, which is not `complete` if its empty line is missing. */
  end(): SseEvent[] {
    if (this.pending.length === 0) return [];
    const complete = this.position === 'blank-return';
    this.position = 'line-start';
    return [new SseEvent(this.pending.take(), complete)];
  }

  private finish(tail: Buffer, before: readonly SseEvent[]): SseEvent {
    this.checkSize(this.pending.length + tail.length, before);
    if (this.pending.length === 0) return new SseEvent(tail);
    this.pending.append(tail);
    return new SseEvent(this.pending.take());
  }

  private checkSize(bytes: number, before: readonly SseEvent[]): void {
    if (bytes > this.limits.eventBytes) throw new SseLimitError(this.limits.eventBytes, before);
  }

  /** Offsets behind the delimiters in this chunk; jumps from line end to line end and remembers where it stopped. */
  private findEventEnds(chunk: Buffer): number[] {
    const ends: number[] = [];
    let at = 0;
    let lineFeed = -1;
    let carriageReturn = -1;
    while (at < chunk.length) {
      if (lineFeed < at) lineFeed = findOrEnd(chunk, LINE_FEED, at);
      if (carriageReturn < at) carriageReturn = findOrEnd(chunk, CARRIAGE_RETURN, at);
      const lineEnd = Math.min(lineFeed, carriageReturn);
      if (lineEnd > at) {
        if (this.position === 'blank-return') ends.push(at);
        this.position = 'in-line';
      }
      if (lineEnd === chunk.length) break;
      const end = lineEnd === lineFeed ? this.afterLineFeed(lineEnd) : this.afterCarriageReturn(lineEnd);
      if (end !== null) ends.push(end);
      at = lineEnd + 1;
    }
    return ends;
  }

  /** Moves on over a `\n`; returns where the event ends if it does. */
  private afterLineFeed(at: number): number | null {
    const isBlankLine = this.position === 'line-start' || this.position === 'blank-return';
    this.position = 'line-start';
    return isBlankLine ? at + 1 : null;
  }

  /** Moves on over a `\r`; returns where the event ends if it does. */
  private afterCarriageReturn(at: number): number | null {
    // The empty line before had no `\n`: the event ended there, and this is an empty line of its own.
    if (this.position === 'blank-return') return at;
    if (this.position === 'line-return') {
      this.position = 'line-start';
      return at + 1;
    }
    this.position = this.position === 'in-line' ? 'line-return' : 'blank-return';
    return null;
  }
}

const findOrEnd = (chunk: Buffer, byte: number, from: number): number => {
  const found = chunk.indexOf(byte, from);
  return found === -1 ? chunk.length : found;
};
