import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { asNumber } from './column-types.js';

/** One row: the number of the newest change. Its row lock puts the changes of all processes in one order. */
@Entity('hub_revision')
@Check('ck_hub_revision_single', 'id = 1')
export class RevisionEntity {
  @PrimaryColumn({ type: 'smallint', default: 1, primaryKeyConstraintName: 'pk_hub_revision' })
  id: number;

  @Column({ type: 'bigint', transformer: asNumber })
  revision: number;
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
}
