import {
  AnswerField,
  ChoiceField,
  fromQueryInteger,
  IntegerField,
  isPlainObject,
  satisfies,
  TextField,
} from './fields.js';
import { Page } from './list-query.js';

/** What the history tells of. */
export const HISTORY_KINDS = [
  'config',
  'prompt',
  'prompt_label',
  'token',
  'encryption_key',
  'export',
  'alert_rule',
  'alert_silence',
  'alert_channel',
  'budget',
] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export const HISTORY_ACTIONS = [
  'create',
  'update',
  'delete',
  'restore',
  'archive',
  'unarchive',
  'add_version',
  'move',
  'remove',
  'revoke',
  'activate',
  'rewrap',
  'export',
] as const;
export type HistoryAction = (typeof HISTORY_ACTIONS)[number];

/** One field of a change. Secrets appear as fingerprints: the same text, the same secret. */
export class FieldChange {
  @AnswerField({ type: 'string' }) field: string;
  @AnswerField({ description: 'Any JSON value; null: not set' }) from: unknown;
  @AnswerField({ description: 'Any JSON value; null: not set' }) to: unknown;
}

/** One change, as it was written in its own transaction. */
export class HistoryEntry {
  @AnswerField({ type: 'integer' }) id: number;
  @AnswerField({ type: 'integer', description: 'The revision this change made' }) revision: number;
  @AnswerField({ type: 'string', format: 'date-time' }) changed_at: string;
  @AnswerField({ type: 'string', description: 'Id of the token that made it' }) actor_id: string;
  @AnswerField({ type: 'string', nullable: true, description: 'Name of that token, when it is known' })
  actor_name: string | null;
  @AnswerField({ type: 'string', nullable: true }) request_id: string | null;
  @AnswerField({ enum: [...HISTORY_KINDS], enumName: 'HistoryKind' }) kind: HistoryKind;
  @AnswerField({ type: 'string' }) subject_id: string;
  @AnswerField({ type: 'string', description: 'Alias or name at that time' }) subject_name: string;
  @AnswerField({ enum: [...HISTORY_ACTIONS], enumName: 'HistoryAction' }) action: HistoryAction;
  @AnswerField({ type: 'integer', nullable: true, description: 'Version after the change' }) version: number | null;
  @AnswerField({ type: [FieldChange] }) changes: FieldChange[];
}

/** A page of the history, newest first. */
export class HistoryList {
  @AnswerField({ type: [HistoryEntry] }) entries: HistoryEntry[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** A time in RFC 3339 in a query. */
export const isTime = (value: unknown): value is string =>
  typeof value === 'string' && TIME.test(value) && Number.isFinite(Date.parse(value));

/** A time in a query. */
export const TimeFilter = (): PropertyDecorator => (target, property) => {
  AnswerField({ type: 'string', format: 'date-time', required: false })(target, property);
  satisfies('time', (value) =>
    value === undefined || isTime(value) ? null : 'must be a time such as 2026-01-31T00:00:00Z',
  )(target, property);
};

/** Query of `GET /api/v1/history`; all filters can be combined. */
export class HistoryQuery extends Page {
  @ChoiceField(HISTORY_KINDS, { name: 'HistoryKind' })
  kind?: HistoryKind;

  @ChoiceField(HISTORY_ACTIONS, { name: 'HistoryAction' })
  action?: HistoryAction;

  @TextField({ max: 64, description: 'Id of the token that made the change' })
  actor_id?: string;

  @TextField({ max: 64 })
  subject_id?: string;

  @TextField({ max: 200, description: 'Found in the alias or name at that time' })
  q?: string;

  @TimeFilter()
  from?: string;

  @TimeFilter()
  to?: string;
}

const versionField =
  (name: string): PropertyDecorator =>
  (target, property) => {
    fromQueryInteger()(target, property);
    IntegerField({ required: true, min: 1, max: 2_147_483_647, description: `Version ${name}` })(target, property);
  };

/** Query of a comparison of two versions. */
export class DiffQuery {
  @versionField('to compare')
  from: number;

  @versionField('to compare it with')
  to: number;
}

/** What differs between two versions. */
export class VersionDiff {
  @AnswerField({ type: 'integer' }) from: number;
  @AnswerField({ type: 'integer' }) to: number;
  @AnswerField({ type: [FieldChange] }) changes: FieldChange[];
}

type State = Readonly<Record<string, unknown>>;

/** By value: jsonb does not keep the order of keys. */
const isSame = (one: unknown, other: unknown): boolean => {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, index) => isSame(entry, other[index]));
  }
  if (!isPlainObject(one) || !isPlainObject(other)) return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  );
};

/** The fields in which two states differ, in the order of their names; what is missing counts as `null`. */
export const changesBetween = (before: State | null, after: State | null): FieldChange[] =>
  [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .sort()
    .map((field) => ({ field, from: before?.[field] ?? null, to: after?.[field] ?? null }))
    .filter(({ from, to }) => !isSame(from, to));
