import { Check, Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { AlertKind, AlertState, Severity } from '../../contract/alert-kinds.js';
import type { ResolvedReason } from '../../contract/alert-notice.js';
import { asNumber } from '../database/column-types.js';

/**
 * One rule and one subject, from the first minute in which it was bad until it is over. One that never fired is deleted; of a rule and
 * a subject one at most is open. What is said of the rule outlives it.
 */
@Entity('alerts')
@Index('uq_alerts_open', ['ruleId', 'subject'], { unique: true, where: 'resolved_at IS NULL' })
@Index('ix_alerts_since', ['since'])
export class AlertEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_alerts' })
  id: string;

  @Column({ name: 'rule_id', type: 'uuid' })
  ruleId: string;

  @Column({ name: 'rule_name', type: 'varchar', length: 64 })
  ruleName: string;

  @Column({ type: 'varchar', length: 40 })
  kind: AlertKind;

  @Column({ type: 'varchar', length: 10 })
  severity: Severity;

  @Column({ type: 'varchar', length: 300 })
  subject: string;

  @Column({ type: 'varchar', length: 10 })
  state: AlertState;

  /** The newest figure while it was bad. */
  @Column({ type: 'double precision', nullable: true })
  value: number | null;

  @Column({ type: 'double precision', nullable: true })
  threshold: number | null;

  @Column({ type: 'bigint', nullable: true, transformer: asNumber })
  calls: number | null;

  @Column({ type: 'timestamptz' })
  since: Date;

  /** The end of the newest minute in which it was bad. */
  @Column({ name: 'last_bad_at', type: 'timestamptz' })
  lastBadAt: Date;

  @Column({ name: 'fired_at', type: 'timestamptz', nullable: true })
  firedAt: Date | null;

  @Column({ name: 'resolved_at', type: 'timestamptz', nullable: true })
  resolvedAt: Date | null;

  @Column({ name: 'resolved_reason', type: 'varchar', length: 20, nullable: true })
  resolvedReason: ResolvedReason | null;

  /** When a message about it was put on its way for the first and for the last time; null: nobody was told yet. */
  @Column({ name: 'notified_at', type: 'timestamptz', nullable: true })
  notifiedAt: Date | null;

  @Column({ name: 'last_notified_at', type: 'timestamptz', nullable: true })
  lastNotifiedAt: Date | null;

  /** Somebody takes care of it: no more reminders. */
  @Column({ name: 'acknowledged_at', type: 'timestamptz', nullable: true })
  acknowledgedAt: Date | null;

  /** Id of a token. */
  @Column({ name: 'acknowledged_by', type: 'varchar', length: 64, nullable: true })
  acknowledgedBy: string | null;
}

/** One row: up to where minutes were evaluated. Whoever evaluates locks it. */
@Entity('alert_evaluation')
@Check('ck_alert_evaluation_one_row', 'id = 1')
export class AlertEvaluationEntity {
  @PrimaryColumn({ type: 'smallint', default: 1, primaryKeyConstraintName: 'pk_alert_evaluation' })
  id: number;

  /** The end of the last minute that was evaluated; null: none was. */
  @Column({ name: 'evaluated_to', type: 'timestamptz', nullable: true })
  evaluatedTo: Date | null;
}

/** Nobody is told of what it covers while it lasts. */
@Entity('alert_silences')
export class AlertSilenceEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_alert_silences' })
  id: string;

  /** null: every rule. */
  @Column({ name: 'rule_name', type: 'varchar', length: 64, nullable: true })
  ruleName: string | null;

  /** A subject; `*` at its end stands for anything. null: every subject. */
  @Column({ type: 'varchar', length: 300, nullable: true })
  subject: string | null;

  @Column({ name: 'starts_at', type: 'timestamptz' })
  startsAt: Date;

  @Column({ name: 'ends_at', type: 'timestamptz' })
  endsAt: Date;

  @Column({ type: 'varchar', length: 500 })
  comment: string;

  @Column({ name: 'created_by', type: 'varchar', length: 64 })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}
