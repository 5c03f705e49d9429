import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  INSTANCE_GONE_MILLISECONDS,
  type InstanceList,
  type InstanceReport,
  type InstanceView,
} from '../../contract/instance.contract.js';
import { ChangeService } from '../database/change.service.js';
import type { StorageProcessEntity } from '../process/storage-process.entity.js';
import { StorageProcesses } from '../process/storage-processes.js';
import { AiModelInstanceEntity } from './ai-model-instance.entity.js';

/** Every storage process hears of a report that tells of a newer revision. */
export const APPLIED_CHANNEL = 'hub_applied';

const MAX_LISTED = 1000;
const GONE = `interval '${INSTANCE_GONE_MILLISECONDS} milliseconds'`;

const REPORT = `WITH known AS (SELECT applied_revision FROM ai_model_instances WHERE id = $1),
  written AS (
    INSERT INTO ai_model_instances
      AS stored (id, role, version, host, started_at, seen_at, applied_revision, source, confirmed_at, behind_since)
    VALUES ($1, $2, $3, $4, $5, now(), $6, $7, $8, (SELECT now() FROM hub_revision WHERE revision > $6::bigint))
    ON CONFLICT (id) DO UPDATE SET seen_at = now(), applied_revision = excluded.applied_revision,
      source = excluded.source, confirmed_at = excluded.confirmed_at,
      behind_since = CASE WHEN excluded.behind_since IS NOT NULL AND stored.applied_revision = excluded.applied_revision
        THEN coalesce(stored.behind_since, excluded.behind_since) ELSE excluded.behind_since END
    RETURNING applied_revision)
  SELECT pg_notify('${APPLIED_CHANNEL}', '') FROM written
  WHERE applied_revision IS DISTINCT FROM (SELECT applied_revision FROM known)`;
/** Whoever comes along does it; what another one is removing already is left to it. */
const FORGET_OLD = `DELETE FROM ai_model_instances WHERE id IN
  (SELECT id FROM ai_model_instances WHERE seen_at < now() - interval '1 minute' LIMIT 100 FOR UPDATE SKIP LOCKED)`;
const COUNT_APPLIED = `SELECT count(*)::int AS all, count(*) FILTER (WHERE applied_revision >= $1)::int AS applied
  FROM ai_model_instances WHERE seen_at > now() - ${GONE}`;

/** How many of the instances that are there have applied a revision. */
export interface Applied {
  applied: number;
  all: number;
}

/** The processes of this hub: those of the AI model service report themselves here. */
@Injectable()
export class InstanceService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly processes: StorageProcesses,
  ) {}

  async report(report: InstanceReport): Promise<void> {
    const { id, role, version, host, revision, source } = report;
    const startedAt = new Date(report.started_at);
    const confirmedAt = report.confirmed_at ? new Date(report.confirmed_at) : null;
    const values = [id, role, version, host, startedAt, revision ?? null, source ?? null, confirmedAt];
    await this.dataSource.query(REPORT, values);
    await this.dataSource.query(FORGET_OLD);
  }

  /** At the end of its process: nobody waits for it any more. */
  async forget(id: string): Promise<void> {
    await this.dataSource.query('DELETE FROM ai_model_instances WHERE id = $1', [id]);
  }

  async countApplied(revision: number): Promise<Applied> {
    const rows = await this.dataSource.query<Applied[]>(COUNT_APPLIED, [revision]);
    return rows[0] ?? { applied: 0, all: 0 };
  }

  /** Those that reported within the last seconds, oldest first; a process that runs both services is listed once. */
  async list(): Promise<InstanceList> {
    const revision = await this.changes.currentRevision();
    const [instances, storage, now] = [await this.living(), await this.processes.living(), Date.now()];
    const ofAiModel = new Set(instances.map(({ id }) => id));
    const views = [
      ...instances.map((row) => toInstanceView(row, revision, now)),
      ...storage.filter(({ id }) => !ofAiModel.has(id)).map(toStorageView),
    ];
    views.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
    return { revision, instances: views.slice(0, MAX_LISTED) };
  }

  private living(): Promise<AiModelInstanceEntity[]> {
    return this.dataSource.manager
      .createQueryBuilder(AiModelInstanceEntity, 'instance')
      .where(`instance.seenAt > now() - ${GONE}`)
      .orderBy({ 'instance.startedAt': 'ASC' })
      .take(MAX_LISTED)
      .getMany();
  }
}

const toInstanceView = (row: AiModelInstanceEntity, newest: number, now: number): InstanceView => ({
  id: row.id,
  role: row.role,
  version: row.version,
  host: row.host,
  started_at: row.startedAt.toISOString(),
  last_contact_at: row.seenAt.toISOString(),
  applied_revision: row.appliedRevision,
  is_current: row.appliedRevision === null ? null : row.appliedRevision >= newest,
  configuration_age_seconds: row.confirmedAt === null ? null : Math.max(0, (now - row.confirmedAt.getTime()) / 1000),
  configuration_source: row.source,
});

const toStorageView = (row: StorageProcessEntity): InstanceView => ({
  id: row.id,
  role: 'storage',
  version: row.version,
  host: row.host,
  started_at: row.startedAt.toISOString(),
  last_contact_at: row.seenAt.toISOString(),
  applied_revision: null,
  is_current: null,
  configuration_age_seconds: null,
  configuration_source: null,
});
