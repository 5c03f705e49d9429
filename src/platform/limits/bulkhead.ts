/** No place came free: `full`, too many wait already; `late`, it took too long. */
export class NoPlace extends Error {
  constructor(readonly reason: 'full' | 'late') {
    super(reason === 'full' ? 'Too many are waiting' : 'Waited too long');
  }
}

export interface BulkheadLimits {
  /** How many are at work at once. */
  places: number;
  /** How many wait for a place; whoever comes on top of them is refused at once. */
  queue: number;
  /** How long anybody waits. */
  waitMilliseconds: number;
}

/** Lets so many through at once; some wait, in order and not for long. What hangs behind it holds up nothing else. */
export class Bulkhead {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limits: BulkheadLimits) {}

  get atWork(): number {
    return this.inside;
  }

  get inLine(): number {
    return this.waiting.length;
  }

  /** Throws {@link NoPlace}; `work` has not begun then. `waitMilliseconds`: when there is less time than usual. */
  async pass<Result>(work: () => Promise<Result>, waitMilliseconds = Infinity): Promise<Result> {
    if (this.inside < this.limits.places) this.inside += 1;
    else await this.wait(Math.min(waitMilliseconds, this.limits.waitMilliseconds));
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private wait(milliseconds: number): Promise<void> {
    if (this.waiting.length >= this.limits.queue) throw new NoPlace('full');
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(enter), 1);
        reject(new NoPlace('late'));
      }, milliseconds);
      timer.unref();
      this.waiting.push(enter);
    });
  }

  /** The place goes to the one who has waited longest. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.inside -= 1;
  }
}
