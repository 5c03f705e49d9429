/** The first SIGINT or SIGTERM, remembered for whoever is not there yet to act on it. */
export class StopSignal {
  private received: NodeJS.Signals | null = null;
  private listener: ((signal: NodeJS.Signals) => void) | null = null;

  /** From now on a signal does not end the process by itself. */
  static listen(): StopSignal {
    const stop = new StopSignal();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.receive(signal));
    return stop;
  }

  get isReceived(): boolean {
    return this.received !== null;
  }

  /** Calls `listener` once, at once when the signal has been there already. */
  onReceived(listener: (signal: NodeJS.Signals) => void): void {
    this.listener = listener;
    if (this.received) listener(this.received);
  }

  private receive(signal: NodeJS.Signals): void {
    if (this.received) return;
    this.received = signal;
    this.listener?.(signal);
  }
}
