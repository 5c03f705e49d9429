import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import {
  changesBetween,
  type HistoryKind,
  type HistoryList,
  type HistoryQuery,
  type VersionDiff,
} from '../../contract/history.contract.js';
import type { Page } from '../../contract/list-query.js';
import { AppError } from '../../platform/errors/app-error.js';
import { listHistory } from './history-list.js';
import { HistoryEntity } from './history.entity.js';

interface KeptState {
  state: Record<string, unknown>;
  /** The newest version there has been of this subject. */
  newest: number;
}

const NEWEST = 'SELECT max(version) AS version FROM change_history WHERE kind = $1 AND subject_id = $2';

/** Reads what was changed. Written it is by the change itself, see ChangeService. */
@Injectable()
export class HistoryService {
  constructor(private readonly dataSource: DataSource) {}

  /** Everything of these kinds that the filter matches, newest first. */
  list(query: HistoryQuery, kinds: readonly HistoryKind[]): Promise<HistoryList> {
    return listHistory(this.dataSource.manager, query, kinds);
  }

  ofSubject(kind: HistoryKind, subjectId: string, page: Page): Promise<HistoryList> {
    return listHistory(this.dataSource.manager, { ...page, subject_id: subjectId }, [kind]);
  }

  async diff(kind: HistoryKind, subjectId: string, from: number, to: number): Promise<VersionDiff> {
    const { manager } = this.dataSource;
    const before = await this.stateAt(manager, kind, subjectId, from);
    const after = await this.stateAt(manager, kind, subjectId, to);
    return { from, to, changes: changesBetween(before.state, after.state) };
  }

  /** What a subject was at a version. Throws `version_not_found`, also for the version that deleted it. */
  async stateAt(manager: EntityManager, kind: HistoryKind, subjectId: string, version: number): Promise<KeptState> {
    const row = await manager.findOne(HistoryEntity, { where: { kind, subjectId, version }, order: { id: 'DESC' } });
    const [last] = await manager.query<{ version: number | null }[]>(NEWEST, [kind, subjectId]);
    const newest = last?.version ?? null;
    if (row?.state) return { state: row.state, newest: newest ?? version };
    throw new AppError('version_not_found', {
      detail: row
        ? `Version ${version} is the deletion: there is nothing in it.`
        : `There is no version ${version} in the history${newest === null ? '' : `; the newest is ${newest}`}.`,
    });
  }
}
