import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ModelStatistics } from '../../contract/statistics.contract.js';
import { isError } from '../usage/usage-sums.js';
import type { CallOutcome } from '../../contract/usage.contract.js';

interface ModelRow {
  provider: string;
  status: string;
  models: string;
}

interface UsageRow {
  outcome: CallOutcome;
  calls: string;
  input: string;
  cached: string;
  output: string;
  reasoning: string;
}

const MODELS = 'SELECT provider, status, count(*) AS models FROM ai_model_configs GROUP BY provider, status';
/** Tests and the playground are not the team's usage. */
const USAGE = `SELECT outcome, sum(calls) AS calls, sum(input_tokens) AS input, sum(cached_tokens) AS cached,
  sum(output_tokens) AS output, sum(reasoning_tokens) AS reasoning
  FROM usage_minutes WHERE source = 'api' GROUP BY outcome`;

const sumOf = <Row>(rows: Row[], value: (row: Row) => string): number =>
  rows.reduce((sum, row) => sum + Number(value(row)), 0);

const countBy = (rows: ModelRow[], key: 'provider' | 'status'): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[row[key]] = (counts[row[key]] ?? 0) + Number(row.models);
  return counts;
};

/** Totals over all models and all calls. */
@Injectable()
export class StatisticsService {
  constructor(private readonly dataSource: DataSource) {}

  async totals(): Promise<ModelStatistics> {
    const [models, usage] = await Promise.all([
      this.dataSource.query<ModelRow[]>(MODELS),
      this.dataSource.query<UsageRow[]>(USAGE),
    ]);
    const errors = usage.filter((row) => isError(row.outcome));
    const byStatus = countBy(models, 'status');
    return {
      total_models: sumOf(models, (row) => row.models),
      active_models: byStatus['configured'] ?? 0,
      by_provider: countBy(models, 'provider'),
      by_status: byStatus,
      usage_count: sumOf(usage, (row) => row.calls),
      error_count: sumOf(errors, (row) => row.calls),
      errors_by_class: Object.fromEntries(errors.map((row) => [row.outcome, Number(row.calls)])),
      tokens: {
        input: sumOf(usage, (row) => row.input),
        cached: sumOf(usage, (row) => row.cached),
        output: sumOf(usage, (row) => row.output),
        reasoning: sumOf(usage, (row) => row.reasoning),
      },
    };
  }
}
