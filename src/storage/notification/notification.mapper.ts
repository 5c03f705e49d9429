import type { NotificationView } from '../../contract/notification.contract.js';
import type { NotificationEntity } from './notification.entity.js';

/** Lists what leaves the house. */
export const toNotificationView = (row: NotificationEntity): NotificationView => ({
  id: row.id,
  state: row.state,
  channel_id: row.channelId,
  channel_name: row.channelName,
  channel_kind: row.channelKind,
  notice: row.notice,
  attempts: row.attempts,
  next_attempt_at: row.state === 'queued' ? row.nextAttemptAt.toISOString() : null,
  give_up_at: row.giveUpAt.toISOString(),
  last_error: row.lastError,
  created_at: row.createdAt.toISOString(),
  settled_at: row.settledAt?.toISOString() ?? null,
});
