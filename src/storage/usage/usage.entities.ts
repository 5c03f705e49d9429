import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { CallOutcome, CallSource } from '../../contract/usage.contract.js';
import { asNumber } from '../database/column-types.js';
import type { Level } from './usage-levels.js';

const SUM = { type: 'bigint', transformer: asNumber } as const;

/** Ids of the batches that were counted: one that comes again counts once. */
@Entity('usage_batches')
@Index('ix_usage_batches_received_at', ['receivedAt'])
export class UsageBatchEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_usage_batches' })
  id: string;

  @Column({ name: 'received_at', type: 'timestamptz', default: () => 'now()' })
  receivedAt: Date;
}

/**
 * What the calls of a row have in common, see usage-levels.ts; what its level does not tell apart is empty. Never deleted,
 * so that the rows need no foreign key, which would be checked with every one of them.
 */
@Entity('usage_series')
@Unique('uq_usage_series', [
  'configId',
  'alias',
  'provider',
  'source',
  'outcome',
  'streamed',
  'tokenId',
  'promptId',
  'promptName',
  'promptVersion',
  'promptLabel',
  'level',
])
export class UsageSeriesEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'pk_usage_series',
  })
  id: string;

  @Column({ type: 'smallint' })
  level: Level;

  @Column({ name: 'config_id', type: 'uuid' })
  configId: string;

  @Column({ type: 'varchar', length: 100 })
  alias: string;

  @Column({ type: 'varchar', length: 40 })
  provider: string;

  @Column({ type: 'varchar', length: 20 })
  source: CallSource;

  @Column({ type: 'varchar', length: 40 })
  outcome: CallOutcome;

  @Column({ type: 'boolean' })
  streamed: boolean;

  @Column({ name: 'token_id', type: 'varchar', length: 64 })
  tokenId: string;

  @Column({ name: 'prompt_id', type: 'varchar', length: 36 })
  promptId: string;

  @Column({ name: 'prompt_name', type: 'varchar', length: 100 })
  promptName: string;

  @Column({ name: 'prompt_version', type: 'integer' })
  promptVersion: number;

  @Column({ name: 'prompt_label', type: 'varchar', length: 100 })
  promptLabel: string;
}

/** Sums of all calls of one series in one stretch of time. Never single calls: a query costs the same at any load. */
abstract class UsageSums {
  @Column(SUM)
  calls: number;

  @Column(SUM)
  errors: number;

  /** Calls whose tokens are an estimate, since the provider told none. */
  @Column({ name: 'estimated_calls', ...SUM })
  estimatedCalls: number;

  /** Calls whose config had no price. */
  @Column({ name: 'unpriced_calls', ...SUM })
  unpricedCalls: number;

  @Column({ name: 'input_tokens', ...SUM })
  inputTokens: number;

  @Column({ name: 'cached_tokens', ...SUM })
  cachedTokens: number;

  @Column({ name: 'output_tokens', ...SUM })
  outputTokens: number;

  @Column({ name: 'reasoning_tokens', ...SUM })
  reasoningTokens: number;

  /** Calls that had a first byte; `firstByteMs` is their sum. */
  @Column({ name: 'first_byte_calls', ...SUM })
  firstByteCalls: number;

  @Column({ name: 'first_byte_ms', ...SUM })
  firstByteMs: number;

  @Column({ name: 'total_ms', ...SUM })
  totalMs: number;

  /** Exact; as text, since a double is not. */
  @Column({ name: 'cost_usd', type: 'numeric', precision: 30, scale: 12 })
  costUsd: string;

  /** Packed histograms, see packed-histogram.ts. */
  @Column({ type: 'text' })
  latency: string;

  @Column({ name: 'first_byte', type: 'text' })
  firstByte: string;
}

const MINUTES_KEY = { primaryKeyConstraintName: 'pk_usage_minutes' } as const;
const HOURS_KEY = { primaryKeyConstraintName: 'pk_usage_hours' } as const;
const DAYS_KEY = { primaryKeyConstraintName: 'pk_usage_days' } as const;

@Entity('usage_minutes')
export class UsageMinuteEntity extends UsageSums {
  @PrimaryColumn({ type: 'smallint', ...MINUTES_KEY })
  level: Level;

  @PrimaryColumn({ type: 'timestamptz', ...MINUTES_KEY })
  start: Date;

  @PrimaryColumn({ name: 'series_id', type: 'bigint', ...MINUTES_KEY })
  seriesId: string;
}

@Entity('usage_hours')
export class UsageHourEntity extends UsageSums {
  @PrimaryColumn({ type: 'smallint', ...HOURS_KEY })
  level: Level;

  @PrimaryColumn({ type: 'timestamptz', ...HOURS_KEY })
  start: Date;

  @PrimaryColumn({ name: 'series_id', type: 'bigint', ...HOURS_KEY })
  seriesId: string;
}

/** Days in UTC. */
@Entity('usage_days')
export class UsageDayEntity extends UsageSums {
  @PrimaryColumn({ type: 'smallint', ...DAYS_KEY })
  level: Level;

  @PrimaryColumn({ type: 'timestamptz', ...DAYS_KEY })
  start: Date;

  @PrimaryColumn({ name: 'series_id', type: 'bigint', ...DAYS_KEY })
  seriesId: string;
}

/** From when on the rows of a resolution are all there: older ones are deleted, or about to be. */
@Entity('usage_retention')
export class UsageRetentionEntity {
  @PrimaryColumn({ type: 'varchar', length: 10, primaryKeyConstraintName: 'pk_usage_retention' })
  resolution: 'minute' | 'hour';

  @Column({ name: 'complete_from', type: 'timestamptz' })
  completeFrom: Date;
}
