import type { AlertKind, AlertScope, AlertUnit, Language, Severity } from './alert-kinds.js';

/** Why an alert ended: its figure is good again, there is too little to tell, or its rule was switched off, changed or deleted. */
export const RESOLVED_REASONS = ['recovered', 'no_data', 'rule_off'] as const;
export type ResolvedReason = (typeof RESOLVED_REASONS)[number];

/** More subjects than this are counted in `more`, not named. */
export const MAX_NOTICE_ALERTS = 50;

/** One alert, as a message tells of it. */
export interface NoticeAlert {
  id: string;
  /** Alias, scope, instance or `hub`, see AlertSubject. */
  subject: string;
  /** null: the kind has no figure, or there is none any more. */
  value: number | null;
  /** Calls the figure is made of; null: of none. */
  calls: number | null;
  /** Since when it is so. RFC 3339. */
  since: string;
  resolved_at: string | null;
  reason: ResolvedReason | null;
}

/** Alerts of one rule that began to fire, go on firing or are over, told in one message. */
export interface AlertNotice {
  event: 'firing' | 'reminder' | 'resolved';
  /** When it came to this, RFC 3339; not when it is delivered. */
  at: string;
  rule: {
    id: string;
    name: string;
    description: string | null;
    kind: AlertKind;
    severity: Severity;
    scope: AlertScope;
    scope_value: string | null;
    unit: AlertUnit | null;
    threshold: number | null;
    window_minutes: number | null;
  };
  language: Language | null;
  /** At most MAX_NOTICE_ALERTS, by subject. */
  alerts: NoticeAlert[];
  more: number;
}

/** A budget that is used up to one of its thresholds. */
export interface BudgetNotice {
  event: 'budget';
  at: string;
  budget: {
    id: string;
    name: string;
    /** `all`, or what the money is spent for, such as `alias:fast`. */
    scope: string;
    period: 'day' | 'month';
    /** The period's beginning and end, RFC 3339. */
    from: string;
    to: string;
    limit_usd: number;
    spent_usd: number;
    /** Percent of the limit that was reached. */
    threshold: number;
    /** Whether calls are refused from now on. */
    refuses: boolean;
  };
  severity: Severity;
  language: Language | null;
}

/** Somebody wants to see whether a channel works. */
export interface TestNotice {
  event: 'test';
  at: string;
  severity: 'info';
  language: Language | null;
}

/** What a message says, in no language yet. */
export type Notice = AlertNotice | BudgetNotice | TestNotice;

/** A notice on its way to one channel: the id is the same in every attempt, so that a receiver can tell repetitions. */
export interface Delivery {
  id: string;
  notice: Notice;
}
