import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';

const MAX_STREAM_MILLISECONDS = 3_600_000;

/**
 * Everything that can end a call early, as one signal: the model's `request_timeout`, the caller who leaves, the
 * process that stops. Not streamed, the time is for the whole answer; streamed, it starts anew with every event.
 */
export class CallDeadline implements CancelSignal {
  private readonly listeners = new Set<() => void>();
  private cause: Error | undefined;
  private readonly idle: NodeJS.Timeout;
  private readonly whole: NodeJS.Timeout | undefined;
  private isCallerSlow = false;

  constructor(
    private readonly milliseconds: number,
    { stream }: { stream: boolean },
  ) {
    this.idle = setTimeout(() => this.expire(), milliseconds);
    if (stream) this.whole = setTimeout(() => this.expire(), MAX_STREAM_MILLISECONDS);
  }

  get aborted(): boolean {
    return this.cause !== undefined;
  }

  get reason(): unknown {
    return this.cause;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }

  /** Something arrived: the time starts anew. */
  touch(): void {
    this.idle.refresh();
  }

  /** Whether it is the caller who keeps the answer waiting: then running out of time is not the provider's fault. */
  waitForCaller(isWaiting: boolean): void {
    this.isCallerSlow = isWaiting;
  }

  /** The caller is gone. */
  abandon(): void {
    this.abort(new OutboundError('aborted', 'The caller left before the answer was complete.'));
  }

  /** Ends the call with a failure of ours, such as a shutdown. */
  abort(reason: Error): void {
    if (this.cause) return;
    this.cause = reason;
    this.clear();
    for (const listener of this.listeners) listener();
  }

  clear(): void {
    clearTimeout(this.idle);
    clearTimeout(this.whole);
  }

  private expire(): void {
    if (this.isCallerSlow) return this.abandon();
    const seconds = this.milliseconds / 1000;
    this.abort(new OutboundError('timeout', `The provider sent nothing for ${seconds} seconds (request_timeout).`));
  }
}
