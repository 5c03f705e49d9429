import { ALERT_KIND_TRAITS, type AlertUnit, type Language } from '../../../contract/alert-kinds.js';
import {
  MAX_NOTICE_ALERTS,
  type AlertNotice,
  type BudgetNotice,
  type Notice,
  type NoticeAlert,
  type TestNotice,
} from '../../../contract/alert-notice.js';
import { TEXTS } from './all-texts.js';
import { durationText, figureText, lastingText, timeText } from './figures.js';
import type { Message, MessageLine } from './message.js';
import type { Texts } from './texts.js';

/** What the parts of a message are made of. */
interface Words {
  language: Language;
  texts: Texts;
}

type MessageParts = Pick<Message, 'title' | 'lines'> & { path: string; subjects?: string[]; more?: number };

/**
 * Says a notice in a language. `publicUrl` is the hub's address without a slash at its end; null: the message has no link. Times are
 * UTC, and those of the notice: a message says the same whenever it is delivered.
 */
export const messageOf = (notice: Notice, language: Language, publicUrl: string | null): Message => {
  const words = { language, texts: TEXTS[language] };
  const { title, lines, path, subjects = [], more = 0 } = partsOf(notice, words);
  const link = publicUrl === null ? null : { text: words.texts.link, url: `${publicUrl}${path}` };
  const naming = (count: number): Message => {
    const left = more + Math.max(0, subjects.length - count);
    return {
      event: notice.event,
      severity: notice.event === 'test' ? 'info' : severityOf(notice),
      language,
      title: oneLine(title),
      lines: lines.map(({ label, value }) => ({ label, value: oneLine(value) })),
      subjects: subjects.slice(0, count).map(oneLine),
      more: left === 0 ? null : words.texts.more(left),
      link,
      naming,
    };
  };
  return naming(MAX_NOTICE_ALERTS);
};

