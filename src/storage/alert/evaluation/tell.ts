import type { EntityManager } from 'typeorm';
import { enqueue } from '../../notification/outbox.js';
import type { Silence } from '../silences.js';
import { type LiveAlert, told } from './advance.js';
import { noticeOf, type NoticeRule, type TellableAlert } from './alert-notices.js';
import { type Change, tellings } from './judge.js';
import type { WatchedRule } from './watched-rule.js';

/** A rule as far as its messages need it, and what the minute made of its alerts. */
export interface Judged {
  rule: NoticeRule & Pick<WatchedRule, 'reminderMinutes'>;
  /** Names; empty: every channel. null: nobody is told. */
  channels: readonly string[] | null;
  changes: Change[];
}

const READ_SILENCES = `SELECT rule_name AS "ruleName", subject, starts_at AS "startsAt", ends_at AS "endsAt" FROM alert_silences
  WHERE starts_at <= $1 AND ends_at > $1`;
/** Of a rule that was deleted nobody knows the channels, but who was told is known. */
const READ_TOLD = 'SELECT DISTINCT channel_name AS name FROM alert_notifications WHERE order_key = $1';

const orderKeyOf = (ruleId: string): string => `rule:${ruleId}`;

export const readSilences = (manager: EntityManager, at: Date): Promise<Silence[]> =>
  manager.query(READ_SILENCES, [at]);

/** The channels that were told of a rule; null: none was. */
export const channelsTold = async (manager: EntityManager, ruleId: string): Promise<string[] | null> => {
  const rows = await manager.query<{ name: string }[]>(READ_TOLD, [orderKeyOf(ruleId)]);
  return rows.length === 0 ? null : rows.map(({ name }) => name);
};

/** While it is bad the newest figure is in the alert; of one that is over the figure of now is told. */
const toTellable = (alert: LiveAlert, { figure }: Change): TellableAlert => {
  const { value, calls } = alert.state === 'resolved' ? (figure ?? { value: null, calls: null }) : alert;
  return { ...alert, told: { value, calls } };
};

/** Puts the messages of a rule on their way, and notes in its changes who was told: nobody, if no channel wants it. */
export const tell = async (
  manager: EntityManager,
  { rule, channels, changes }: Judged,
  silences: readonly Silence[],
  minute: Date,
): Promise<void> => {
  if (channels === null) return;
  for (const [event, happened] of tellings(rule, changes, silences, minute)) {
    const alerts = happened.flatMap((change) => (change.after ? [toTellable(change.after, change)] : []));
    const notice = noticeOf(event, rule, alerts, minute);
    const messages = await enqueue(manager, {
      notice,
      severity: rule.severity,
      channels,
      orderKey: orderKeyOf(rule.id),
    });
    if (messages === 0) continue;
    for (const change of happened) change.after = change.after && told(change.after, minute);
  }
};
