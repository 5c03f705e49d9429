import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { AppError } from '../../platform/errors/app-error.js';
import type { CallDeadline } from './call-deadline.js';
import type { StreamOutlet } from './stream-outlet.js';
import type { ChatStreamTap } from './wire/chat-stream-tap.js';
import { SseLimitError, SseReader, type SseEvent } from './wire/sse-reader.js';

const MAX_EVENT_BYTES = 1024 * 1024;
const HEARTBEAT_MILLISECONDS = 15_000;

/** How a stream ended: `complete`, or cut with what the provider said of it. */
export type StreamEnd = { kind: 'complete' } | { kind: 'provider_error'; error: unknown } | { kind: 'cut' };

/** Hands a provider's events on to the caller, whole events only, no faster than the caller takes them. */
export class StreamForwarder {
  private readonly reader = new SseReader({ eventBytes: MAX_EVENT_BYTES });
  private firstByte: number | null = null;
  private started = false;

  /** `start`: sends the head; called once, when there is something to send. */
  constructor(
    private readonly response: ServerResponse,
    readonly tap: ChatStreamTap,
    private readonly deadline: CallDeadline,
    private readonly outlet: StreamOutlet,
    private readonly start: () => void,
  ) {}

  /** By `performance.now()`; null: nothing arrived. */
  get firstByteAt(): number | null {
    return this.firstByte;
  }

  /** The head is sent: a failure can be told in an event only. */
  get hasStarted(): boolean {
    return this.started;
  }

  /** Fails when the connection breaks or a limit is reached. */
  async forward(body: Readable): Promise<StreamEnd> {
    // Only complete events are written, so a comment never lands inside one.
    const heartbeat = setInterval(() => this.write(this.outlet.heartbeat), HEARTBEAT_MILLISECONDS);
    try {
      return await this.pump(body);
    } finally {
      clearInterval(heartbeat);
      body.destroy();
    }
  }

  /** Tells the caller, in the stream, that it ended badly. */
  fail(error: AppError): void {
    this.response.end(this.outlet.error(error));
  }

  /**
   * Events, not `for await`: this is the hot path, and iteration costs several promises per chunk. What arrives in one turn
   * of the event loop, often an event per piece, is read and written together.
   */
  private pump(body: Readable): Promise<StreamEnd> {
    return new Promise((resolve, reject) => {
      let arrived: Buffer[] = [];
      let isOver = false;
      const attempt = (step: () => StreamEnd | null): void => {
        // What comes behind the end, such as `[DONE]` behind an error, is for nobody.
        if (isOver) return;
        try {
          const end = step();
          isOver = end !== null;
          if (end) resolve(end);
        } catch (error) {
          isOver = true;
          reject(error);
        }
      };
      const drain = (): void => {
        const pieces = arrived;
        arrived = [];
        if (pieces.length === 0 || isOver) return;
        this.firstByte ??= performance.now();
        this.deadline.touch();
        attempt(() => this.take(pieces));
        if (!isOver && this.response.writableNeedDrain) this.holdBack(body);
      };
      body.on('error', (error) => {
        drain();
        reject(error);
      });
      body.on('end', () => {
        drain();
        attempt(() => this.pass(this.reader.end()) ?? this.finish());
      });
      body.on('data', (piece: Buffer) => {
        if (arrived.push(piece) === 1) process.nextTick(drain);
      });
    });
  }

  private take(pieces: readonly Buffer[]): StreamEnd | null {
    const [only] = pieces;
    try {
      return this.pass(this.reader.push(pieces.length === 1 && only ? only : Buffer.concat(pieces)));
    } catch (error) {
      if (error instanceof SseLimitError) this.pass(error.completed);
      throw error;
    }
  }

  /** A caller who stops reading is ended by the deadline: nothing touches it while the provider is held back. */
  private holdBack(body: Readable): void {
    body.pause();
    this.deadline.waitForCaller(true);
    this.response.once('drain', () => {
      this.deadline.waitForCaller(false);
      this.deadline.touch();
      body.resume();
    });
  }

  private pass(events: readonly SseEvent[]): StreamEnd | null {
    const forwarded: (Buffer | string)[] = [];
    let end: StreamEnd | null = null;
    for (const event of events) {
      const verdict = this.tap.inspect(event);
      if (verdict === 'error') end = { kind: 'provider_error', error: this.tap.error };
      else if (this.tap.doneSeen) end = { kind: 'complete' };
      if (verdict === 'forward')
        this.collect(forwarded, end?.kind === 'complete' ? this.outlet.end(event) : this.outlet.event(event));
      if (end) break;
    }
    const text = joined(forwarded);
    if (end?.kind === 'complete') this.close(text);
    else if (text.length > 0) this.write(text);
    return end;
  }

  private collect(forwarded: (Buffer | string)[], piece: Buffer | string | null): void {
    if (piece !== null && piece.length > 0) forwarded.push(piece);
  }

  /** The provider closed without `[DONE]`: fine when it had said why it finished, else it broke off. */
  private finish(): StreamEnd {
    if (!this.tap.finishReasonSeen || this.tap.unfinishedSeen) return { kind: 'cut' };
    this.close(this.outlet.end(null));
    return { kind: 'complete' };
  }

  private write(piece: Buffer | string): void {
    this.open();
    this.response.write(piece);
  }

  /** With the last piece: one write less for every stream. */
  private close(piece: Buffer | string): void {
    this.open();
    this.response.end(piece);
  }

  private open(): void {
    if (this.started) return;
    this.started = true;
    this.start();
  }
}

const joined = (pieces: readonly (Buffer | string)[]): Buffer | string => {
  const [only = ''] = pieces;
  if (pieces.length < 2) return only;
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
};
