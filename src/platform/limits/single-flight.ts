/**
 * Of equal work that is asked for while some of it is under way, one more is done for all who ask. Not the one that is
 * under way: it may have looked before what they want to see was written.
 */
export class SingleFlight {
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly next = new Map<string, Promise<unknown>>();

  /** Work with the same `key` must have the same kind of result. A failure of what is under way is theirs, too. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const running = this.running.get(key);
    if (!running) return this.start(key, work);
    const waiting = this.next.get(key) as Promise<Result> | undefined;
    if (waiting) return waiting;
    const started = running.then(
      () => this.startNext(key, work),
      (error: unknown) => {
        this.next.delete(key);
        throw error;
      },
    );
    this.next.set(key, started);
    return started;
  }

  private startNext<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    this.next.delete(key);
    return this.start(key, work);
  }

  private start<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const started = work().finally(() => {
      if (this.running.get(key) === started) this.running.delete(key);
    });
    this.running.set(key, started);
    return started;
  }
}
