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
  /** False when nothing was written after all: the revision stays. */
  changed: boolean;
}

/** Milliseconds since 1970, but always at least one more than before: moves forward even after a restored backup. */
const NEXT_REVISION = `UPDATE hub_revision
  SET revision = greatest(revision + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
  RETURNING revision`;

/** Takes the next revision; in a transaction its row stays locked until the commit. */
export const takeNextRevision = async (database: Pick<EntityManager, 'query'>): Promise<number> => {
  // TypeORM answers UPDATE … RETURNING as [rows, count].
  const [rows] = await database.query<[{ revision: string }[], number]>(NEXT_REVISION);
  return Number(rows[0]?.revision);
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
      if (observation.changed) revision = await takeNextRevision(manager);
      return observation.result;
    });
    this.tell(revision);
    return result;
  }

  /** The newest committed revision. */
  async currentRevision(): Promise<number> {
    const rows = await this.dataSource.query<{ revision: string }[]>('SELECT revision FROM hub_revision');
    return Number(rows[0]?.revision ?? 0);
  }

  /** Calls `listener` after each change made by this process. */
  onRevision(listener: (revision: number) => void): () => void {
    this.emitter.on('revision', listener);
    return () => this.emitter.off('revision', listener);
  }

  private async finish({ manager, author, records }: Transaction): Promise<number> {
    const revision = await takeNextRevision(manager);
    await writeHistory(manager, { author, revision, records });
    return revision;
  }

  private tell(revision: number | null): void {
    if (revision !== null) this.emitter.emit('revision', revision);
  }
}
