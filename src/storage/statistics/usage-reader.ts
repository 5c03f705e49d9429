import type { EntityManager } from 'typeorm';
import { levelFor } from '../usage/usage-levels.js';
import type { UsageTable } from '../usage/usage-rows.js';
import { CallSums, COUNTED, type SumsRow } from './call-sums.js';
import type { Selection } from './grouping.js';
import type { Span, Spans } from './time-range.js';

/** What the calls of a group have in common, as it goes on the wire. */
export type Group = Record<string, string | number | null>;

export interface GroupSums {
  group: Group;
  /** By number of the point; a point without calls is missing. */
  points: Map<number, CallSums>;
}

/** Histograms are only put behind each other here: adding them up would cost the database far more than reading them. */
const SUMS = [
  ...[...COUNTED, 'cost_usd'].map((name) => `sum(sums.${name})::text AS ${name}`),
  `string_agg(sums.latency, '') AS latency`,
  `string_agg(sums.first_byte, '') AS first_byte`,
].join(', ');

class Parameters {
  readonly values: unknown[] = [];

  /** The placeholder of a value. */
  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

interface Conditions {
  selection: Selection;
  /** Only these groups; null: all. */
  groups: readonly Group[] | null;
}

/** A group as texts, so that it can be compared whatever its types; nothing is named by an empty text. */
const asText = (expression: string): string => `coalesce((${expression})::text, '')`;

const groupCondition = (parameters: Parameters, { selection, groups }: Conditions): string[] => {
  if (groups === null) return [];
  const columns = selection.groupColumns;
  const lists = columns.map(({ name }) => parameters.add(groups.map((group) => String(group[name] ?? ''))));
  const wanted = lists.map((list) => `${list}::text[]`).join(', ');
  return [`(${columns.map(({ expression }) => asText(expression)).join(', ')}) IN (SELECT * FROM unnest(${wanted}))`];
};

/**
 * Sums of one table by span: one range of the primary key for each, and the series of a row by its id. `OFFSET 0` leaves
 * the planner nothing else to choose, since what it thinks of ranges that come from a list is far off.
 */
const selectFrom = (
  table: UsageTable,
  spans: readonly Span[],
  parameters: Parameters,
  conditions: Conditions,
  sums: string,
): string => {
  const { needs, filters, groupColumns } = conditions.selection;
  const times = (times: number[]): string => parameters.add(times.map((time) => new Date(time).toISOString()));
  const froms = times(spans.map((span) => span.from));
  const tos = times(spans.map((span) => span.to));
  const points = parameters.add(spans.map((span) => span.point));
  const level = parameters.add(levelFor(needs));
  const where = [
    'series.id = sums.series_id',
    ...filters.map(({ column, value }) => `series.${column} = ${parameters.add(value)}`),
    ...groupCondition(parameters, conditions),
  ];
  const columns = [...groupColumns.map(({ name, expression }) => `${expression} AS ${name}`), sums];
  const grouping = groupColumns.length > 0 ? `GROUP BY ${groupColumns.map((_, index) => index + 1).join(', ')}` : '';
  return `SELECT span.point, part.*
    FROM unnest(${froms}::timestamptz[], ${tos}::timestamptz[], ${points}::integer[]) AS span (beginning, ending, point)
    CROSS JOIN LATERAL (
      SELECT ${columns.join(', ')}
      FROM (SELECT * FROM ${table} WHERE level = ${level} AND start >= span.beginning AND start < span.ending OFFSET 0) AS sums
      CROSS JOIN LATERAL (SELECT * FROM usage_series AS series WHERE ${where.join(' AND ')} OFFSET 0) AS series
      ${grouping} HAVING count(*) > 0) AS part`;
};

const tablesOf = (spans: Spans): [UsageTable, Span[]][] =>
  (Object.entries(spans) as [UsageTable, Span[]][]).filter(([, list]) => list.length > 0);

/** The sums of every group and point, each call once. */
export const readSums = async (
  manager: EntityManager,
  spans: Spans,
  selection: Selection,
  groups: readonly Group[] | null = null,
): Promise<GroupSums[]> => {
  const found = new Map<string, GroupSums>();
  for (const [table, list] of tablesOf(spans)) {
    const parameters = new Parameters();
    const sql = selectFrom(table, list, parameters, { selection, groups }, SUMS);
    for (const row of await manager.query<(SumsRow & Group & { point: number })[]>(sql, parameters.values)) {
      const group = Object.fromEntries(selection.groupColumns.map(({ name }) => [name, row[name] as string | null]));
      const key = JSON.stringify(group);
      const sums = found.get(key) ?? { group, points: new Map<number, CallSums>() };
      found.set(key, sums);
      const point = sums.points.get(row.point) ?? new CallSums();
      sums.points.set(row.point, point);
      point.addRow(row);
    }
  }
  return [...found.values()];
};

/** The groups with the most calls, and how many groups there are at all. */
export const largestGroups = async (
  manager: EntityManager,
  spans: Spans,
  selection: Selection,
  limit: number,
): Promise<{ groups: Group[]; calls: number[]; total: number }> => {
  const parameters = new Parameters();
  const conditions = { selection, groups: null };
  const parts = tablesOf(spans).map(([table, list]) =>
    selectFrom(table, list, parameters, conditions, 'sum(sums.calls) AS calls'),
  );
  const names = selection.groupColumns.map(({ name }) => name).join(', ');
  const rows = await manager.query<(Group & { group_calls: string; groups_total: string })[]>(
    `SELECT ${names}, sum(calls) AS group_calls, count(*) OVER () AS groups_total FROM (${parts.join(' UNION ALL ')}) AS parts
     GROUP BY ${names} ORDER BY group_calls DESC, ${names} LIMIT ${parameters.add(limit)}`,
    parameters.values,
  );
  return {
    groups: rows.map(({ group_calls: _calls, groups_total: _total, ...group }) => group),
    calls: rows.map((row) => Number(row.group_calls)),
    total: Number(rows[0]?.groups_total ?? 0),
  };
};
