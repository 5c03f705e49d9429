import { AppError } from '../errors/app-error.js';

const RETRY_SECONDS = '1';

/** Lets work of a costly kind through one at a time; a few wait in order, whoever comes on top of them is refused. */
export class Turnstile {
  private last: Promise<unknown> = Promise.resolve();
  private inside = 0;

  /** @param capacity how many there may be at once, the one that works included */
  constructor(
    private readonly what: string,
    private readonly capacity: number,
  ) {}

  /** Throws `too_busy` when the queue is full. */
  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.inside >= this.capacity) {
      throw new AppError('too_busy', {
        detail: `${this.what} is done one at a time, and others are waiting; try again in a moment.`,
        headers: { 'retry-after': RETRY_SECONDS },
      });
    }
    this.inside += 1;
    const turn = this.last.then(work, work);
    // The next one's turn comes however this one ends.
    this.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.inside -= 1;
    }
  }
}
