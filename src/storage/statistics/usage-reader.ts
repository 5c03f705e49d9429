import type { EntityManager } from 'typeorm';
import { LEVELS } from '../usage/usage-levels.js';
import type { UsageTable } from '../usage/usage-rows.js';
import { CallSums, type SumsRow } from './call-sums.js';
import { IS_ERROR, type Selection } from './grouping.js';
import type { Span, Spans } from './time-range.js';

/** What the calls of a group have in common, as it goes on the wire. */
export type Group = Record<string, string | number | null>;

export interface GroupSums {
  group: Group;
  /** By number of the point; a point without calls is missing. */
  points: Map<number, CallSums>;
}

const SUMMED = [
  'calls',
  'estimated_calls',
  'unpriced_calls',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'reasoning_tokens',
  'first_byte_calls',
  'first_byte_ms',
  'total_ms',
  'cost_usd',
];
/** Histograms are only put behind each other here: adding them up would cost the database far more than reading them. */
const SUMS = [
  ...SUMMED.map((name) => `sum(sums.${name})::text AS ${name}`),
  `coalesce(sum(sums.calls) FILTER (WHERE ${IS_ERROR}), 0)::text AS errors`,
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
 * Sums of one table by span. One range of the primary key per span: the planner cannot choose anything else, and thinks
 * little of ranges that come from a list.
 */
const selectFrom = (
  table: UsageTable,
  spans: readonly Span[],
  parameters: Parameters,
  conditions: Conditions,
  sums: string,
): string => {
  const { level, filters, groupColumns } = conditions.selection;
  const times = (times: number[]): string => parameters.add(times.map((time) => new Date(time).toISOString()));
  const froms = times(spans.map((span) => span.from));
  const tos = times(spans.map((span) => span.to));
  const points = parameters.add(spans.map((span) => span.point));
  const where = [
    `sums.level = ${parameters.add(table === 'usage_minutes' ? LEVELS.kind : level)}`,
    'sums.start >= span.beginning AND sums.start < span.ending',
    ...filters.map(({ column, value }) => `series.${column} = ${parameters.add(value)}`),
    ...groupCondition(parameters, conditions),
  ];
  const columns = [...groupColumns.map(({ name, expression }) => `${expression} AS ${name}`), sums];
  const grouping = groupColumns.length > 0 ? `GROUP BY ${groupColumns.map((_, index) => index + 1).join(', ')}` : '';
  return `SELECT span.point, part.*
    FROM unnest(${froms}::timestamptz[], ${tos}::timestamptz[], ${points}::integer[]) AS span (beginning, ending, point)
    CROSS JOIN LATERAL (
      SELECT ${columns.join(', ')}
      FROM ${table} AS sums JOIN usage_series AS series ON series.id = sums.series_id
      WHERE ${where.join(' AND ')} ${grouping} HAVING count(*) > 0) AS part`;
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
): Promise<{ groups: Group[]; total: number }> => {
  const parameters = new Parameters();
  const conditions = { selection, groups: null };
  const parts = tablesOf(spans).map(([table, list]) =>
    selectFrom(table, list, parameters, conditions, 'sum(sums.calls) AS calls'),
  );
  const names = selection.groupColumns.map(({ name }) => name).join(', ');
  const rows = await manager.query<(Group & { groups_total: string })[]>(
    `SELECT ${names}, count(*) OVER () AS groups_total FROM (${parts.join(' UNION ALL ')}) AS parts
     GROUP BY ${names} ORDER BY sum(calls) DESC, ${names} LIMIT ${parameters.add(limit)}`,
    parameters.values,
  );
  return {
    groups: rows.map(({ groups_total: _total, ...group }) => group),
    total: Number(rows[0]?.groups_total ?? 0),
  };
};
