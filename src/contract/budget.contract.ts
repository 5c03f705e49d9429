import { IntersectionType, PartialType } from '@nestjs/swagger';
import { LANGUAGES, SEVERITIES, type Language, type Severity } from './alert-kinds.js';
import { ALERT_NAME_FORM, ALERT_NAME_PATTERN } from './alert-rule.contract.js';
import {
  AnswerField,
  BooleanField,
  ChoiceField,
  IntegerListField,
  NumberField,
  satisfies,
  TextField,
  TextListField,
} from './fields.js';
import { timeZoneProblem } from './statistics-query.contract.js';

export const MAX_BUDGETS = 200;

/** Whose calls a budget is for: everybody's, those of a model, of the models with a tag, or with a token. */
export const BUDGET_SCOPES = ['all', 'alias', 'tag', 'token'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

export const BUDGET_PERIODS = ['day', 'month'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** `refuse`: once it is used up, calls get 429 `budget_exceeded` until the period ends. */
export const BUDGET_ACTIONS = ['notify', 'refuse'] as const;
export type BudgetAction = (typeof BUDGET_ACTIONS)[number];

/** Places after the point: a millionth of a dollar is the smallest limit, and the smallest step. */
export const LIMIT_PLACES = 6;
const SMALLEST_LIMIT = 10 ** -LIMIT_PLACES;

const limitProblem = (value: unknown): string | null =>
  typeof value !== 'number' || !Number.isFinite(value) || Number(value.toFixed(LIMIT_PLACES)) === value
    ? null
    : `must have at most ${LIMIT_PLACES} places after the point`;

class BudgetName {
  @TextField({ required: true, max: 64, pattern: ALERT_NAME_PATTERN, form: ALERT_NAME_FORM, example: 'team-search' })
  name: string;
}

class BudgetLimit {
  @NumberField({ required: true, min: SMALLEST_LIMIT, max: 1_000_000_000, description: 'US dollars per period' })
  @satisfies('limitPlaces', limitProblem)
  limit_usd: number;
}

class BudgetFields {
  @TextField({ max: 500, nullable: true, description: 'For people' })
  description?: string | null;

  @BooleanField({ default: true })
  is_enabled?: boolean;

  @ChoiceField(BUDGET_SCOPES, { name: 'BudgetScope', default: 'all' })
  scope?: BudgetScope;

  @TextField({
    max: 300,
    nullable: true,
    description: 'The alias, the tag as `key:value`, or the id of the token; null with scope all',
  })
  scope_value?: string | null;

  @ChoiceField(BUDGET_PERIODS, { name: 'BudgetPeriod', default: 'month' })
  period?: BudgetPeriod;

  @AnswerField({
    type: 'string',
    required: false,
    default: 'UTC',
    example: 'Asia/Shanghai',
    description: 'Where days and months begin: the name of an IANA time zone',
  })
  @satisfies('timeZone', (value) => (value === undefined ? null : timeZoneProblem(value)))
  time_zone?: string;

  @IntegerListField({
    min: 1,
    max: 1000,
    maxItems: 10,
    default: [80, 100],
    description: 'Percent of the limit at which people are told, each once per period',
  })
  thresholds?: number[];

  @ChoiceField(BUDGET_ACTIONS, {
    name: 'BudgetAction',
    default: 'notify',
    description: 'What happens when it is used up; refuse: calls get 429 `budget_exceeded` until the period ends',
  })
  action?: BudgetAction;

  @ChoiceField(SEVERITIES, { name: 'AlertSeverity', default: 'warning' })
  severity?: Severity;

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
    description: 'Where its messages go; empty: to every channel',
  })
  channels?: string[];
}

/** Body of `POST /api/v1/budgets`. */
export class BudgetCreate extends IntersectionType(BudgetName, BudgetLimit, BudgetFields) {}

/** Body of `PUT /api/v1/budgets/{id}`: absent fields keep their value. */
export class BudgetUpdate extends IntersectionType(
  PartialType(IntersectionType(BudgetName, BudgetLimit), { skipNullProperties: false }),
  BudgetFields,
) {}

/** A budget, and what has been spent of it in the period that is running. */
export class BudgetView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', nullable: true }) description: string | null;
  @AnswerField({ type: 'boolean' }) is_enabled: boolean;
  @AnswerField({ enum: [...BUDGET_SCOPES], enumName: 'BudgetScope' }) scope: BudgetScope;
  @AnswerField({ type: 'string', nullable: true }) scope_value: string | null;
  @AnswerField({ enum: [...BUDGET_PERIODS], enumName: 'BudgetPeriod' }) period: BudgetPeriod;
  @AnswerField({ type: 'string' }) time_zone: string;
  @AnswerField({ type: 'number' }) limit_usd: number;
  @AnswerField({ type: [Number] }) thresholds: number[];
  @AnswerField({ enum: [...BUDGET_ACTIONS], enumName: 'BudgetAction' }) action: BudgetAction;
  @AnswerField({ enum: [...SEVERITIES], enumName: 'AlertSeverity' }) severity: Severity;
  @AnswerField({ enum: [...LANGUAGES], enumName: 'MessageLanguage', nullable: true }) language: Language | null;
  @AnswerField({ type: [String] }) channels: string[];
  @AnswerField({ type: 'string', format: 'date-time', description: 'Beginning of the period that is running' })
  period_from: string;
  @AnswerField({ type: 'string', format: 'date-time', description: 'Its end, not in it' }) period_to: string;
  @AnswerField({ type: 'number', description: 'As far as usage has come in' }) spent_usd: number;
  @AnswerField({ type: 'number', description: 'Of the limit, never rounded up' }) percent: number;
  @AnswerField({ type: 'boolean', description: 'All of it is spent; with action refuse calls are refused' })
  exhausted: boolean;
  @AnswerField({
    type: 'integer',
    description: 'Calls of the period that lack a price, and so cost nothing here: give their models prices',
  })
  unpriced_calls: number;
  @AnswerField({ type: 'integer' }) version: number;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) updated_at: string;
}

/** Every budget, by name. */
export class BudgetList {
  @AnswerField({ type: [BudgetView] }) budgets: BudgetView[];
  @AnswerField({ type: 'integer', description: `At most ${MAX_BUDGETS}` }) total: number;
}
