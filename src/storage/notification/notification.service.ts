import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NotificationList, NotificationQuery, NotificationView } from '../../contract/notification.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { NotificationEntity } from './notification.entity.js';
import { toNotificationView } from './notification.mapper.js';
import { NOTIFICATION_CHANNEL } from './outbox.js';

const DEFAULT_LIMIT = 100;

/** As new, but under its old id: the receiver can tell that it has it, should it have it. */
const QUEUE_AGAIN = `UPDATE alert_notifications SET state = 'queued', attempts = 0, next_attempt_at = now(),
    give_up_at = now() + interval '24 hours', settled_at = NULL
  WHERE id = $1 AND state = 'given_up' AND EXISTS (SELECT FROM alert_channels WHERE id = channel_id AND is_enabled)`;
const TELL = `SELECT pg_notify('${NOTIFICATION_CHANNEL}', '')`;

/** Messages on their way, and what became of them. */
@Injectable()
export class NotificationService {
  private readonly logger = new Logger('AlertDelivery');

  constructor(private readonly dataSource: DataSource) {}

  async list({ state, channel, skip = 0, limit = DEFAULT_LIMIT }: NotificationQuery): Promise<NotificationList> {
    const where = { ...(state && { state }), ...(channel && { channelName: channel }) };
    const order = { createdAt: 'DESC', sequence: 'DESC' } as const;
    const found = this.dataSource.manager.findAndCount(NotificationEntity, { where, order, skip, take: limit });
    const [rows, total] = await found;
    return { notifications: rows.map(toNotificationView), total, skip, limit };
  }

  /** Puts a message that was given up on its way once more. */
  async retry(id: string, author: Author): Promise<NotificationView> {
    return this.dataSource.transaction(async (manager) => {
      const [, queued] = await manager.query<[unknown, number]>(QUEUE_AGAIN, [id]);
      const row = await manager.findOneBy(NotificationEntity, { id });
      if (!row) throw new AppError('notification_not_found');
      if (queued === 0) throw notToRetry(row);
      await manager.query(TELL);
      this.logger.log({
        msg: 'A message that was given up is tried again',
        notification_id: id,
        actor: author.tokenId,
      });
      return toNotificationView(row);
    });
  }
}

const notToRetry = ({ state, channelName }: NotificationEntity): AppError =>
  new AppError('conflict', {
    detail:
      state === 'given_up'
        ? `The channel ${channelName} is switched off or gone: switch it on first, or have the others tell.`
        : `Only a message that was given up can be retried; this one is ${state}.`,
  });
