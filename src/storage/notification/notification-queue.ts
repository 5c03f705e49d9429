import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ChannelKind } from '../../contract/alert-channel.contract.js';
import type { Notice } from '../../contract/alert-notice.js';
import { noteDelivered, noteFailed } from '../alert-channel/channel-outcome.js';

/** A message that this process is to hand over, until the lease ends. */
export interface LeasedMessage {
  /** Its place in the queue. */
  sequence: string;
  id: string;
  channelId: string;
  channelName: string;
  channelKind: ChannelKind;
  notice: Notice;
  /** This one included. */
  attempts: number;
  giveUpAt: Date;
  /** Tells this lease from any later one: they end at other times. */
  leasedUntil: Date;
}

/** Messages that nobody will take any more. */
export interface GivenUp {
  channelName: string;
  channelKind: ChannelKind;
  reason: string;
  count: number;
}

/** What was written of an attempt. */
export interface Written {
  /** False: the lease was lost, and the message is another process's. */
  isOurs: boolean;
  /** Whether the channel changed between being reached and not being reached. */
  isNews: boolean;
}

/** Longer than an attempt takes with everything around it; clocks of two hosts may differ by the rest. */
const LEASE_MILLISECONDS = 30_000;

/** Of each channel and key the oldest one that waits: the others come after it. */
const HEADS = `SELECT DISTINCT ON (channel_id, order_key) sequence, channel_id, attempts, next_attempt_at
  FROM alert_notifications WHERE state = 'queued' ORDER BY channel_id, order_key, sequence`;
/** What was never tried is due, whatever the clocks of the hosts say. */
const IS_DUE = '(attempts = 0 OR next_attempt_at <= $1)';
const isBusy = (channelId: string): string => `EXISTS (SELECT FROM alert_notifications AS other
  WHERE other.channel_id = ${channelId} AND other.state = 'queued' AND other.leased_until > $1)`;

/** Locked first: the statement that follows sees what others that had the lock have leased. */
const LOCK_CHANNELS = `SELECT channel.id FROM alert_channels AS channel
  JOIN (SELECT channel_id, min(next_attempt_at) AS since FROM (${HEADS}) AS head WHERE ${IS_DUE} GROUP BY channel_id) AS due
    ON due.channel_id = channel.id
  WHERE channel.is_enabled AND NOT ${isBusy('channel.id')}
  ORDER BY due.since, channel.id LIMIT $2 FOR NO KEY UPDATE OF channel SKIP LOCKED`;
/** Of what is due the oldest goes first, whichever key it has. */
const LEASE = `UPDATE alert_notifications AS message SET leased_until = $2, attempts = message.attempts + 1
  FROM (SELECT DISTINCT ON (channel_id) sequence FROM (${HEADS}) AS head
    WHERE channel_id = ANY ($3::uuid[]) AND ${IS_DUE} ORDER BY channel_id, sequence) AS next
  WHERE message.sequence = next.sequence AND NOT ${isBusy('message.channel_id')}
  RETURNING message.sequence, message.id, message.channel_id AS "channelId", message.channel_name AS "channelName",
    message.channel_kind AS "channelKind", message.notice, message.attempts, message.give_up_at AS "giveUpAt",
    message.leased_until AS "leasedUntil"`;

const LOCK_CHANNEL = 'SELECT FROM alert_channels WHERE id = $1 FOR NO KEY UPDATE';
const STILL_OURS = `sequence = $1 AND leased_until = $2 AND state = 'queued'`;
const DELIVERED = `UPDATE alert_notifications
  SET state = 'delivered', settled_at = $3, leased_until = NULL, last_error = NULL WHERE ${STILL_OURS}`;
const FAILED = `UPDATE alert_notifications SET last_error = $4, leased_until = NULL,
    next_attempt_at = coalesce($5::timestamptz, next_attempt_at),
    state = CASE WHEN $5::timestamptz IS NULL THEN 'given_up' ELSE state END,
    settled_at = CASE WHEN $5::timestamptz IS NULL THEN $3::timestamptz END
  WHERE ${STILL_OURS}`;
/** The attempt was not brought to its end: it does not count. */
const RELEASE = `UPDATE alert_notifications SET leased_until = NULL, attempts = attempts - 1 WHERE ${STILL_OURS}`;

