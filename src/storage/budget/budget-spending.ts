import type { EntityManager } from 'typeorm';
import { tagsOfFilter } from '../../contract/list-query.js';
import type { BudgetScope } from '../../contract/budget.contract.js';
import { readCompleteFrom } from '../statistics/complete-from.js';
import { resolveRange, type Span, type Spans, spansOf } from '../statistics/time-range.js';
import { type Level, LEVELS } from '../usage/usage-levels.js';
import { USAGE_TABLE_NAMES } from '../usage/usage-rows.js';
import type { BudgetEntity } from './budget.entities.js';
import { NOTHING_SPENT, type Period, type Spending, toUnits } from './budget-figures.js';

/** Whose spending in which period. */
export interface Spender {
  scope: BudgetScope;
  scopeValue: string | null;
  period: Period;
}

interface Row {
  point: number;
  value: string;
  cost: string;
  unpriced: string;
}

/** Rows that tell apart what a scope is about, and the column of `usage_series` that does. */
const READ_BY: Record<BudgetScope, { level: Level; column: string }> = {
  all: { level: LEVELS.total, column: `''` },
  alias: { level: LEVELS.model, column: 'series.alias' },
  tag: { level: LEVELS.model, column: 'series.config_id::text' },
  token: { level: LEVELS.token, column: 'series.token_id' },
};

/** What is wanted, and the text by which its rows are known: a tag stands for the models that have it now. */
const WANTED = `SELECT value, value AS known_by FROM unnest($1::text[]) AS wanted (value)`;
const WANTED_TAGS = `SELECT value, config.id::text AS known_by
  FROM unnest($1::text[], $2::jsonb[]) AS wanted (value, tags) JOIN ai_model_configs AS config ON config.tags @> wanted.tags`;

/** One range of the primary key for each span, and the series of a row by its id, as in usage-reader.ts. */
const partOf = (scope: BudgetScope, table: string, first: number): string => {
  const { level, column } = READ_BY[scope];
  return `SELECT span.point, ${column} AS known_by, sums.cost_usd, sums.unpriced_calls
    FROM unnest($${first}::timestamptz[], $${first + 1}::timestamptz[], $${first + 2}::integer[]) AS span (beginning, ending, point)
    CROSS JOIN LATERAL (SELECT series_id, cost_usd, unpriced_calls FROM ${table}
      WHERE level = ${level} AND start >= span.beginning AND start < span.ending OFFSET 0) AS sums
    CROSS JOIN LATERAL (SELECT * FROM usage_series AS series WHERE series.id = sums.series_id OFFSET 0) AS series`;
};

const toTimes = (times: number[]): string[] => times.map((time) => new Date(time).toISOString());
const columnsOf = (spans: readonly Span[]): unknown[] => [
  toTimes(spans.map(({ from }) => from)),
  toTimes(spans.map(({ to }) => to)),
  spans.map(({ point }) => point),
];

/** In one statement, since a batch of usage is written to all three tables at once. */
const readScope = (
  manager: EntityManager,
  scope: BudgetScope,
  values: readonly string[],
  spans: Spans,
): Promise<Row[]> => {
  const isTag = scope === 'tag';
  const parameters: unknown[] = [values, ...(isTag ? [values.map((tag) => JSON.stringify(tagsOfFilter(tag)))] : [])];
  const parts = USAGE_TABLE_NAMES.map((table) => {
    const part = partOf(scope, table, parameters.length + 1);
    parameters.push(...columnsOf(spans[table]));
    return part;
  });
  return manager.query<Row[]>(
    `WITH wanted AS MATERIALIZED (${isTag ? WANTED_TAGS : WANTED})
    SELECT part.point, wanted.value, sum(part.cost_usd)::text AS cost, sum(part.unpriced_calls)::text AS unpriced
    FROM (${parts.join(' UNION ALL ')}) AS part JOIN wanted ON wanted.known_by = part.known_by
    GROUP BY part.point, wanted.value`,
    parameters,
  );
};

const asKey = ({ from, to }: Period): string => `${from} ${to}`;
const valueOf = ({ scopeValue }: Pick<BudgetEntity, 'scopeValue'>): string => scopeValue ?? '';

/** The spans of all periods, each with the number of its period. */
const spansOfPeriods = async (manager: EntityManager, periods: readonly Period[], now: number): Promise<Spans> => {
  const complete = await readCompleteFrom(manager);
  const all: Spans = { usage_minutes: [], usage_hours: [], usage_days: [] };
  for (const [point, period] of periods.entries()) {
    const [from, to] = toTimes([period.from, period.to]) as [string, string];
    const spans = spansOf(resolveRange({ from, to }, complete, now));
    for (const table of USAGE_TABLE_NAMES) all[table].push(...spans[table].map((span) => ({ ...span, point })));
  }
  return all;
};

/**
 * What each of them has spent, in their order: every source counts, tests and the playground too. One statement for each kind of
 * scope, however many budgets there are.
 */
export const readSpending = async (
  manager: EntityManager,
  spenders: readonly Spender[],
  now: number,
): Promise<Spending[]> => {
  const periods = [...new Map(spenders.map(({ period }) => [asKey(period), period])).values()];
  const points = new Map(periods.map((period, point) => [asKey(period), point]));
  const spans = await spansOfPeriods(manager, periods, now);
  const found = new Map<string, Spending>();
  for (const scope of new Set(spenders.map((spender) => spender.scope))) {
    const values = new Set(spenders.filter((spender) => spender.scope === scope).map(valueOf));
    for (const { point, value, cost, unpriced } of await readScope(manager, scope, [...values], spans)) {
      found.set(`${scope} ${point} ${value}`, { units: toUnits(cost), unpricedCalls: Number(unpriced) });
    }
  }
  return spenders.map(
    (spender) =>
      found.get(`${spender.scope} ${points.get(asKey(spender.period))} ${valueOf(spender)}`) ?? NOTHING_SPENT,
  );
};
