/** One Ctrl-C reaches a process twice: from the terminal, and from the npm that started it. */
const SAME_SIGNAL_MILLISECONDS = 300;

/** SIGINT and SIGTERM, remembered for whoever is not there yet to act on them: the first one, and that it came again. */
export class StopSignal {
  private received: NodeJS.Signals | null = null;
  private receivedAt = 0;
  private repeated = false;
  private readonly controller = new AbortController();
  private listener: ((signal: NodeJS.Signals) => void) | null = null;
  private repeatListener: (() => void) | null = null;

  /** From now on a signal does not end the process by itself. */
  static listen(): StopSignal {
    const stop = new StopSignal();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.receive(signal));
    return stop;
  }

  get isReceived(): boolean {
    return this.received !== null;
  }

  /** For work that can be given up. */
  get aborted(): AbortSignal {
    return this.controller.signal;
  }

  get isRepeated(): boolean {
    return this.repeated;
  }

  /** Milliseconds since the first signal; 0 before. */
  get age(): number {
    return this.received === null ? 0 : performance.now() - this.receivedAt;
  }

  /** Calls `listener` once, at once when the signal has been there already. */
  onReceived(listener: (signal: NodeJS.Signals) => void): void {
    this.listener = listener;
    if (this.received) listener(this.received);
  }

  /** Calls `listener` once, when somebody asks again; at once when he has already. */
  onRepeated(listener: () => void): void {
    this.repeatListener = listener;
    if (this.repeated) listener();
  }

  private receive(signal: NodeJS.Signals): void {
    if (this.received === null) {
      this.received = signal;
      this.receivedAt = performance.now();
      this.controller.abort(new Error(`asked to stop by ${signal}`));
      this.listener?.(signal);
    } else if (!this.repeated && this.age > SAME_SIGNAL_MILLISECONDS) {
      this.repeated = true;
      this.repeatListener?.();
    }
  }
}
