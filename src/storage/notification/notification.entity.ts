import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { ChannelKind } from '../../contract/alert-channel.contract.js';
import type { Notice } from '../../contract/alert-notice.js';
import type { NotificationState } from '../../contract/notification.contract.js';

/** A message on its way to one channel, and what became of it. */
@Entity('alert_notifications')
@Unique('uq_alert_notifications_id', ['id'])
@Index('ix_alert_notifications_queue', ['channelId', 'orderKey', 'sequence'], { where: "state = 'queued'" })
@Index('ix_alert_notifications_created_at', ['createdAt'])
export class NotificationEntity {
  /** The order in which they were written; as text, as the driver gives it. */
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'pk_alert_notifications',
  })
  sequence: string;

  /** The same in every attempt. */
  @Column({ type: 'uuid' })
  id: string;

  @Column({ name: 'channel_id', type: 'uuid' })
  channelId: string;

  @Column({ name: 'channel_name', type: 'varchar', length: 64 })
  channelName: string;

  @Column({ name: 'channel_kind', type: 'varchar', length: 20 })
  channelKind: ChannelKind;

  /** Messages with the same key reach a channel in their order, one after the other. */
  @Column({ name: 'order_key', type: 'varchar', length: 80 })
  orderKey: string;

  @Column({ type: 'jsonb' })
  notice: Notice;

  @Column({ type: 'varchar', length: 10, default: 'queued' })
  state: NotificationState;

  @Column({ type: 'integer', default: 0 })
  attempts: number;

  @Column({ name: 'next_attempt_at', type: 'timestamptz', default: () => 'now()' })
  nextAttemptAt: Date;

  /** Until when it is tried. */
  @Column({ name: 'give_up_at', type: 'timestamptz' })
  giveUpAt: Date;

  /** A process is at it; null: nobody. Whoever writes the result has to find the time that it wrote itself. */
  @Column({ name: 'leased_until', type: 'timestamptz', nullable: true })
  leasedUntil: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** When it was delivered or given up. */
  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt: Date | null;

  @Column({ name: 'last_error', type: 'varchar', length: 500, nullable: true })
  lastError: string | null;
}
