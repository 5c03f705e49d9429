import type { EntityManager } from 'typeorm';
import { MODEL_FAULTS, RATE_REFUSALS } from '../../../contract/alert-kinds.js';
import type { CallSource } from '../../../contract/usage.contract.js';
import { LEVELS } from '../../usage/usage-levels.js';
import type { UsageTable } from '../../usage/usage-rows.js';
import { splitByHours, type Stretch, type Windows } from './windows.js';

/** Calls of one model in one band, or some of what is known of them: what a query did not ask for is zero or empty. */
export interface UsagePart {
  band: number;
  configId: string;
  alias: string;
  provider: string;
  calls: number;
  /** Calls that failed at the model, and that a provider refused because there were too many. */
  faults: number;
  refusals: number;
  firstByteCalls: number;
  /** In units of 10^-12 US dollars. */
  cost: bigint;
  /** Packed histograms, one behind the other. */
  latency: string;
  firstByte: string;
}

interface PartRow {
  band: number;
  config_id: string;
  alias: string;
  provider: string;
  calls?: string;
  faults?: string;
  refusals?: string;
  first_byte_calls?: string;
  cost_usd?: string;
  latency?: string;
  first_byte?: string;
}

/** Connection tests have a kind of their own. */
const COUNTED_SOURCES: readonly CallSource[] = ['api', 'playground'];
const SOURCES = COUNTED_SOURCES.map((source) => `'${source}'`).join(', ');
const quoted = (outcomes: readonly string[]): string => outcomes.map((outcome) => `'${outcome}'`).join(', ');

const partOf = (row: PartRow): UsagePart => ({
  band: row.band,
  configId: row.config_id,
  alias: row.alias,
  provider: row.provider,
  calls: Number(row.calls ?? 0),
  faults: Number(row.faults ?? 0),
  refusals: Number(row.refusals ?? 0),
  firstByteCalls: Number(row.first_byte_calls ?? 0),
  cost: BigInt((row.cost_usd ?? '0').replace('.', '')),
  latency: row.latency ?? '',
  firstByte: row.first_byte ?? '',
});

/**
 * Sums of a table by band and series: one range of the primary key for each band, added up before the series are looked up. `OFFSET 0`
 * keeps the planner to it, since what it thinks of ranges that come from a list is far off.
 */
const sumsOf = (
  table: UsageTable,
  columns: readonly string[],
): string => `SELECT span.band, series.config_id, series.alias,
    series.provider, ${columns.map((column) => `part.${column}`).join(', ')}
  FROM unnest($1::timestamptz[], $2::timestamptz[], $3::integer[]) AS span (beginning, ending, band)
  CROSS JOIN LATERAL (
    SELECT series_id, ${columns.map((column) => `${ADDED[column] ?? `sum(${column})`} AS ${column}`).join(', ')} FROM ${table}
    WHERE level = ${LEVELS.model} AND start >= span.beginning AND start < span.ending GROUP BY series_id OFFSET 0) AS part
  CROSS JOIN LATERAL (
    SELECT config_id, alias, provider FROM usage_series WHERE id = part.series_id AND source IN (${SOURCES}) OFFSET 0) AS series`;

/** Histograms are only put behind each other: adding them up would cost the database far more than reading them. */
const ADDED: Partial<Record<string, string>> = {
  latency: `string_agg(latency, '')`,
  first_byte: `string_agg(first_byte, '')`,
};

/** The finest rows alone tell how calls ended; of them those of the series that ended badly, found in the index. */
const BAD_CALLS = `SELECT span.band, series.config_id, series.alias, series.provider,
    sum(part.calls) FILTER (WHERE series.outcome IN (${quoted(MODEL_FAULTS)})) AS faults,
    sum(part.calls) FILTER (WHERE series.outcome IN (${quoted(RATE_REFUSALS)})) AS refusals
  FROM unnest($1::timestamptz[], $2::timestamptz[], $3::integer[]) AS span (beginning, ending, band)
  CROSS JOIN LATERAL (
    SELECT series_id, sum(calls) AS calls FROM usage_minutes
    WHERE level = ${LEVELS.kind} AND start >= span.beginning AND start < span.ending AND series_id = ANY (ARRAY(
      SELECT id FROM usage_series WHERE level = ${LEVELS.kind} AND source IN (${SOURCES})
        AND outcome IN (${quoted([...MODEL_FAULTS, ...RATE_REFUSALS])})))
    GROUP BY series_id OFFSET 0) AS part
  JOIN usage_series AS series ON series.id = part.series_id
  GROUP BY span.band, series.config_id, series.alias, series.provider`;

const read = async (manager: EntityManager, sql: string, stretches: readonly Stretch[]): Promise<UsagePart[]> => {
  if (stretches.length === 0) return [];
  const times = (list: number[]): string[] => list.map((time) => new Date(time).toISOString());
  const rows = await manager.query<PartRow[]>(sql, [
    times(stretches.map(({ from }) => from)),
    times(stretches.map(({ to }) => to)),
    stretches.map(({ band }) => band),
  ]);
  return rows.map(partOf);
};

/** Calls of every model, and how many of them failed. */
export const readOutcomes = async (manager: EntityManager, windows: Windows): Promise<UsagePart[]> => {
  if (windows.isEmpty) return [];
  const calls = await read(manager, sumsOf('usage_minutes', ['calls']), windows.bands());
  const bad = await read(manager, BAD_CALLS, windows.bands());
  return [...calls, ...bad];
};

/** How long the calls of every model took, or how long until their first byte. */
export const readDurations = (
  manager: EntityManager,
  windows: Windows,
  of: 'latency' | 'first_byte',
): Promise<UsagePart[]> => {
  const counted = of === 'latency' ? 'calls' : 'first_byte_calls';
  return read(manager, sumsOf('usage_minutes', [counted, of]), windows.bands());
};

/** Calls of every model and what they cost; the windows are long, so whole hours are read as such. */
export const readTotals = async (manager: EntityManager, windows: Windows): Promise<UsagePart[]> => {
  const { hours, minutes } = splitByHours(windows.bands());
  const columns = ['calls', 'cost_usd'];
  const ofHours = await read(manager, sumsOf('usage_hours', columns), hours);
  return [...ofHours, ...(await read(manager, sumsOf('usage_minutes', columns), minutes))];
};
