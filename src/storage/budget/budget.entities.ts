import {
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
  UpdateDateColumn,
} from 'typeorm';
import type { Language, Severity } from '../../contract/alert-kinds.js';
import {
  type BudgetAction,
  type BudgetPeriod,
  type BudgetScope,
  LIMIT_PLACES,
} from '../../contract/budget.contract.js';

/** How much may be spent in a day or a month, and what happens then. */
@Entity('budgets')
@Unique('uq_budgets_name', ['name'])
export class BudgetEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_budgets' })
  id: string;

  @Column({ type: 'varchar', length: 64 })
  name: string;

  @Column({ type: 'varchar', length: 500, nullable: true })
  description: string | null;

  @Column({ name: 'is_enabled', type: 'boolean', default: true })
  isEnabled: boolean;

  @Column({ type: 'varchar', length: 10, default: 'all' })
  scope: BudgetScope;

  /** The alias, the tag as `key:value`, the token's id; null with scope `all`. */
  @Column({ name: 'scope_value', type: 'varchar', length: 300, nullable: true })
  scopeValue: string | null;

  @Column({ type: 'varchar', length: 10, default: 'month' })
  period: BudgetPeriod;

  /** Of IANA: where days and months begin. */
  @Column({ name: 'time_zone', type: 'varchar', length: 64, default: 'UTC' })
  timeZone: string;

  /** Exact; as text, since a double is not. */
  @Column({ name: 'limit_usd', type: 'numeric', precision: 20, scale: LIMIT_PLACES })
  limitUsd: string;

  /** Percent, ascending. */
  @Column({ type: 'integer', array: true, default: () => "'{80,100}'" })
  thresholds: number[];

  @Column({ type: 'varchar', length: 10, default: 'notify' })
  action: BudgetAction;

  @Column({ type: 'varchar', length: 10, default: 'warning' })
  severity: Severity;

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

/** How far a budget has come in its newest period. What is spent is not kept here: it is the sum of the usage. */
@Entity('budget_states')
@ForeignKey(() => BudgetEntity, ['budgetId'], ['id'], { name: 'fk_budget_states_budget', onDelete: 'CASCADE' })
export class BudgetStateEntity {
  @PrimaryColumn({ name: 'budget_id', type: 'uuid', primaryKeyConstraintName: 'pk_budget_states' })
  budgetId: string;

  @Column({ name: 'period_from', type: 'timestamptz' })
  periodFrom: Date;

  @Column({ name: 'period_to', type: 'timestamptz' })
  periodTo: Date;

  /** The highest threshold that was reached in the period, in percent; 0: none yet. */
  @Column({ type: 'integer' })
  reached: number;

  /** The highest threshold that somebody was told of; less than `reached` as long as no channel takes the message. */
  @Column({ type: 'integer' })
  told: number;

  @Column({ name: 'is_exhausted', type: 'boolean' })
  isExhausted: boolean;
}
