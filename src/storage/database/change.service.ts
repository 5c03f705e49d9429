import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Author } from '../../platform/auth/author.js';
import { writeHistory } from '../history/write-history.js';
import { findRemembered, remember } from './idempotency.js';
import { Transaction } from './transaction.js';

/** What the hub itself notes of a row, such as a key that was refused. */
export interface Observation<Result> {
  result: Result;
  /** The configs whose state is another one now; none: the revision stays. */
  changedConfigIds: readonly string[];
  /** Something that every difference tells whole is another one now, such as the budgets that are used up. */
  changesCalls?: boolean;
}

/** Listeners of every process hear of a new revision at its commit. */
export const REVISION_CHANNEL = 'hub_revision';

/** Milliseconds since 1970, but always at least one more than before: moves forward even after a restored backup. */
const NEXT_REVISION = `WITH next AS (
  UPDATE hub_revision SET revision = greatest(revision + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
  RETURNING revision)
  SELECT revision, pg_notify('${REVISION_CHANNEL}', revision::text) FROM next`;
const READ_REVISION = 'SELECT revision, whole_revision AS whole FROM hub_revision';
const MARK_WHOLE = 'UPDATE hub_revision SET whole_revision = revision';
const STAMP_OBSERVED = 'UPDATE ai_model_configs SET observed_revision = $1 WHERE id = ANY ($2::uuid[])';

/** Takes the next revision; in a transaction its row stays locked until the commit. */
export const takeNextRevision = async (database: Pick<EntityManager, 'query'>): Promise<number> => {
  const rows = await database.query<{ revision: string }[]>(NEXT_REVISION);
  return Number(rows[0]?.revision);
};

/** A revision of which nobody can tell what it changed, such as after other keys or a restored backup. */
export const takeWholeRevision = async (manager: EntityManager): Promise<number> => {
  const revision = await takeNextRevision(manager);
  await manager.query(MARK_WHOLE);
  return revision;
};

/** Where the changes are. */
export interface RevisionState {
  /** The newest committed one. */
  revision: number;
  /** The newest of which nobody can tell what it changed. */
  wholeRevision: number;
}

export const readRevisionState = async (database: Pick<EntityManager, 'query'>): Promise<RevisionState> => {
  const rows = await database.query<{ revision: string; whole: string }[]>(READ_REVISION);
  return { revision: Number(rows[0]?.revision ?? 0), wholeRevision: Number(rows[0]?.whole ?? 0) };
};

/** Ends a rehearsal: what was written is taken back. */
class Rehearsed extends Error {}

/**
 * Every change of what the hub knows goes through here: one transaction writes the rows, their history and the next
 * revision. The revision is taken last; its row lock is held only until the commit, and revisions come in the order of
 * commits.
 */
@Injectable()
export class ChangeService {
  private readonly emitter = new EventEmitter();
  /** That this process has told of. */
  private newest = 0;

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Carries out a change in somebody's name. With an `Idempotency-Key` the result is remembered in the same transaction
   * and given again to whoever repeats the request: so it has to be JSON, and free of secrets.
   */
  async commit<Result>(author: Author, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    let revision: number | null = null;
    const result = await this.dataSource.transaction(async (manager) => {
      const remembered = await findRemembered(manager, author);
      if (remembered) return remembered.result as Result;
      const transaction = new Transaction(manager, author);
      const done = await work(transaction);
      if (transaction.records.length > 0) revision = await this.finish(transaction);
      await remember(manager, author, done);
      return done;
    });
    this.tell(revision);
    return result;
  }

  /** Does the same work and takes it back: what it would answer, and what would be refused. */
  async rehearse<Result>(author: Author, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    let result: { value: Result } | null = null;
    try {
      await this.dataSource.transaction(async (manager) => {
        result = { value: await work(new Transaction(manager, author)) };
        throw new Rehearsed();
      });
    } catch (error) {
      if (!(error instanceof Rehearsed)) throw error;
    }
    return (result as unknown as { value: Result }).value;
  }

  /** What nobody decided and the hub noticed by itself: no history, and a new revision only when it matters to calls. */
  async observe<Result>(work: (manager: EntityManager) => Promise<Observation<Result>>): Promise<Result> {
    let revision: number | null = null;
    const result = await this.dataSource.transaction(async (manager) => {
      const observation = await work(manager);
      const { changedConfigIds, changesCalls = false } = observation;
      if (changedConfigIds.length > 0 || changesCalls) {
        revision = await takeNextRevision(manager);
        await manager.query(STAMP_OBSERVED, [revision, changedConfigIds]);
      }
      return observation.result;
    });
    this.tell(revision);
    return result;
  }

  /** The newest revision that this process has told of; null: none since its start. */
  get newestTold(): number | null {
    return this.newest === 0 ? null : this.newest;
  }

  /** The newest committed revision. */
  async currentRevision(): Promise<number> {
    return (await this.revisionState()).revision;
  }

  revisionState(): Promise<RevisionState> {
    return readRevisionState(this.dataSource);
  }

  /** Looks whether others made a change; never fails. */
  async lookForOthers(): Promise<void> {
    try {
      this.hear(await this.currentRevision());
    } catch {
      // The database is away: the next look finds the same revision.
    }
  }

  /** Another process made a change: it is told like one of this process. What is no revision is nothing to tell. */
  hear(revision: number): void {
    if (Number.isSafeInteger(revision)) this.tell(revision);
  }

  /** For what nobody decided and nobody can tell by name, such as keys that open what was closed before. */
  async markWhole(): Promise<void> {
    this.tell(await this.dataSource.transaction(takeWholeRevision));
  }

  /** Calls `listener` with the newest revision whenever this process learns of one, its own changes at their commit. */
  onRevision(listener: (revision: number) => void): () => void {
    this.emitter.on('revision', listener);
    return () => this.emitter.off('revision', listener);
  }

  private async finish({ manager, author, records }: Transaction): Promise<number> {
    // Which secrets can be opened depends on the keys, and nobody counts which ones.
    const ofKeys = records.some(({ kind }) => kind === 'encryption_key');
    const revision = await (ofKeys ? takeWholeRevision : takeNextRevision)(manager);
    await writeHistory(manager, { author, revision, records });
    return revision;
  }

  private tell(revision: number | null): void {
    if (revision === null || revision <= this.newest) return;
    this.newest = revision;
    this.emitter.emit('revision', revision);
  }
}
