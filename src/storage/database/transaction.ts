import type { EntityManager } from 'typeorm';
import type { HistoryAction, HistoryKind } from '../../contract/history.contract.js';
import type { Author } from '../../platform/auth/author.js';

/** What one change was, for the history. States are fields by their wire names, secrets as fingerprints. */
export interface ChangeRecord {
  kind: HistoryKind;
  subjectId: string;
  subjectName: string;
  action: HistoryAction;
  /** The subject's version after the change; null: it has none. */
  version: number | null;
  before: Readonly<Record<string, unknown>> | null;
  after: Readonly<Record<string, unknown>> | null;
}

/** One change under way: its rows, and what the history will say of them. All of it holds, or nothing. */
export class Transaction {
  private readonly recorded: ChangeRecord[] = [];

  constructor(
    readonly manager: EntityManager,
    readonly author: Author,
  ) {}

  /** Notes a change that was just written. Without any the revision stays as it is. */
  record(change: ChangeRecord): void {
    this.recorded.push(change);
  }

  get records(): readonly ChangeRecord[] {
    return this.recorded;
  }
}
