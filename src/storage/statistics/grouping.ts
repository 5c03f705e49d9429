import type { Grouping, StatisticsQuery } from '../../contract/statistics-query.contract.js';
import type { Dimension } from '../usage/usage-levels.js';
import { NO_ERRORS } from '../usage/usage-sums.js';

/** A member of a group on the wire, and the expression it comes from; `series` is `usage_series`. */
interface GroupColumn {
  name: string;
  expression: string;
}

const PROMPT: GroupColumn = { name: 'prompt', expression: `nullif(series.prompt_name, '')` };
const NO_ERROR_LIST = NO_ERRORS.map((outcome) => `'${outcome}'`).join(', ');

/** What a grouping consists of, and what rows have to be told apart by for it. */
const GROUPS: Record<Grouping, { needs: Dimension[]; columns: GroupColumn[] }> = {
  model: { needs: ['alias'], columns: [{ name: 'model', expression: 'series.alias' }] },
  provider: { needs: ['provider'], columns: [{ name: 'provider', expression: 'series.provider' }] },
  prompt: { needs: ['promptName'], columns: [PROMPT] },
  prompt_version: {
    needs: ['promptVersion'],
    columns: [PROMPT, { name: 'prompt_version', expression: 'nullif(series.prompt_version, 0)' }],
  },
  prompt_label: {
    needs: ['promptLabel'],
    columns: [PROMPT, { name: 'prompt_label', expression: `nullif(series.prompt_label, '')` }],
  },
  token: { needs: ['tokenId'], columns: [{ name: 'token_id', expression: `nullif(series.token_id, '')` }] },
  error_class: {
    needs: ['outcome'],
    columns: [
      { name: 'error_class', expression: `CASE WHEN series.outcome NOT IN (${NO_ERROR_LIST}) THEN series.outcome END` },
    ],
  },
  source: { needs: ['source'], columns: [{ name: 'source', expression: 'series.source' }] },
};

type FilterName = 'alias' | 'provider' | 'prompt' | 'token_id' | 'source';

const FILTERS: Record<FilterName, { needs: Dimension; column: string }> = {
  alias: { needs: 'alias', column: 'alias' },
  provider: { needs: 'provider', column: 'provider' },
  prompt: { needs: 'promptName', column: 'prompt_name' },
  token_id: { needs: 'tokenId', column: 'token_id' },
  source: { needs: 'source', column: 'source' },
};

/** Which calls a query counts, and how it tells them apart. */
export interface Selection {
  /** What rows have to be told apart by to answer it. */
  needs: Dimension[];
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
  return {
    needs: [...by.flatMap((grouping) => GROUPS[grouping].needs), ...names.map((name) => FILTERS[name].needs)],
    filters: names.map((name) => ({ column: FILTERS[name].column, value: wanted[name] as string })),
    groupColumns: columnsOf(by),
  };
};

export const groupingsOf = (groupBy: string | null | undefined): Grouping[] =>
  groupBy ? (groupBy.split(',') as Grouping[]) : [];

/** The members of the groups of an answer, in their order. */
export const groupColumnNames = (groupBy: string | null): string[] =>
  columnsOf(groupingsOf(groupBy)).flatMap(({ name }) => (name === 'token_id' ? [name, 'token_name'] : [name]));
