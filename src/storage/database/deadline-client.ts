import pg from 'pg';

/** The words of `pg` when its own timer fires, the only one that does while a server is frozen. */
const LATE = 'Query read timeout';

/** At once: a server that does not answer would keep `end()` waiting. */
export const breakConnection = (client: pg.ClientBase): void => {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
};

/**
 * A connection whose server let a deadline pass is given up: its answer may still come, in the middle of somebody else's
 * work, and whatever follows on it, a ROLLBACK first of all, would wait as long again.
 */
export class DeadlineClient extends pg.Client {
  constructor(options?: string | pg.ClientConfig) {
    super(options);
    // A broken connection must never end the process, whoever holds it just then, and if it is nobody.
    this.on('error', () => undefined);
    const ask = this.query.bind(this) as (...given: unknown[]) => unknown;
    const askInTime = (...given: unknown[]): unknown => {
      const asked = ask(...given);
      if (asked instanceof Promise) asked.catch((error: unknown) => this.giveUpIfLate(error));
      return asked;
    };
    // Of the library's many forms none is changed.
    this.query = askInTime as typeof this.query;
  }

  private giveUpIfLate(error: unknown): void {
    if (error instanceof Error && error.message === LATE) breakConnection(this);
  }
}
