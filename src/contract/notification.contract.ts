import type { Notice } from './alert-notice.js';
import { CHANNEL_KINDS, type ChannelKind } from './alert-channel.contract.js';
import { ALERT_NAME_FORM, ALERT_NAME_PATTERN } from './alert-rule.contract.js';
import { AnswerField, ChoiceField, TextField } from './fields.js';
import { Page } from './list-query.js';

/** On its way, taken by the receiver, or not to be tried any more. */
export const NOTIFICATION_STATES = ['queued', 'delivered', 'given_up'] as const;
export type NotificationState = (typeof NOTIFICATION_STATES)[number];

export class NotificationQuery extends Page {
  @ChoiceField(NOTIFICATION_STATES, { name: 'NotificationState' })
  state?: NotificationState;

  @TextField({ max: 64, pattern: ALERT_NAME_PATTERN, form: ALERT_NAME_FORM, description: 'Name of the channel' })
  channel?: string;
}

/** A message on its way to one channel, and what became of it. */
export class NotificationView {
  @AnswerField({ type: 'string', format: 'uuid', description: 'The same in every attempt, and sent along' }) id: string;
  @AnswerField({ enum: [...NOTIFICATION_STATES], enumName: 'NotificationState' }) state: NotificationState;
  @AnswerField({ type: 'string', format: 'uuid' }) channel_id: string;
  @AnswerField({ type: 'string', description: 'As it was named when the message was written' }) channel_name: string;
  @AnswerField({ enum: [...CHANNEL_KINDS], enumName: 'ChannelKind' }) channel_kind: ChannelKind;
  @AnswerField({ type: 'object', additionalProperties: true, description: 'What it says, in no language' })
  notice: Notice;
  @AnswerField({ type: 'integer' }) attempts: number;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true, description: 'null: it is settled' })
  next_attempt_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', description: 'What was not delivered by then is given up' })
  give_up_at: string;
  @AnswerField({ type: 'string', nullable: true, description: 'Why the newest attempt failed' })
  last_error: string | null;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) settled_at: string | null;
}

/** A page of messages, newest first. */
export class NotificationList {
  @AnswerField({ type: [NotificationView] }) notifications: NotificationView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}
