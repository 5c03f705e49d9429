/** The same work again and again, and at once when somebody asks: never twice at a time. */
export class RepeatedTask {
  private timer: NodeJS.Timeout | undefined;
  private last: Promise<void> = Promise.resolve();
  private underWay = 0;

  constructor(
    private readonly work: () => Promise<void>,
    private readonly milliseconds: number,
  ) {}

  /** What fails is tried again at the next turn; the timer keeps no process alive. */
  start(): void {
    this.timer ??= setInterval(() => {
      if (this.underWay === 0) this.now().catch(() => undefined);
    }, this.milliseconds).unref();
  }

  /** Does the work once more, after what is under way. Fails as the work does. */
  async now(): Promise<void> {
    this.underWay += 1;
    const turn = this.last.then(() => this.work());
    this.last = turn.catch(() => undefined);
    try {
      await turn;
    } finally {
      this.underWay -= 1;
    }
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.last;
  }
}
