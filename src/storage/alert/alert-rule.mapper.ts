import type { AlertRuleCreate, AlertRuleView } from '../../contract/alert-rule.contract.js';
import type { AlertRuleEntity } from './alert-rule.entity.js';

type Field = keyof AlertRuleCreate;

/** Wire name of each writable column: the only place that knows both names. */
const COLUMN_OF = {
  name: 'name',
  description: 'description',
  kind: 'kind',
  is_enabled: 'isEnabled',
  severity: 'severity',
  scope: 'scope',
  scope_value: 'scopeValue',
  threshold: 'threshold',
  window_minutes: 'windowMinutes',
  min_calls: 'minCalls',
  for_minutes: 'forMinutes',
  keep_firing_minutes: 'keepFiringMinutes',
  reminder_minutes: 'reminderMinutes',
  language: 'language',
  channels: 'channels',
} as const satisfies Record<Field, keyof AlertRuleEntity>;

/** The columns of the fields that were sent: absent ones are left out, `null` stays `null`. */
export const toRuleColumns = (change: Partial<AlertRuleCreate>): Partial<AlertRuleEntity> =>
  Object.fromEntries(
    (Object.keys(COLUMN_OF) as Field[])
      .filter((field) => change[field] !== undefined)
      .map((field) => [COLUMN_OF[field], asStored(change[field])]),
  );

/** As the database gives it back, so that the same sent again is no change: no -0, and channels in an order of their own. */
const asStored = (value: unknown): unknown => {
  if (Array.isArray(value)) return (value as string[]).toSorted((one, other) => (one < other ? -1 : 1));
  return typeof value === 'number' ? value + 0 : value;
};

/** Every field somebody sets, by its wire name: what the history keeps, and an export has. */
export const toRuleState = (row: AlertRuleEntity): Record<Field, unknown> =>
  Object.fromEntries(Object.entries(COLUMN_OF).map(([field, column]) => [field, row[column]])) as Record<
    Field,
    unknown
  >;

/** Lists what leaves the house. */
export const toRuleView = (row: AlertRuleEntity): AlertRuleView => ({
  id: row.id,
  name: row.name,
  description: row.description,
  kind: row.kind,
  is_enabled: row.isEnabled,
  severity: row.severity,
  scope: row.scope,
  scope_value: row.scopeValue,
  threshold: row.threshold,
  window_minutes: row.windowMinutes,
  min_calls: row.minCalls,
  for_minutes: row.forMinutes,
  keep_firing_minutes: row.keepFiringMinutes,
  reminder_minutes: row.reminderMinutes,
  language: row.language,
  channels: row.channels,
  version: row.version,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});
