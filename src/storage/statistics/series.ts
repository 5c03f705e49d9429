import type { EntityManager } from 'typeorm';
import type {
  CallTotals,
  ModelStatistics,
  StatisticsPoint,
  StatisticsSeries,
} from '../../contract/statistics.contract.js';
import type { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { CallSums } from './call-sums.js';
import { groupingsOf, selectionOf } from './grouping.js';
import { spansOf, type TimeRange } from './time-range.js';
import { type Group, type GroupSums, largestGroups, readSums } from './usage-reader.js';

const MAX_GROUPS = 100;
/** In all series together: some megabytes. */
const MAX_POINTS_OF_ALL = 20_000;

type SeriesAnswer = Pick<ModelStatistics, 'series' | 'groups_total' | 'other'>;
type Points = GroupSums['points'];

const UUID = '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$';
const TOKEN_NAMES = `SELECT id, name FROM api_tokens
  WHERE id::text IN (SELECT id FROM unnest($1::text[]) AS wanted (id) WHERE id ~* '${UUID}')`;

const addUp = (points: Iterable<CallSums>): CallSums => {
  const sum = new CallSums();
  for (const point of points) sum.addSums(point);
  return sum;
};

const emptyTotals = (): CallTotals => new CallSums().toTotals();

/** Charts want every point, also those without calls. */
const toPoints = (points: Points, starts: readonly number[]): StatisticsPoint[] =>
  starts.map((start, index) => ({
    start: new Date(start).toISOString(),
    ...(points.get(index)?.toTotals() ?? emptyTotals()),
  }));

const toSeries = ({ group, points }: GroupSums, starts: readonly number[]): StatisticsSeries => ({
  group,
  totals: addUp(points.values()).toTotals(),
  points: toPoints(points, starts),
});

/** All calls without those of the groups that are shown. */
const without = (all: Points, shown: readonly GroupSums[]): Points => {
  const rest: Points = new Map();
  for (const [point, sums] of all) {
    const left = new CallSums();
    left.addSums(sums);
    for (const { points } of shown) {
      const own = points.get(point);
      if (own) left.addSums(own, -1);
    }
    rest.set(point, left);
  }
  return rest;
};

const withTokenNames = async (manager: EntityManager, series: StatisticsSeries[]): Promise<StatisticsSeries[]> => {
  const ids = series.map(({ group }) => group['token_id'] ?? null);
  const rows = await manager.query<{ id: string; name: string }[]>(TOKEN_NAMES, [ids.filter((id) => id !== null)]);
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  return series.map((one, index) => ({
    ...one,
    group: { ...one.group, token_name: names.get(String(ids[index])) ?? null },
  }));
};

/** The largest groups first; the same order every time. */
const byCalls = (a: StatisticsSeries, b: StatisticsSeries): number =>
  b.totals.calls - a.totals.calls || (JSON.stringify(a.group) < JSON.stringify(b.group) ? -1 : 1);

const pointsOfAll = async (manager: EntityManager, query: StatisticsQuery, range: TimeRange): Promise<Points> => {
  const [all] = await readSums(manager, spansOf(range), selectionOf(query, []));
  return all?.points ?? new Map<number, CallSums>();
};

const readGroups = async (manager: EntityManager, query: StatisticsQuery, range: TimeRange): Promise<SeriesAnswer> => {
  const groupings = groupingsOf(query.group_by);
  const selection = selectionOf(query, groupings);
  const starts = range.starts ?? [];
  const limit = Math.min(MAX_GROUPS, Math.floor(MAX_POINTS_OF_ALL / Math.max(1, starts.length)));
  const largest = await largestGroups(manager, spansOf({ ...range, starts: null }), selection, limit);
  const isCut = largest.total > largest.groups.length;
  const chosen: Group[] | null = isCut ? largest.groups : null;
  const shown = await readSums(manager, spansOf(range), selection, chosen);
  const series = shown.map((group) => toSeries(group, starts)).sort(byCalls);
  const rest = isCut ? without(await pointsOfAll(manager, query, range), shown) : null;
  return {
    series: groupings.includes('token') ? await withTokenNames(manager, series) : series,
    groups_total: largest.total,
    other: rest && { totals: addUp(rest.values()).toTotals(), points: toPoints(rest, starts) },
  };
};

/** The series of a query: one for each group, or one of all calls; null when neither points nor groups are asked for. */
export const readSeries = async (
  manager: EntityManager,
  query: StatisticsQuery,
  range: TimeRange,
): Promise<SeriesAnswer> => {
  if (query.group_by !== undefined) return readGroups(manager, query, range);
  if (!range.starts) return { series: null, groups_total: null, other: null };
  const points = await pointsOfAll(manager, query, range);
  return { series: [toSeries({ group: {}, points }, range.starts)], groups_total: null, other: null };
};
