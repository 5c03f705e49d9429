import { StorageBusy, StorageError, StorageLeftAlone, StorageUnavailable } from './storage-errors.js';

/** `refused`: storage said no, such as 404 or 412; `left_alone`: the breaker is open; `busy`: too many wait already. */
export type RequestOutcome = 'ok' | 'refused' | 'unavailable' | 'left_alone' | 'busy';

/** How the requests to the storage service ended since the start, by kind; its attempts and waits are one request. */
export class RequestCounts<Kind extends string> {
  readonly byKind = new Map<Kind, Map<RequestOutcome, number>>();
  /** Attempts after the first one. */
  retries = 0;

  /** Does the work, and counts how it ends. */
  async of<Result>(kind: Kind, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      this.add(kind, 'ok');
      return result;
    } catch (error) {
      this.add(kind, outcomeOf(error));
      throw error;
    }
  }

  private add(kind: Kind, outcome: RequestOutcome): void {
    const outcomes = this.byKind.get(kind) ?? new Map<RequestOutcome, number>();
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    this.byKind.set(kind, outcomes);
  }
}

const outcomeOf = (error: unknown): RequestOutcome => {
  if (error instanceof StorageBusy) return 'busy';
  if (error instanceof StorageLeftAlone) return 'left_alone';
  return error instanceof StorageError && !(error instanceof StorageUnavailable) ? 'refused' : 'unavailable';
};
