import { type BudgetCreate, type BudgetUpdate, type BudgetView, LIMIT_PLACES } from '../../contract/budget.contract.js';
import type { BudgetEntity } from './budget.entities.js';
import { isExhausted, percentOf, toDollars } from './budget-figures.js';
import type { Figures } from './budget-look.js';

/** Wire name of each writable column: the only place that knows both names. */
const COLUMN_OF = {
  name: 'name',
  description: 'description',
  is_enabled: 'isEnabled',
  scope: 'scope',
  scope_value: 'scopeValue',
  period: 'period',
  time_zone: 'timeZone',
  limit_usd: 'limitUsd',
  thresholds: 'thresholds',
  action: 'action',
  severity: 'severity',
  language: 'language',
  channels: 'channels',
} as const satisfies Record<keyof BudgetCreate, keyof BudgetEntity>;

type Field = keyof typeof COLUMN_OF;

/** As the database gives it back, so that the same sent again is no change. */
const asStored = (field: Field, value: unknown): unknown => {
  if (field === 'limit_usd') return (value as number).toFixed(LIMIT_PLACES);
  return field === 'thresholds' ? [...(value as number[])].sort((a, b) => a - b) : value;
};

/** The columns of the fields that were sent: absent ones are left out, `null` stays `null`. */
export const toColumns = (change: BudgetUpdate): Partial<BudgetEntity> =>
  Object.fromEntries(
    (Object.keys(COLUMN_OF) as Field[])
      .filter((field) => change[field] !== undefined)
      .map((field) => [COLUMN_OF[field], asStored(field, change[field])]),
  );

/** What the history keeps of a budget: every field somebody sets. */
export const toBudgetState = (row: BudgetEntity): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(COLUMN_OF).map(([field, column]) => [field, row[column]])),
  limit_usd: Number(row.limitUsd),
});

/** Lists what leaves the house. */
export const toBudgetView = (row: BudgetEntity, { period, spending }: Figures): BudgetView => ({
  id: row.id,
  name: row.name,
  description: row.description,
  is_enabled: row.isEnabled,
  scope: row.scope,
  scope_value: row.scopeValue,
  period: row.period,
  time_zone: row.timeZone,
  limit_usd: Number(row.limitUsd),
  thresholds: row.thresholds,
  action: row.action,
  severity: row.severity,
  language: row.language,
  channels: row.channels,
  period_from: new Date(period.from).toISOString(),
  period_to: new Date(period.to).toISOString(),
  spent_usd: toDollars(spending.units),
  percent: percentOf(row, spending),
  exhausted: isExhausted(row, spending),
  unpriced_calls: spending.unpricedCalls,
  version: row.version,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});
