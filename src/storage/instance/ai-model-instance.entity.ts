import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ConfigurationSource } from '../../contract/instance.contract.js';
import { asNumber } from '../database/column-types.js';

/** A process of the AI model service, as it reports itself every two seconds. */
@Entity('ai_model_instances')
export class AiModelInstanceEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_ai_model_instances' })
  id: string;

  @Column({ type: 'varchar', length: 20 })
  role: 'all' | 'ai-model';

  @Column({ type: 'varchar', length: 50 })
  version: string;

  @Column({ type: 'varchar', length: 255 })
  host: string;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt: Date;

  @Column({ name: 'seen_at', type: 'timestamptz', default: () => 'now()' })
  seenAt: Date;

  /** The revision its calls are answered from; null: none yet. */
  @Column({ name: 'applied_revision', type: 'bigint', nullable: true, transformer: asNumber })
  appliedRevision: number | null;

  @Column({ type: 'varchar', length: 20, nullable: true })
  source: ConfigurationSource | null;

  /** When it last knew that this revision is the newest. */
  @Column({ name: 'confirmed_at', type: 'timestamptz', nullable: true })
  confirmedAt: Date | null;

  /** Since when there is a newer revision while this one did not move, by the database's clock; null: it is the newest, or there is none. */
  @Column({ name: 'behind_since', type: 'timestamptz', nullable: true, select: false })
  behindSince: Date | null;
}
