/** A work of which one is under way at a time. */
export class OneAtATime {
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;

  /** @param work must not fail */
  constructor(private readonly work: () => Promise<void>) {}

  /** Does it now, or waits for the one that is under way. */
  run(): Promise<void> {
    this.running ??= this.work().finally(() => (this.running = null));
    return this.running;
  }

  /** One that starts after this moment: the one under way may have missed what has just happened. */
  runFromNow(): Promise<void> {
    if (!this.running) return this.run();
    this.next ??= this.running.then(() => {
      this.next = null;
      return this.run();
    });
    return this.next;
  }

  /** The one that is under way, if there is one. */
  get current(): Promise<void> | null {
    return this.running;
  }
}
