import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';

const MAX_STREAM_MILLISECONDS = 3_600_000;

/**
 * Everything that can end a call early, as one signal: the model's `request_timeout`, the caller who leaves, the
 * process that stops. Not streamed, the time is for the whole answer, retries included; streamed, it starts anew with
 * every event. A model that is asked after another one failed has its own time.
 */
export class CallDeadline implements CancelSignal {
  private readonly listeners = new Set<() => void>();
  private cause: Error | undefined;
  private isTimeout = false;
  private milliseconds = 0;
  private endsAt = 0;
  private idle: NodeJS.Timeout | undefined;
  private whole: NodeJS.Timeout | undefined;
  private isCallerSlow = false;
  /** Called when the call is over. */
  onClear: ((deadline: CallDeadline) => void) | undefined;

  constructor(private readonly options: { stream: boolean }) {}

  get aborted(): boolean {
    return this.cause !== undefined;
  }

  get reason(): unknown {
    return this.cause;
  }

  /** What is left of the time of the model that is being asked. */
  get remainingMilliseconds(): number {
    return this.endsAt - performance.now();
  }

  /** Another model is asked: its time begins. Whoever left, or a process that stops, has ended the call for good. */
  begin(milliseconds: number): void {
    if (this.isTimeout) this.cause = undefined;
    this.isTimeout = false;
    if (this.cause) return;
    clearTimeout(this.idle);
    this.milliseconds = milliseconds;
    this.endsAt = performance.now() + milliseconds;
    this.idle = setTimeout(() => this.expire(), milliseconds);
    if (this.options.stream) this.whole ??= setTimeout(() => this.expire(), MAX_STREAM_MILLISECONDS);
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }

  /** Something arrived: the time starts anew. */
  touch(): void {
    this.idle?.refresh();
  }

  /** Waits; ends early, and without an error, when the call does. */
  sleep(milliseconds: number): Promise<void> {
    if (this.cause) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, milliseconds);
      this.addEventListener('abort', over);
    });
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
    if (this.cause && !this.isTimeout) return;
    this.isTimeout = false;
    this.end(reason);
  }

  /** The call is over. */
  clear(): void {
    clearTimeout(this.idle);
    clearTimeout(this.whole);
    this.onClear?.(this);
  }

  private end(reason: Error): void {
    this.cause = reason;
    clearTimeout(this.idle);
    for (const listener of this.listeners) listener();
  }

  private expire(): void {
    if (this.isCallerSlow) return this.abandon();
    if (this.cause) return;
    this.isTimeout = true;
    const seconds = this.milliseconds / 1000;
    this.end(new OutboundError('timeout', `The provider sent nothing for ${seconds} seconds (request_timeout).`));
  }
}