const GIVE_UP_ORPHANS = `WITH orphan AS (
    UPDATE alert_notifications AS message SET state = 'given_up', settled_at = $1, leased_until = NULL,
      last_error = CASE WHEN EXISTS (SELECT FROM alert_channels WHERE id = message.channel_id)
        THEN 'The channel was switched off.' ELSE 'The channel was deleted.' END
    WHERE state = 'queued' AND (leased_until IS NULL OR leased_until <= $1)
      AND NOT EXISTS (SELECT FROM alert_channels WHERE id = message.channel_id AND is_enabled)
    RETURNING channel_name, channel_kind, last_error)
  SELECT channel_name AS "channelName", channel_kind AS "channelKind", last_error AS reason, count(*)::int AS count
  FROM orphan GROUP BY channel_name, channel_kind, last_error ORDER BY channel_name`;
const COUNT_QUEUED = `SELECT channel_kind AS kind, count(*)::int AS count FROM alert_notifications
  WHERE state = 'queued' GROUP BY channel_kind`;

/** Deleted within the time of a statement, many times over. */
const PORTION_ROWS = 1000;
const DELETE_OLD = `DELETE FROM alert_notifications WHERE sequence IN (SELECT sequence FROM alert_notifications
  WHERE created_at < $1 AND settled_at < $1 ORDER BY created_at LIMIT ${PORTION_ROWS} FOR UPDATE SKIP LOCKED)`;

/**
 * Messages on their way, in PostgreSQL, for any number of processes: each channel is served one message at a time, and the
 * messages of a key in their order. Times are of the caller's clock.
 */
@Injectable()
export class NotificationQueue {
  constructor(private readonly dataSource: DataSource) {}

  /** At most one message each of so many channels. */
  lease(channels: number, now: Date): Promise<LeasedMessage[]> {
    return this.dataSource.transaction(async (manager) => {
      const found = await manager.query<{ id: string }[]>(LOCK_CHANNELS, [now, channels]);
      if (found.length === 0) return [];
      const until = new Date(now.getTime() + LEASE_MILLISECONDS);
      const values = [now, until, found.map(({ id }) => id)];
      const [messages] = await manager.query<[LeasedMessage[], number]>(LEASE, values);
      return messages;
    });
  }

  delivered(message: LeasedMessage, now: Date): Promise<Written> {
    const values = [message.sequence, message.leasedUntil, now];
    return this.write(message, DELIVERED, values, (manager) => noteDelivered(manager, message.channelId, now));
  }

  /** `next`: when it is tried again; null: never. */
  failed(message: LeasedMessage, reason: string, next: Date | null, now: Date): Promise<Written> {
    const values = [message.sequence, message.leasedUntil, now, reason, next];
    return this.write(message, FAILED, values, (manager) => noteFailed(manager, message.channelId, now, reason));
  }

  /** Whoever comes next may have it at once. */
  async release({ sequence, leasedUntil }: LeasedMessage): Promise<void> {
    await this.dataSource.query(RELEASE, [sequence, leasedUntil]);
  }

  /** What waits for a channel that is deleted or switched off. */
  giveUpOrphans(now: Date): Promise<GivenUp[]> {
    return this.dataSource.query<GivenUp[]>(GIVE_UP_ORPHANS, [now]);
  }

  /** How many wait, by the kind of their channel. */
  countQueued(): Promise<{ kind: ChannelKind; count: number }[]> {
    return this.dataSource.query(COUNT_QUEUED);
  }

  /** A portion of what was settled before; answers whether there may be more. */
  async deleteSettledBefore(time: Date): Promise<boolean> {
    const [, deleted] = await this.dataSource.query<[unknown, number]>(DELETE_OLD, [time]);
    return deleted === PORTION_ROWS;
  }

  /** The channel's row is locked before the message's, as by everybody else. */
  private write(
    message: LeasedMessage,
    statement: string,
    values: unknown[],
    note: (manager: EntityManager) => Promise<boolean>,
  ): Promise<Written> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query(LOCK_CHANNEL, [message.channelId]);
      const [, written] = await manager.query<[unknown, number]>(statement, values);
      return written === 1 ? { isOurs: true, isNews: await note(manager) } : { isOurs: false, isNews: false };
    });
  }
}
