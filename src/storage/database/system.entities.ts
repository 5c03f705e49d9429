import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { asNumber } from './column-types.js';

/** One row: the number of the newest change. Its row lock puts the changes of all processes in one order. */
@Entity('hub_revision')
@Check('ck_hub_revision_single', 'id = 1')
export class RevisionEntity {
  @PrimaryColumn({ type: 'smallint', default: 1, primaryKeyConstraintName: 'pk_hub_revision' })
  id: number;

  @Column({ type: 'bigint', transformer: asNumber })
  revision: number;

  /** The newest revision of which it is not told what it changed: differences begin after it. */
  @Column({ name: 'whole_revision', type: 'bigint', default: 0, transformer: asNumber })
  wholeRevision: number;
}

/** A known constant sealed under each key of the ring: tells a wrong key at start. */
@Entity('encryption_key_checks')
export class KeyCheckEntity {
  @PrimaryColumn({ name: 'key_id', type: 'varchar', length: 32, primaryKeyConstraintName: 'pk_encryption_key_checks' })
  keyId: string;

  @Column({ name: 'sealed_constant', type: 'text' })
  sealedConstant: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** Since when no ring has it: the database refuses rows under it, see the trigger `key_in_ring`. */
  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;
}

const IDEMPOTENCY_KEY = { primaryKeyConstraintName: 'pk_idempotency_keys' } as const;

/** What a request with an `Idempotency-Key` was answered, for 24 hours. */
@Entity('idempotency_keys')
@Index('ix_idempotency_keys_created_at', ['createdAt'])
export class IdempotencyKeyEntity {
  @PrimaryColumn({ name: 'actor_id', type: 'varchar', length: 64, ...IDEMPOTENCY_KEY })
  actorId: string;

  @PrimaryColumn({ type: 'varchar', length: 200, ...IDEMPOTENCY_KEY })
  key: string;

  @Column({ name: 'request_sha256', type: 'char', length: 64 })
  requestSha256: string;

  /** Text as it was sent: jsonb would put its keys in another order. */
  @Column({ type: 'json' })
  result: object;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}
