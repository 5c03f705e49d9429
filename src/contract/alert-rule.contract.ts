import { IntersectionType, PartialType } from '@nestjs/swagger';
import { ALERT_KIND_TRAITS, ALERT_KINDS, ALERT_SCOPES, LANGUAGES, SEVERITIES } from './alert-kinds.js';
import type { AlertKind, AlertScope, Language, Severity } from './alert-kinds.js';
import {
  AnswerField,
  BooleanField,
  ChoiceField,
  fromQueryBoolean,
  IntegerField,
  NumberField,
  TextField,
  TextListField,
} from './fields.js';
import { Page } from './list-query.js';

/** Names of rules, channels and budgets: they stand in documents and addresses. */
export const ALERT_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
export const ALERT_NAME_FORM = '1 to 64 of a-z, 0-9, ".", "_" and "-", beginning and ending with a letter or digit';
export const MAX_ALERT_RULES = 500;

const MINUTES = { min: 0, max: 10_080 } as const;
const defaults = (of: (kind: AlertKind) => number | null | undefined): string =>
  ALERT_KINDS.filter((kind) => typeof of(kind) === 'number')
    .map((kind) => `${kind} ${of(kind)}`)
    .join(', ');

class AlertRuleName {
  @TextField({ required: true, max: 64, pattern: ALERT_NAME_PATTERN, form: ALERT_NAME_FORM, example: 'error-rate' })
  name: string;
}

class AlertRuleKind {
  @ChoiceField(ALERT_KINDS, { required: true, name: 'AlertKind', description: 'Cannot be changed later' })
  kind: AlertKind;
}

class AlertRuleFields {
  @TextField({ max: 500, nullable: true, description: 'For people' })
  description?: string | null;

  @BooleanField({ default: true })
  is_enabled?: boolean;

  @ChoiceField(SEVERITIES, { name: 'AlertSeverity', default: 'warning' })
  severity?: Severity;

  @ChoiceField(ALERT_SCOPES, { name: 'AlertScope', default: 'all' })
  scope?: AlertScope;

  @TextField({
    max: 100,
    nullable: true,
    description: 'The alias, the provider, or the tag as name or name:value; null with scope all',
  })
  scope_value?: string | null;

  @NumberField({
    min: 0,
    max: 1_000_000_000,
    nullable: true,
    description: `What is too much, or too little, in the unit of the kind; null: its default (${defaults((kind) => ALERT_KIND_TRAITS[kind].threshold?.default)})`,
  })
  threshold?: number | null;

  @IntegerField({
    min: 1,
    max: 1440,
    nullable: true,
    description: `Minutes that are looked at; null: the default of the kind (${defaults((kind) => ALERT_KIND_TRAITS[kind].window?.default)})`,
  })
  window_minutes?: number | null;

  @IntegerField({
    min: 1,
    max: 1_000_000_000,
    nullable: true,
    description: `With fewer calls in the window nothing can be said; null: the default of the kind (${defaults((kind) => ALERT_KIND_TRAITS[kind].minCalls)})`,
  })
  min_calls?: number | null;

  @IntegerField({
    ...MINUTES,
    nullable: true,
    description: 'Minutes it has to be so before the alert fires; null: the default of the kind',
  })
  for_minutes?: number | null;

  @IntegerField({
    ...MINUTES,
    nullable: true,
    description: 'Minutes it has to be over before the alert is resolved; null: the default of the kind',
  })
  keep_firing_minutes?: number | null;

  @IntegerField({
    ...MINUTES,
    default: 0,
    description: 'Minutes until an alert that still fires is told again; 0: never',
  })
  reminder_minutes?: number;

  @ChoiceField(LANGUAGES, {
    name: 'MessageLanguage',
    nullable: true,
    description: "Of its messages; null: the channel's",
  })
  language?: Language | null;

  @TextListField({
    maxItems: 20,
    itemMax: 64,
    pattern: ALERT_NAME_PATTERN,
    form: 'names of channels',
    default: [],
    description: 'Names of the channels its messages go to; empty: to every channel',
  })
  channels?: string[];
}

/** Body of `POST /api/v1/alerts/rules`. */
export class AlertRuleCreate extends IntersectionType(AlertRuleName, AlertRuleKind, AlertRuleFields) {}

/** Body of `PUT /api/v1/alerts/rules/{id}`: absent fields keep their value, `null` stands for the default of the kind. */
export class AlertRuleUpdate extends IntersectionType(PartialType(AlertRuleName), AlertRuleFields) {}

/** An alert rule. A value that is null is the default of its kind. */
export class AlertRuleView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', nullable: true }) description: string | null;
  @AnswerField({ enum: [...ALERT_KINDS], enumName: 'AlertKind' }) kind: AlertKind;
  @AnswerField({ type: 'boolean' }) is_enabled: boolean;
  @AnswerField({ enum: [...SEVERITIES], enumName: 'AlertSeverity' }) severity: Severity;
  @AnswerField({ enum: [...ALERT_SCOPES], enumName: 'AlertScope' }) scope: AlertScope;
  @AnswerField({ type: 'string', nullable: true }) scope_value: string | null;
  @AnswerField({ type: 'number', nullable: true }) threshold: number | null;
  @AnswerField({ type: 'integer', nullable: true }) window_minutes: number | null;
  @AnswerField({ type: 'integer', nullable: true }) min_calls: number | null;
  @AnswerField({ type: 'integer', nullable: true }) for_minutes: number | null;
  @AnswerField({ type: 'integer', nullable: true }) keep_firing_minutes: number | null;
  @AnswerField({ type: 'integer' }) reminder_minutes: number;
  @AnswerField({ enum: [...LANGUAGES], enumName: 'MessageLanguage', nullable: true }) language: Language | null;
  @AnswerField({ type: [String] }) channels: string[];
  @AnswerField({ type: 'integer' }) version: number;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) updated_at: string;
}

/** Query of `GET /api/v1/alerts/rules`; all filters can be combined. */
export class AlertRuleQuery extends Page {
  @ChoiceField(ALERT_KINDS, { name: 'AlertKind' })
  kind?: AlertKind;

  @fromQueryBoolean()
  @BooleanField({})
  is_enabled?: boolean;

  @ChoiceField(SEVERITIES, { name: 'AlertSeverity' })
  severity?: Severity;

  @TextField({ max: 200, description: 'Found in name or description' })
  q?: string;
}

/** A page of rules, by name. */
export class AlertRuleList {
  @AnswerField({ type: [AlertRuleView] }) rules: AlertRuleView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}
