import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ModelStatistics } from '../../contract/statistics.contract.js';
import type { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { CALL_OUTCOMES } from '../../contract/usage.contract.js';
import { CallSums } from './call-sums.js';
import { readCompleteFrom } from './complete-from.js';
import { selectionOf } from './grouping.js';
import { readSeries } from './series.js';
import { resolveRange, spansOf, type TimeRange } from './time-range.js';
import { largestGroups, readSums } from './usage-reader.js';

interface ModelRow {
  provider: string;
  status: string;
  models: string;
}

type ModelCounts = Pick<ModelStatistics, 'total_models' | 'active_models' | 'by_provider' | 'by_status'>;
type UsageTotals = Omit<
  ModelStatistics,
  keyof ModelCounts | 'series' | 'groups_total' | 'other' | 'from' | 'to' | 'interval' | 'tz' | 'group_by'
>;

const MODELS = 'SELECT provider, status, count(*) AS models FROM ai_model_configs GROUP BY provider, status';

const countBy = (rows: ModelRow[], key: 'provider' | 'status'): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[row[key]] = (counts[row[key]] ?? 0) + Number(row.models);
  return counts;
};

/** Totals and time series of calls, read from their sums: what a query costs does not depend on how many they were. */
@Injectable()
export class StatisticsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Throws `validation_failed` for what cannot be answered, see time-range.ts. */
  read(query: StatisticsQuery): Promise<ModelStatistics> {
    // Everything of one moment: totals are the sum of their series, whatever is counted meanwhile.
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      // The planner thinks such queries expensive; to compile one takes longer than to run it.
      await manager.query('SET LOCAL jit = off');
      const range = resolveRange(query, await readCompleteFrom(manager), Date.now());
      return {
        ...(await this.countModels(manager)),
        ...(await this.readTotals(manager, query, range)),
        from: range.shownFrom,
        to: range.shownTo,
        interval: query.interval ?? null,
        tz: query.tz ?? 'UTC',
        group_by: query.group_by ?? null,
        ...(await readSeries(manager, query, range)),
      };
    });
  }

  private async countModels(manager: EntityManager): Promise<ModelCounts> {
    const rows = await manager.query<ModelRow[]>(MODELS);
    const byStatus = countBy(rows, 'status');
    return {
      total_models: rows.reduce((sum, row) => sum + Number(row.models), 0),
      active_models: byStatus['configured'] ?? 0,
      by_provider: countBy(rows, 'provider'),
      by_status: byStatus,
    };
  }

  private async readTotals(manager: EntityManager, query: StatisticsQuery, range: TimeRange): Promise<UsageTotals> {
    const spans = spansOf({ ...range, starts: null });
    const [all] = await readSums(manager, spans, selectionOf(query, []));
    const { groups, calls: callsOf } = await largestGroups(
      manager,
      spans,
      selectionOf(query, ['error_class']),
      CALL_OUTCOMES.length,
    );
    const classes = groups.map((group, index) => [group['error_class'], callsOf[index]] as const);
    const { calls, errors, ...totals } = (all?.points.get(0) ?? new CallSums()).toTotals();
    return {
      usage_count: calls,
      error_count: errors,
      errors_by_class: Object.fromEntries(classes.filter(([name]) => name !== null)) as Record<string, number>,
      ...totals,
    };
  }
}
