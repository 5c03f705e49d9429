import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

export interface Change<Result> {
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

/**
 * Every change of what the hub knows goes through here: one transaction writes the rows and the next revision. The
 * revision is taken last; its row lock is held only until the commit, and revisions come in the order of commits.
 */
@Injectable()
export class ChangeService {
  private readonly emitter = new EventEmitter();

  constructor(private readonly dataSource: DataSource) {}

  async commit<Result>(work: (manager: EntityManager) => Promise<Change<Result>>): Promise<Result> {
    let revision: number | null = null;
    const result = await this.dataSource.transaction(async (manager) => {
      const change = await work(manager);
      if (change.changed) revision = await takeNextRevision(manager);
      return change.result;
    });
    if (revision !== null) this.emitter.emit('revision', revision);
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
}
