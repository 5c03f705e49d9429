import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import type { CallOutcome, CallSource } from '../../contract/usage.contract.js';
import { asNumber } from '../database/column-types.js';

const SUM = { type: 'bigint', transformer: asNumber } as const;
const KEY = { primaryKeyConstraintName: 'pk_usage_minutes' } as const;

/** Ids of the batches that were counted: one that comes again counts once. */
@Entity('usage_batches')
@Index('ix_usage_batches_received_at', ['receivedAt'])
export class UsageBatchEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_usage_batches' })
  id: string;

  @Column({ name: 'received_at', type: 'timestamptz', default: () => 'now()' })
  receivedAt: Date;
}

/** Sums of all calls of one minute that are alike. Never single calls, so that statistics cost the same at any load. */
@Entity('usage_minutes')
export class UsageMinuteEntity {
  @PrimaryColumn({ type: 'timestamptz', ...KEY })
  minute: Date;

  @PrimaryColumn({ name: 'config_id', type: 'uuid', ...KEY })
  configId: string;

  @PrimaryColumn({ type: 'varchar', length: 100, ...KEY })
  alias: string;

  @PrimaryColumn({ type: 'enum', enum: PROVIDERS, enumName: 'ai_provider_enum', ...KEY })
  provider: Provider;

  @PrimaryColumn({ type: 'varchar', length: 20, ...KEY })
  source: CallSource;

  @PrimaryColumn({ type: 'varchar', length: 40, ...KEY })
  outcome: CallOutcome;

  @Column(SUM)
  calls: number;

  /** Calls whose tokens are an estimate, since the provider told none. */
  @Column({ name: 'estimated_calls', ...SUM })
  estimatedCalls: number;

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
}
