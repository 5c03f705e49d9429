import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { SEVERITIES, type Severity } from '../../contract/alert-kinds.js';
import type { Notice } from '../../contract/alert-notice.js';

/** A notice, and where it goes. */
export interface Outgoing {
  notice: Notice;
  severity: Severity;
  /** Names; empty: every channel. */
  channels: readonly string[];
  /** Messages with the same key reach a channel in their order, such as `rule:<id>`. */
  orderKey: string;
}

/** Storage processes that deliver hear of new messages at the commit. */
export const NOTIFICATION_CHANNEL = 'hub_notification';

const FIND_CHANNELS = `SELECT id, name, kind FROM alert_channels
  WHERE is_enabled AND min_severity = ANY ($1::text[]) AND (cardinality($2::text[]) = 0 OR name = ANY ($2::text[]))
  ORDER BY name`;
const QUEUE = `INSERT INTO alert_notifications (id, channel_id, channel_name, channel_kind, order_key, notice, give_up_at)
  VALUES ($1, $2, $3, $4, $5, $6, now() + interval '24 hours')`;
const TELL = `SELECT pg_notify('${NOTIFICATION_CHANNEL}', '')`;

/** The channel was mended, or so somebody believes. */
const RETRY_NOW = `UPDATE alert_notifications SET next_attempt_at = least(next_attempt_at, now())
  WHERE channel_id = $1 AND state = 'queued'`;

const upTo = (severity: Severity): Severity[] => SEVERITIES.slice(0, SEVERITIES.indexOf(severity) + 1);

/**
 * Puts a message for every channel that wants it on its way, in the transaction of whatever it tells of. Answers how many there are; 0:
 * nobody is told.
 */
export const enqueue = async (manager: EntityManager, outgoing: Outgoing): Promise<number> => {
  const { notice, severity, channels, orderKey } = outgoing;
  const found = await manager.query<{ id: string; name: string; kind: string }[]>(FIND_CHANNELS, [
    upTo(severity),
    channels,
  ]);
  for (const { id, name, kind } of found)
    await manager.query(QUEUE, [randomUUID(), id, name, kind, orderKey, JSON.stringify(notice)]);
  if (found.length > 0) await manager.query(TELL);
  return found.length;
};

/** What waits for a channel is due, in the transaction of whatever changed it. */
export const retryQueuedNow = async (manager: EntityManager, channelId: string): Promise<void> => {
  await manager.query(RETRY_NOW, [channelId]);
  await manager.query(TELL);
};
