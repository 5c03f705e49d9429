import type { EntityManager } from 'typeorm';

/** What is noted of a channel is no change of it: version and time of change stay. */
const NOTE_DELIVERED = `UPDATE alert_channels AS channel SET last_delivered_at = $2, last_error = NULL
  FROM (SELECT id, last_error FROM alert_channels WHERE id = $1 FOR NO KEY UPDATE) AS before
  WHERE channel.id = before.id RETURNING before.last_error IS NOT NULL AS is_new`;
const NOTE_FAILED = `UPDATE alert_channels AS channel SET last_failed_at = $2, last_error = $3
  FROM (SELECT id, last_error FROM alert_channels WHERE id = $1 FOR NO KEY UPDATE) AS before
  WHERE channel.id = before.id RETURNING before.last_error IS NULL AS is_new`;

type Database = Pick<EntityManager, 'query'>;

const note = async (database: Database, statement: string, values: unknown[]): Promise<boolean> => {
  const [rows] = await database.query<[{ is_new: boolean }[], number]>(statement, values);
  return rows[0]?.is_new ?? false;
};

/** Answers whether the channel could not be reached before: exactly one of several processes is told so. */
export const noteDelivered = (database: Database, channelId: string, at: Date): Promise<boolean> =>
  note(database, NOTE_DELIVERED, [channelId, at]);

/** Answers whether the channel could be reached before. `reason` is for people, without secrets. */
export const noteFailed = (database: Database, channelId: string, at: Date, reason: string): Promise<boolean> =>
  note(database, NOTE_FAILED, [channelId, at, reason.slice(0, 500)]);
