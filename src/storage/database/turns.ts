import { AppError } from '../../platform/errors/app-error.js';

/** Longer than the slowest change, shorter than a caller's patience. */
const WAIT_MILLISECONDS = 20_000;

/**
 * Lets those who want to change one thing at the same moment wait for each other in memory. The row lock would do it too,
 * but each of them would hold a connection meanwhile, and a crowd around one row would keep everybody else out.
 */
export class Turns {
  private readonly last = new Map<string, Promise<void>>();

  /** Runs `work` when all the work before it under the same key has ended. Throws `storage_unavailable` after 20 s. */
  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.last.get(key) ?? Promise.resolve();
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    // Whoever gives up waiting must not let the next one pass those before.
    const turn = before.then(() => ended);
    this.last.set(key, turn);
    void turn.then(() => this.forget(key, turn));
    try {
      await inTime(before);
      return await work();
    } finally {
      end();
    }
  }

  private forget(key: string, turn: Promise<void>): void {
    if (this.last.get(key) === turn) this.last.delete(key);
  }
}

const inTime = async (before: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const detail = 'Too many changes of the same thing are waiting; try again shortly.';
      reject(new AppError('storage_unavailable', { detail, headers: { 'retry-after': '2' } }));
    }, WAIT_MILLISECONDS);
  });
  try {
    await Promise.race([before, late]);
  } finally {
    clearTimeout(timer);
  }
};