/** Names and descriptions are other people's: a line break in one would begin another line, or another header of a mail. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ');

const severityOf = (notice: AlertNotice | BudgetNotice): Message['severity'] =>
  notice.event === 'budget' ? notice.severity : notice.rule.severity;

const partsOf = (notice: Notice, words: Words): MessageParts => {
  if (notice.event === 'test') return testParts(notice, words);
  if (notice.event === 'budget') return budgetParts(notice, words);
  return alertParts(notice, words);
};

const testParts = ({ at }: TestNotice, { texts }: Words): MessageParts => ({
  title: texts.tag.info + texts.test.title,
  lines: [
    { label: texts.test.label, value: texts.test.result },
    { label: texts.labels.time, value: timeText(new Date(at)) },
  ],
  path: '/console/alerts',
});

const budgetParts = ({ budget, severity }: BudgetNotice, { language, texts }: Words): MessageParts => {
  const { labels } = texts;
  // Rounded down: 99.96 percent are not used up.
  const percent = figureText(Math.floor((budget.spent_usd / budget.limit_usd) * 1000) / 10, 'percent', language);
  const [spent, limit] = [budget.spent_usd, budget.limit_usd].map((value) => figureText(value, 'usd', language));
  const [from, to] = [budget.from, budget.to].map((time) => timeText(new Date(time)));
  const threshold = figureText(budget.threshold, 'percent', language);
  const effect = budget.refuses ? texts.budget.refuses(to ?? '') : texts.budget.notifies;
  return {
    title: texts.tag[severity] + texts.budget.title(budget.name, percent, budget.refuses),
    lines: [
      { label: labels.scope, value: texts.subject('scope', budget.scope) },
      { label: labels.period, value: texts.budget.period(budget.period, from ?? '', to ?? '') },
      { label: labels.spent, value: texts.budget.spent(spent ?? '', limit ?? '', percent, threshold) },
      { label: labels.effect, value: effect },
    ],
    path: '/console/alerts',
  };
};

const alertParts = (notice: AlertNotice, words: Words): MessageParts => {
  const [only, ...others] = notice.alerts;
  const isSingle = only !== undefined && others.length === 0 && notice.more === 0;
  const lines = isSingle ? singleLines(notice, only, words) : sharedLines(notice, words);
  return {
    title: titleOf(notice, isSingle ? only : null, words),
    lines: [...lines, ...ruleLines(notice, words)],
    path: isSingle
      ? `/console/alerts/${encodeURIComponent(only.id)}`
      : `/console/alerts?rule=${encodeURIComponent(notice.rule.name)}`,
    subjects: isSingle ? [] : notice.alerts.map((alert) => subjectText(notice, alert, words)),
    more: notice.more,
  };
};

const titleOf = (notice: AlertNotice, only: NoticeAlert | null, { language, texts }: Words): string => {
  const { event, rule, alerts, more } = notice;
  const { subject } = ALERT_KIND_TRAITS[rule.kind];
  const about = only ? texts.subject(subject, only.subject) : texts.several(subject, alerts.length + more);
  const figures =
    only === null || event === 'resolved'
      ? null
      : texts.figures(amountText(only.value, rule.unit, language), amountText(rule.threshold, rule.unit, language));
  const wrong = texts.wrong(about, texts.kinds[rule.kind].wrong, figures);
  if (event === 'firing') return texts.tag[rule.severity] + wrong;
  if (event === 'reminder') return texts.tag[rule.severity] + texts.still(wrong);
  const reasons = new Set(alerts.map(({ reason }) => reason ?? 'recovered'));
  const [reason = 'recovered'] = reasons;
  return (
    texts.tag.resolved +
    (reasons.size === 1 && reason !== 'recovered' ? texts.over(wrong, texts.reasons[reason]) : wrong)
  );
};

const singleLines = (notice: AlertNotice, alert: NoticeAlert, { language, texts }: Words): MessageLine[] => {
  const { labels } = texts;
  const { rule } = notice;
  const subject = texts.subject(ALERT_KIND_TRAITS[rule.kind].subject, alert.subject);
  const { figure } = texts.kinds[rule.kind];
  const measured = measuredText(notice, alert, amountText(rule.threshold, rule.unit, language), { language, texts });
  return [
    ...(subject === '' ? [] : [{ label: labels.subject, value: subject }]),
    ...(measured === null
      ? []
      : [{ label: alert.value === null ? labels.threshold : (figure ?? labels.threshold), value: measured }]),
    ...timeLines(notice, alert, { language, texts }),
  ];
};

const timeLines = (notice: AlertNotice, alert: NoticeAlert, { language, texts }: Words): MessageLine[] => {
  const { labels } = texts;
  const since = new Date(alert.since);
  const until = endOf(notice, alert);
  const lasted = lastingText(since, until, language);
  if (notice.event !== 'resolved') return [{ label: labels.since, value: texts.since(timeText(since), lasted) }];
  return [
    { label: labels.since, value: timeText(since) },
    { label: labels.resolved, value: texts.ended(timeText(until), lasted) },
    { label: labels.reason, value: texts.reasons[alert.reason ?? 'recovered'] },
  ];
};

const sharedLines = ({ rule }: AlertNotice, { language, texts }: Words): MessageLine[] => {
  const threshold = amountText(rule.threshold, rule.unit, language);
  if (threshold === null) return [];
  return [
    { label: texts.labels.threshold, value: texts.measured(threshold, windowText(rule, { language, texts }), null) },
  ];
};

const ruleLines = ({ event, rule }: AlertNotice, { texts }: Words): MessageLine[] => [
  ...(event === 'resolved' ? [] : [{ label: texts.labels.advice, value: texts.kinds[rule.kind].advice }]),
  { label: texts.labels.rule, value: rule.name },
  ...(rule.description === null ? [] : [{ label: texts.labels.description, value: rule.description }]),
];

/** One of several alerts, in a line. */
const subjectText = (notice: AlertNotice, alert: NoticeAlert, { language, texts }: Words): string => {
  const since = new Date(alert.since);
  const lasted = lastingText(since, endOf(notice, alert), language);
  if (notice.event === 'resolved')
    return texts.oneOver(alert.subject, lasted, texts.reasons[alert.reason ?? 'recovered']);
  const value = amountText(alert.value, notice.rule.unit, language);
  const calls = callsText(notice.rule.unit, alert, texts);
  return texts.one(alert.subject, value === null ? null : texts.measured(value, null, calls), timeText(since), lasted);
};

/** The figure, its threshold, and the calls it is made of; null: the kind has none. */
const measuredText = (
  { rule }: AlertNotice,
  alert: NoticeAlert,
  threshold: string | null,
  { language, texts }: Words,
): string | null => {
  const value = amountText(alert.value, rule.unit, language);
  const figures = value === null ? threshold : texts.figures(value, threshold);
  if (figures === null) return null;
  return texts.measured(figures, windowText(rule, { language, texts }), callsText(rule.unit, alert, texts));
};

const windowText = (rule: AlertNotice['rule'], { language, texts }: Words): string | null =>
  rule.window_minutes === null ? null : texts.lastMinutes(durationText(rule.window_minutes * 60, language));

/** Where the figure itself is a number of calls, nothing is said of them twice. */
const callsText = (unit: AlertUnit | null, { calls }: NoticeAlert, texts: Texts): string | null =>
  calls === null || unit === 'calls' ? null : texts.calls(calls);

const amountText = (value: number | null, unit: AlertUnit | null, language: Language): string | null =>
  value === null || unit === null ? null : figureText(value, unit, language);

const endOf = ({ at }: AlertNotice, { resolved_at }: NoticeAlert): Date => new Date(resolved_at ?? at);
