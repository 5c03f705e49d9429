import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique, UpdateDateColumn } from 'typeorm';
import type { AlertKind, AlertScope, Language, Severity } from '../../contract/alert-kinds.js';

/** What is watched. A fresh installation has some, see the migration. What is null is the default of its kind. */
@Entity('alert_rules')
@Unique('uq_alert_rules_name', ['name'])
export class AlertRuleEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_alert_rules' })
  id: string;

  @Column({ type: 'varchar', length: 64 })
  name: string;

  @Column({ type: 'varchar', length: 500, nullable: true })
  description: string | null;

  @Column({ type: 'varchar', length: 40 })
  kind: AlertKind;

  @Column({ name: 'is_enabled', type: 'boolean', default: true })
  isEnabled: boolean;

  @Column({ type: 'varchar', length: 10, default: 'warning' })
  severity: Severity;

  @Column({ type: 'varchar', length: 10, default: 'all' })
  scope: AlertScope;

  @Column({ name: 'scope_value', type: 'varchar', length: 100, nullable: true })
  scopeValue: string | null;

  @Column({ type: 'double precision', nullable: true })
  threshold: number | null;

  @Column({ name: 'window_minutes', type: 'integer', nullable: true })
  windowMinutes: number | null;

  @Column({ name: 'min_calls', type: 'integer', nullable: true })
  minCalls: number | null;

  @Column({ name: 'for_minutes', type: 'integer', nullable: true })
  forMinutes: number | null;

  @Column({ name: 'keep_firing_minutes', type: 'integer', nullable: true })
  keepFiringMinutes: number | null;

  /** 0: never. */
  @Column({ name: 'reminder_minutes', type: 'integer', default: 0 })
  reminderMinutes: number;

  @Column({ type: 'varchar', length: 10, nullable: true })
  language: Language | null;

  /** Names; empty: every channel. */
  @Column({ type: 'text', array: true, default: () => "'{}'" })
  channels: string[];

  @Column({ type: 'integer', default: 1 })
  version: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
