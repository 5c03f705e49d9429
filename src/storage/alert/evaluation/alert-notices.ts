import { type AlertNotice, MAX_NOTICE_ALERTS, type NoticeAlert } from '../../../contract/alert-notice.js';
import type { LiveAlert } from './advance.js';
import type { WatchedRule } from './watched-rule.js';

/** An alert as it is after this minute, and the figure that is told of it. */
export interface TellableAlert extends LiveAlert {
  told: { value: number | null; calls: number | null };
}

/** What a notice says of a rule. */
export type NoticeRule = Pick<
  WatchedRule,
  | 'id'
  | 'name'
  | 'description'
  | 'kind'
  | 'severity'
  | 'scope'
  | 'scopeValue'
  | 'threshold'
  | 'windowMinutes'
  | 'language'
> & { unit: AlertNotice['rule']['unit'] };

const toNoticeAlert = (alert: TellableAlert): NoticeAlert => ({
  id: alert.id,
  subject: alert.subject,
  value: alert.told.value,
  calls: alert.told.calls,
  since: alert.since.toISOString(),
  resolved_at: alert.resolvedAt?.toISOString() ?? null,
  reason: alert.resolvedReason,
});

/** One message of all alerts of a rule to which the same happened in a minute. */
export const noticeOf = (
  event: AlertNotice['event'],
  rule: NoticeRule,
  alerts: readonly TellableAlert[],
  minute: Date,
): AlertNotice => {
  const bySubject = [...alerts].sort((a, b) => (a.subject < b.subject ? -1 : 1));
  return {
    event,
    at: minute.toISOString(),
    rule: {
      id: rule.id,
      name: rule.name,
      description: rule.description,
      kind: rule.kind,
      severity: rule.severity,
      scope: rule.scope,
      scope_value: rule.scopeValue,
      unit: rule.unit,
      threshold: rule.threshold,
      window_minutes: rule.windowMinutes,
    },
    language: rule.language,
    alerts: bySubject.slice(0, MAX_NOTICE_ALERTS).map(toNoticeAlert),
    more: Math.max(0, bySubject.length - MAX_NOTICE_ALERTS),
  };
};
