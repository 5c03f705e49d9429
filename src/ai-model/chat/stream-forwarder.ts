import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { toOpenAiError } from '../../platform/errors/error-answers.js';
import type { AppError } from '../../platform/errors/app-error.js';
import type { CallDeadline } from './call-deadline.js';
import type { ChatStreamTap } from './wire/chat-stream-tap.js';
import { SseReader, type SseEvent } from './wire/sse-reader.js';

const MAX_EVENT_BYTES = 1024 * 1024;
const HEARTBEAT_MILLISECONDS = 15_000;
const HEARTBEAT = ': keep-alive\n\n';
const DONE = 'data: [DONE]\n\n';

/** How a stream ended: `complete`, or cut with what the provider said of it. */
export type StreamEnd = { kind: 'complete' } | { kind: 'provider_error'; error: unknown } | { kind: 'cut' };

/** Hands a provider's events on to the caller, whole events only, no faster than the caller takes them. */
export class StreamForwarder {
  private firstByte: number | null = null;

  constructor(
    private readonly response: ServerResponse,
    private readonly tap: ChatStreamTap,
    private readonly deadline: CallDeadline,
  ) {}

  /** By `performance.now()`; null: nothing arrived. */
  get firstByteAt(): number | null {
    return this.firstByte;
  }

  /** Throws when the connection breaks or a limit is reached; the caller has then to be told by {@link fail}. */
  async forward(body: Readable): Promise<StreamEnd> {
    const reader = new SseReader({ eventBytes: MAX_EVENT_BYTES });
    // Only complete events were written, so a comment never lands inside one.
    const heartbeat = setInterval(() => this.response.write(HEARTBEAT), HEARTBEAT_MILLISECONDS);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        this.deadline.touch();
        this.firstByte ??= performance.now();
        const end = this.pass(reader.push(chunk));
        if (end) return end;
        if (this.response.writableNeedDrain) await this.drained();
      }
      return this.pass(reader.end()) ?? this.finish();
    } finally {
      clearInterval(heartbeat);
      body.destroy();
    }
  }

  /** Tells the caller, in the stream, that it ended badly. No `[DONE]`: it is not done. */
  fail(error: AppError): void {
    this.response.end(`data: ${JSON.stringify(toOpenAiError(error))}\n\n`);
  }

  private pass(events: readonly SseEvent[]): StreamEnd | null {
    const forwarded: Buffer[] = [];
    for (const event of events) {
      const verdict = this.tap.inspect(event);
      if (verdict === 'forward') forwarded.push(event.bytes);
      if (verdict === 'error') {
        this.write(forwarded);
        return { kind: 'provider_error', error: this.tap.error };
      }
      if (this.tap.doneSeen) {
        this.write(forwarded);
        this.response.end();
        return { kind: 'complete' };
      }
    }
    this.write(forwarded);
    return null;
  }

  /** The provider closed without `[DONE]`: fine when it had said why it finished, else it broke off. */
  private finish(): StreamEnd {
    if (!this.tap.finishReasonSeen || this.tap.unfinishedSeen) return { kind: 'cut' };
    this.response.end(DONE);
    return { kind: 'complete' };
  }

  private write(pieces: Buffer[]): void {
    if (pieces.length > 0) this.response.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }

  /** A caller who stops reading is cut by the deadline, not kept for ever. */
  private async drained(): Promise<void> {
    await once(this.response, 'drain', { signal: this.deadline.signal });
  }
}
