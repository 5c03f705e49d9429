import type { Grouping, StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { type Level, LEVELS } from '../usage/usage-levels.js';
import { NO_ERRORS } from '../usage/usage-sums.js';

/** A member of a group on the wire, and the expression it comes from; `series` is `usage_series`. */
interface GroupColumn {
  name: string;
  expression: string;
}

const PROMPT: GroupColumn = { name: 'prompt', expression: `nullif(series.prompt_name, '')` };
const NO_ERROR_LIST = NO_ERRORS.map((outcome) => `'${outcome}'`).join(', ');
export const IS_ERROR = `series.outcome NOT IN (${NO_ERROR_LIST})`;

/** What a grouping consists of, and the coarsest level that tells its groups apart. */
const GROUPS: Record<Grouping, { level: Level; columns: GroupColumn[] }> = {
  model: { level: LEVELS.model, columns: [{ name: 'model', expression: 'series.alias' }] },
  provider: { level: LEVELS.model, columns: [{ name: 'provider', expression: 'series.provider' }] },
  prompt: { level: LEVELS.kind, columns: [PROMPT] },
  prompt_version: {
    level: LEVELS.kind,
    columns: [PROMPT, { name: 'prompt_version', expression: 'nullif(series.prompt_version, 0)' }],
  },
  prompt_label: {
    level: LEVELS.kind,
    columns: [PROMPT, { name: 'prompt_label', expression: `nullif(series.prompt_label, '')` }],
  },
  token: { level: LEVELS.kind, columns: [{ name: 'token_id', expression: `nullif(series.token_id, '')` }] },
  error_class: {
    level: LEVELS.total,
    columns: [{ name: 'error_class', expression: `CASE WHEN ${IS_ERROR} THEN series.outcome END` }],
  },
  source: { level: LEVELS.total, columns: [{ name: 'source', expression: 'series.source' }] },
};

type FilterName = 'alias' | 'provider' | 'prompt' | 'token_id' | 'source';

const FILTERS: Record<FilterName, { level: Level; column: string }> = {
  alias: { level: LEVELS.model, column: 'alias' },
  provider: { level: LEVELS.model, column: 'provider' },
  prompt: { level: LEVELS.kind, column: 'prompt_name' },
  token_id: { level: LEVELS.kind, column: 'token_id' },
  source: { level: LEVELS.total, column: 'source' },
};

/** Which calls a query counts, and how it tells them apart. */
export interface Selection {
  /** The coarsest level whose rows answer it. */
  level: Level;
  filters: { column: string; value: string }[];
  groupColumns: GroupColumn[];
}

const columnsOf = (by: readonly Grouping[]): GroupColumn[] => {
  const columns = by.flatMap((grouping) => GROUPS[grouping].columns);
  return columns.filter(({ name }, at) => columns.findIndex((column) => column.name === name) === at);
};

/** `by`: the groupings of the query, or none for all its calls together. */
export const selectionOf = (query: StatisticsQuery, by: readonly Grouping[]): Selection => {
  const source = query.source ?? 'api';
  const wanted = { ...query, source: source === 'all' ? undefined : source };
  const names = (Object.keys(FILTERS) as FilterName[]).filter((name) => wanted[name] !== undefined);
  const levels = [...by.map((grouping) => GROUPS[grouping].level), ...names.map((name) => FILTERS[name].level)];
  return {
    level: Math.max(LEVELS.total, ...levels) as Level,
    filters: names.map((name) => ({ column: FILTERS[name].column, value: wanted[name] as string })),
    groupColumns: columnsOf(by),
  };
};

export const groupingsOf = (groupBy: string | null | undefined): Grouping[] =>
  groupBy ? (groupBy.split(',') as Grouping[]) : [];

/** The members of the groups of an answer, in their order. */
export const groupColumnNames = (groupBy: string | null): string[] =>
  columnsOf(groupingsOf(groupBy)).flatMap(({ name }) => (name === 'token_id' ? [name, 'token_name'] : [name]));
