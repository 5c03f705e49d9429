import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { FieldChange, HistoryAction, HistoryKind } from '../../contract/history.contract.js';
import { asNumber } from '../database/column-types.js';

/** One change. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE. */
@Entity('change_history')
@Index('ix_change_history_subject', ['kind', 'subjectId', 'id'])
@Index('ix_change_history_time', ['changedAt'])
@Index('ix_change_history_revision', ['revision'])
export class HistoryEntity {
  // Identity columns arrive as text, since they can exceed a double; this one stays below 2^53.
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'pk_change_history',
  })
  id: string;

  @Column({ type: 'bigint', transformer: asNumber })
  revision: number;

  @Column({ name: 'changed_at', type: 'timestamptz', default: () => 'now()' })
  changedAt: Date;

  @Column({ name: 'actor_id', type: 'varchar', length: 64 })
  actorId: string;

  @Column({ name: 'request_id', type: 'varchar', length: 64, nullable: true })
  requestId: string | null;

  @Column({ type: 'varchar', length: 30 })
  kind: HistoryKind;

  @Column({ name: 'subject_id', type: 'varchar', length: 64 })
  subjectId: string;

  @Column({ name: 'subject_name', type: 'varchar', length: 200 })
  subjectName: string;

  @Column({ type: 'varchar', length: 30 })
  action: HistoryAction;

  @Column({ type: 'integer', nullable: true })
  version: number | null;

  @Column({ type: 'jsonb' })
  changes: FieldChange[];

  /** The subject afterwards, secrets as fingerprints; null: it is gone. */
  @Column({ type: 'jsonb', nullable: true })
  state: Record<string, unknown> | null;
}
