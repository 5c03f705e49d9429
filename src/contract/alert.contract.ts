import { applyDecorators } from '@nestjs/common';
import { ALERT_KINDS, ALERT_STATES, ALERT_UNITS, SEVERITIES } from './alert-kinds.js';
import type { AlertKind, AlertState, AlertUnit, Severity } from './alert-kinds.js';
import { RESOLVED_REASONS, type ResolvedReason } from './alert-notice.js';
import { ALERT_NAME_FORM, ALERT_NAME_PATTERN } from './alert-rule.contract.js';
import { AnswerField, ChoiceField, satisfies, TextField } from './fields.js';
import { Page } from './list-query.js';
import { isTime, TimeFilter } from './history.contract.js';

/** Silences that have not ended: whoever evaluates reads them every minute. */
export const MAX_OPEN_SILENCES = 500;
export const MAX_SILENCE_DAYS = 366;

const MAX_SUBJECT = 300;

/** Query of `GET /api/v1/alerts`; all filters can be combined. */
export class AlertQuery extends Page {
  @ChoiceField(ALERT_STATES, { name: 'AlertState' })
  state?: AlertState;

  @TextField({ max: 64, description: 'Name of the rule' })
  rule?: string;

  @ChoiceField(ALERT_KINDS, { name: 'AlertKind' })
  kind?: AlertKind;

  @ChoiceField(SEVERITIES, { name: 'AlertSeverity' })
  severity?: Severity;

  @TextField({ max: MAX_SUBJECT, description: 'The whole subject, such as an alias' })
  subject?: string;

  /** Of the time since when it was so. */
  @TimeFilter()
  from?: string;

  @TimeFilter()
  to?: string;
}

/** Something that is wrong, or was. */
export class AlertView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string', format: 'uuid' }) rule_id: string;
  @AnswerField({ type: 'string', description: 'Name of the rule' }) rule: string;
  @AnswerField({ enum: [...ALERT_KINDS], enumName: 'AlertKind' }) kind: AlertKind;
  @AnswerField({ enum: [...SEVERITIES], enumName: 'AlertSeverity' }) severity: Severity;
  @AnswerField({
    type: 'string',
    description: 'An alias, a scope such as `tag:cheap`, a process of the AI model service, or `hub`',
  })
  subject: string;
  @AnswerField({ enum: [...ALERT_STATES], enumName: 'AlertState' }) state: AlertState;
  @AnswerField({ type: 'number', nullable: true, description: 'The newest figure while it was bad; null: it has none' })
  value: number | null;
  @AnswerField({ type: 'number', nullable: true }) threshold: number | null;
  @AnswerField({ enum: [...ALERT_UNITS], enumName: 'AlertUnit', nullable: true }) unit: AlertUnit | null;
  @AnswerField({ type: 'integer', nullable: true, description: 'Calls that the figure is made of' })
  calls: number | null;
  @AnswerField({ type: 'string', format: 'date-time', description: 'Since when it is so' }) since: string;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) fired_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) resolved_at: string | null;
  @AnswerField({ enum: [...RESOLVED_REASONS], enumName: 'ResolvedReason', nullable: true, description: 'Why it ended' })
  reason: ResolvedReason | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true, description: 'null: nobody was told' })
  notified_at: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true, description: 'Since when nobody is reminded' })
  acknowledged_at: string | null;
  @AnswerField({ type: 'string', nullable: true, description: 'Id of the token that acknowledged it' })
  acknowledged_by: string | null;
  @AnswerField({ type: 'string', nullable: true, description: 'Name of that token, when it is known' })
  acknowledged_by_name: string | null;
  @AnswerField({ type: 'boolean', description: 'It is open, and a silence covers it now' }) is_silenced: boolean;
}

/** A page of alerts: open ones first, then the newest. */
export class AlertList {
  @AnswerField({ type: [AlertView] }) alerts: AlertView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}

const TimeField = (options: { required: boolean; description: string }): PropertyDecorator =>
  applyDecorators(
    AnswerField({ type: 'string', format: 'date-time', example: '2027-01-31T00:00:00Z', ...options }),
    satisfies('time', (value) =>
      (value === undefined && !options.required) || isTime(value)
        ? null
        : 'must be a time such as 2027-01-31T00:00:00Z',
    ),
  );

/** Body of `POST /api/v1/alerts/silences`. */
export class AlertSilenceCreate {
  @TextField({
    max: 64,
    nullable: true,
    pattern: ALERT_NAME_PATTERN,
    form: `the name of a rule: ${ALERT_NAME_FORM}`,
    description: 'Name of the rule; null or absent: every rule',
  })
  rule?: string | null;

  @TextField({
    max: MAX_SUBJECT,
    nullable: true,
    pattern: /^[^*]*\*?$/,
    form: 'a subject, in which * may stand at the end only',
    description: 'A subject such as an alias; `*` at its end stands for anything. null or absent: every subject',
  })
  subject?: string | null;

  @TimeField({ required: false, description: 'Absent: now' })
  starts_at?: string;

  @TimeField({ required: true, description: 'When people are told again; at most a year later' })
  ends_at: string;

  @TextField({ required: true, max: 500, description: 'Why nobody is to be told' })
  comment: string;
}

/** Not begun yet, in force, over. */
export const SILENCE_STATES = ['scheduled', 'active', 'ended'] as const;
export type SilenceState = (typeof SILENCE_STATES)[number];

/** A time in which nobody is told. */
export class AlertSilenceView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string', nullable: true, description: 'Name of the rule; null: every rule' })
  rule: string | null;
  @AnswerField({ type: 'string', nullable: true, description: 'null: every subject' }) subject: string | null;
  @AnswerField({ enum: [...SILENCE_STATES], enumName: 'SilenceState' }) state: SilenceState;
  @AnswerField({ type: 'string', format: 'date-time' }) starts_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) ends_at: string;
  @AnswerField({ type: 'string' }) comment: string;
  @AnswerField({ type: 'string', description: 'Id of the token that asked for it' }) created_by: string;
  @AnswerField({ type: 'string', nullable: true, description: 'Name of that token, when it is known' })
  created_by_name: string | null;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
}

/** Query of `GET /api/v1/alerts/silences`. */
export class AlertSilenceQuery extends Page {
  @ChoiceField(SILENCE_STATES, { name: 'SilenceState' })
  state?: SilenceState;
}

/** A page of silences: the one that ends last comes first, so those that are over stand behind. */
export class AlertSilenceList {
  @AnswerField({ type: [AlertSilenceView] }) silences: AlertSilenceView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}
