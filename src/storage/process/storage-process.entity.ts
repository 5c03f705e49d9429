import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A process of the storage service, as it says itself every two seconds. */
@Entity('storage_processes')
export class StorageProcessEntity {
  /** Another one after each start. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_storage_processes' })
  id: string;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt: Date;

  @Column({ name: 'seen_at', type: 'timestamptz', default: () => 'now()' })
  seenAt: Date;

  /** Of the product; empty: of one that did not say it yet. */
  @Column({ type: 'varchar', length: 50, default: '' })
  version: string;

  /** Name of its machine or container; empty: as above. */
  @Column({ type: 'varchar', length: 255, default: '' })
  host: string;

  /** The encryption keys it can open with. */
  @Column({ name: 'key_ids', type: 'text', array: true })
  keyIds: string[];

  /** The one it seals with. */
  @Column({ name: 'active_key_id', type: 'varchar', length: 32 })
  activeKeyId: string;
}
