import type { CallTotals, DurationSummary, ModelStatistics } from '../../contract/statistics.contract.js';
import { type CsvCell, toCsv } from '../../platform/http/csv.js';
import { groupColumnNames } from './grouping.js';

const OTHERS = '(other)';

const durations = (name: string, pick: (totals: CallTotals) => DurationSummary): Column[] =>
  (['p50', 'p95', 'p99', 'mean'] as const).map((key) => [`${name}_${key}_ms`, (totals) => pick(totals)[key]]);

type Column = [string, (totals: CallTotals) => CsvCell];

const COLUMNS: Column[] = [
  ['calls', (totals) => totals.calls],
  ['errors', (totals) => totals.errors],
  ['estimated_calls', (totals) => totals.estimated_calls],
  ['unpriced_calls', (totals) => totals.unpriced_calls],
  ['input_tokens', (totals) => totals.tokens.input],
  ['cached_tokens', (totals) => totals.tokens.cached],
  ['output_tokens', (totals) => totals.tokens.output],
  ['reasoning_tokens', (totals) => totals.tokens.reasoning],
  ['cost_usd', (totals) => totals.cost_usd],
  ...durations('latency', (totals) => totals.latency_ms),
  ...durations('first_byte', (totals) => totals.first_byte_ms),
];

interface Lines {
  group: CsvCell[];
  totals: CallTotals;
  points: (CallTotals & { start: string })[];
}

const linesOf = (statistics: ModelStatistics, groupNames: readonly string[]): Lines[] => {
  const { usage_count: calls, error_count: errors } = statistics;
  if (!statistics.series) return [{ group: [], totals: { ...statistics, calls, errors }, points: [] }];
  const groups = statistics.series.map((series) => ({
    ...series,
    group: groupNames.map((name) => series.group[name] ?? null),
  }));
  const { other } = statistics;
  return other ? [...groups, { ...other, group: groupNames.map((_, index) => (index === 0 ? OTHERS : null)) }] : groups;
};

/** A line for each group and point, or for each group when no points were asked for. */
export const statisticsToCsv = (statistics: ModelStatistics): string => {
  const groupNames = groupColumnNames(statistics.group_by);
  const hasPoints = statistics.interval !== null;
  const header = [...(hasPoints ? ['start'] : []), ...groupNames, ...COLUMNS.map(([name]) => name)];
  const cells = (totals: CallTotals): CsvCell[] => COLUMNS.map(([, valueOf]) => valueOf(totals));
  const lines = linesOf(statistics, groupNames).flatMap(({ group, totals, points }) =>
    hasPoints ? points.map((point) => [point.start, ...group, ...cells(point)]) : [[...group, ...cells(totals)]],
  );
  return toCsv([header, ...lines]);
};
