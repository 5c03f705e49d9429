import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { AppError } from '../../platform/errors/app-error.js';
import type { CallDeadline } from './call-deadline.js';
import type { StreamOutlet } from './stream-outlet.js';
import type { ChatStreamTap } from './wire/chat-stream-tap.js';
import { SseReader, type SseEvent } from './wire/sse-reader.js';

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
      const end = await this.pump(body);
      if (end.kind === 'complete') this.response.end();
      return end;
    } finally {
      clearInterval(heartbeat);
      body.destroy();
    }
  }

  /** Tells the caller, in the stream, that it ended badly. */
  fail(error: AppError): void {
    this.response.end(this.outlet.error(error));
  }

  /** Events, not `for await`: this is the hot path, and iteration costs several promises per chunk. */
  private pump(body: Readable): Promise<StreamEnd> {
    return new Promise((resolve, reject) => {
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
      body.on('error', reject);
      body.on('end', () => attempt(() => this.pass(this.reader.end()) ?? this.finish()));
      body.on('data', (chunk: Buffer) => {
        this.firstByte ??= performance.now();
        this.deadline.touch();
        attempt(() => this.pass(this.reader.push(chunk)));
        if (this.response.writableNeedDrain) this.holdBack(body);
      });
    });
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
    for (const piece of joined(forwarded)) this.write(piece);
    return end;
  }

  private collect(forwarded: (Buffer | string)[], piece: Buffer | string | null): void {
    if (piece !== null && piece.length > 0) forwarded.push(piece);
  }

  /** The provider closed without `[DONE]`: fine when it had said why it finished, else it broke off. */
  private finish(): StreamEnd {
    if (!this.tap.finishReasonSeen || this.tap.unfinishedSeen) return { kind: 'cut' };
    this.write(this.outlet.end(null));
    return { kind: 'complete' };
  }

  private write(piece: Buffer | string): void {
    if (!this.started) {
      this.started = true;
      this.start();
    }
    this.response.write(piece);
  }
}

/** One write per packet of the provider. */
const joined = (pieces: (Buffer | string)[]): (Buffer | string)[] =>
  pieces.length < 2
    ? pieces
    : [Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))];
