import type { AlertNotice, ResolvedReason } from '../../../contract/alert-notice.js';
import type { AlertEntity } from '../alert.entities.js';
import type { WatchedRule } from './watched-rule.js';

const MINUTE = 60_000;

/** What a minute says of a subject; that there is too little to tell is no figure at all. */
export interface Figure {
  /** In the unit of the kind; null: the kind has no figure. */
  value: number | null;
  /** Calls it is made of; null: of none. */
  calls: number | null;
  isBad: boolean;
}

/** An alert that is open, or was until this minute. */
export type LiveAlert = Pick<
  AlertEntity,
  | 'id'
  | 'subject'
  | 'state'
  | 'value'
  | 'calls'
  | 'since'
  | 'lastBadAt'
  | 'firedAt'
  | 'resolvedAt'
  | 'resolvedReason'
  | 'notifiedAt'
  | 'lastNotifiedAt'
  | 'acknowledgedAt'
>;

/** How long something has to be so. */
export type Timing = Pick<WatchedRule, 'forMinutes' | 'keepFiringMinutes'>;

const minutesBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / MINUTE;

/** One that nobody knew of before this minute; who stores it gives it its id. */
const opened = (subject: string, minute: Date): LiveAlert => ({
  id: '',
  subject,
  state: 'pending',
  value: null,
  calls: null,
  since: minute,
  lastBadAt: minute,
  firedAt: null,
  resolvedAt: null,
  resolvedReason: null,
  notifiedAt: null,
  lastNotifiedAt: null,
  acknowledgedAt: null,
});

const worsened = ({ forMinutes }: Timing, alert: LiveAlert, { value, calls }: Figure, minute: Date): LiveAlert => {
  const next = { ...alert, value, calls, lastBadAt: minute };
  const fires = alert.state === 'pending' && minutesBetween(alert.since, minute) >= forMinutes;
  return fires ? { ...next, state: 'firing', firedAt: minute } : next;
};

const resolved = (alert: LiveAlert, resolvedReason: ResolvedReason, minute: Date): LiveAlert => ({
  ...alert,
  state: 'resolved',
  resolvedAt: minute,
  resolvedReason,
});

/**
 * What becomes of a subject in a minute, given as its end: its alert, changed or not; null: there is none, or none any more. Pure, so
 * that a minute that is evaluated again after a crash comes to the same.
 * @param figure null: too little to tell
 */
export const advance = (
  timing: Timing,
  subject: string,
  alert: LiveAlert | null,
  figure: Figure | null,
  minute: Date,
): LiveAlert | null => {
  if (figure?.isBad) return worsened(timing, alert ?? opened(subject, minute), figure, minute);
  if (alert === null || alert.state === 'pending') return null;
  if (minutesBetween(alert.lastBadAt, minute) < timing.keepFiringMinutes) return alert;
  return resolved(alert, figure ? 'recovered' : 'no_data', minute);
};

/** Its rule does not look at it any more. */
export const close = (alert: LiveAlert, minute: Date): LiveAlert | null =>
  alert.state === 'pending' ? null : resolved(alert, 'rule_off', minute);

/** What people are to be told of an alert in this minute; null: nothing. */
export const tellingOf = (
  { reminderMinutes }: Pick<WatchedRule, 'reminderMinutes'>,
  alert: LiveAlert,
  isSilenced: boolean,
  minute: Date,
): AlertNotice['event'] | null => {
  // Over is said whatever the silence: who was told that something is wrong must not go on believing it.
  if (alert.state === 'resolved') return alert.notifiedAt ? 'resolved' : null;
  if (alert.state === 'pending' || isSilenced) return null;
  if (!alert.notifiedAt) return 'firing';
  if (reminderMinutes === 0 || alert.acknowledgedAt) return null;
  return minutesBetween(alert.lastNotifiedAt ?? alert.notifiedAt, minute) >= reminderMinutes ? 'reminder' : null;
};

/** A message about it is on its way. */
export const told = (alert: LiveAlert, minute: Date): LiveAlert => ({
  ...alert,
  notifiedAt: alert.notifiedAt ?? minute,
  lastNotifiedAt: minute,
});
