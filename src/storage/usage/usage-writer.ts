import type { EntityManager } from 'typeorm';
import { packHistogram } from './packed-histogram.js';
import type { Series } from './usage-levels.js';
import { type BatchSums, USAGE_TABLE_NAMES, type UsageRow, type UsageTable } from './usage-rows.js';

/** Column, type and value of each column of `usage_series` but the id. */
const SERIES_COLUMNS: readonly [string, string, keyof Series][] = [
  ['level', 'smallint', 'level'],
  ['config_id', 'uuid', 'configId'],
  ['alias', 'text', 'alias'],
  ['provider', 'text', 'provider'],
  ['source', 'text', 'source'],
  ['outcome', 'text', 'outcome'],
  ['streamed', 'boolean', 'streamed'],
  ['token_id', 'text', 'tokenId'],
  ['prompt_id', 'text', 'promptId'],
  ['prompt_name', 'text', 'promptName'],
  ['prompt_version', 'integer', 'promptVersion'],
  ['prompt_label', 'text', 'promptLabel'],
];
const SERIES_NAMES = SERIES_COLUMNS.map(([name]) => name).join(', ');
const SERIES_LISTS = SERIES_COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
const SAME_SERIES = SERIES_COLUMNS.map(([name]) => `series.${name} = wanted.${name}`).join(' AND ');

const FIND_SERIES = `SELECT wanted.position, series.id
  FROM unnest(${SERIES_LISTS}) WITH ORDINALITY AS wanted (${SERIES_NAMES}, position)
  JOIN usage_series AS series ON ${SAME_SERIES}`;
const ADD_SERIES = `INSERT INTO usage_series (${SERIES_NAMES}) SELECT * FROM unnest(${SERIES_LISTS}) ON CONFLICT DO NOTHING`;

/** The sums of a row: column, and its value as the database reads it. */
const SUMS: readonly [string, (row: UsageRow) => unknown][] = [
  ['calls', (row) => row.calls],
  ['errors', (row) => row.errors],
  ['estimated_calls', (row) => row.estimatedCalls],
  ['unpriced_calls', (row) => row.unpricedCalls],
  ['input_tokens', (row) => row.inputTokens],
  ['cached_tokens', (row) => row.cachedTokens],
  ['output_tokens', (row) => row.outputTokens],
  ['reasoning_tokens', (row) => row.reasoningTokens],
  ['first_byte_calls', (row) => row.firstByteCalls],
  ['first_byte_ms', (row) => row.firstByteMs],
  ['total_ms', (row) => row.totalMs],
  ['cost_usd', (row) => `${row.cost}e-12`],
];
const HISTOGRAMS: readonly [string, (row: UsageRow) => string][] = [
  ['latency', (row) => packHistogram(row.latency)],
  ['first_byte', (row) => packHistogram(row.firstByte)],
];

const addRowsTo = (table: UsageTable): string => {
  const sums = SUMS.map(([name]) => name);
  const histograms = HISTOGRAMS.map(([name]) => name);
  const types = [
    'smallint',
    'timestamptz',
    'bigint',
    ...sums.map((name) => (name === 'cost_usd' ? 'numeric' : 'bigint')),
  ];
  const lists = [...types, ...histograms.map(() => 'text')].map((type, index) => `$${index + 1}::${type}[]`);
  const added = sums.map((name) => `${name} = stored.${name} + excluded.${name}`);
  const merged = histograms.map((name) => `${name} = usage_histogram_merge(stored.${name}, excluded.${name})`);
  return `INSERT INTO ${table} AS stored (level, start, series_id, ${[...sums, ...histograms].join(', ')})
    SELECT * FROM unnest(${lists.join(', ')})
    ON CONFLICT (level, start, series_id) DO UPDATE SET ${[...added, ...merged].join(', ')}`;
};
const ADD_ROWS = Object.fromEntries(USAGE_TABLE_NAMES.map((table) => [table, addRowsTo(table)])) as Record<
  UsageTable,
  string
>;

type SeriesIds = Map<Series, number>;

const find = async (manager: EntityManager, series: readonly Series[], ids: SeriesIds): Promise<Series[]> => {
  const lists = SERIES_COLUMNS.map(([, , property]) => series.map((one) => one[property]));
  const rows = await manager.query<{ position: string; id: string }[]>(FIND_SERIES, lists);
  for (const { position, id } of rows) ids.set(series[Number(position) - 1] as Series, Number(id));
  return series.filter((one) => !ids.has(one));
};

/** The ids of all series; those that are new are made. Only what is missing is written, so ids are not used up. */
const findOrAddSeries = async (manager: EntityManager, series: readonly Series[]): Promise<SeriesIds> => {
  const ids: SeriesIds = new Map();
  const missing = await find(manager, series, ids);
  if (missing.length === 0) return ids;
  const lists = SERIES_COLUMNS.map(([, , property]) => missing.map((one) => one[property]));
  await manager.query(ADD_SERIES, lists);
  // Another batch may have made some of them: its rows are there once the insert has waited for it.
  await find(manager, missing, ids);
  return ids;
};

/** By the primary key: two batches lock the rows they share in the same order. */
const sortRows = (rows: UsageRow[], ids: SeriesIds): UsageRow[] => {
  const idOf = ({ series }: UsageRow): number => ids.get(series) as number;
  return rows.sort((a, b) => a.series.level - b.series.level || a.start - b.start || idOf(a) - idOf(b));
};

/** Adds what a batch holds to the rows of all tables, in the transaction of `manager`. */
export const addUsage = async (manager: EntityManager, batch: BatchSums): Promise<void> => {
  const ids = await findOrAddSeries(manager, batch.series);
  for (const table of USAGE_TABLE_NAMES) {
    const rows = sortRows(batch.rowsOf(table), ids);
    await manager.query(ADD_ROWS[table], [
      rows.map(({ series }) => series.level),
      rows.map(({ start }) => new Date(start).toISOString()),
      rows.map(({ series }) => ids.get(series)),
      ...[...SUMS, ...HISTOGRAMS].map(([, valueOf]) => rows.map(valueOf)),
    ]);
  }
};
