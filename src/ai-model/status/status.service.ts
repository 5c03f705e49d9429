import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { isCallable } from '../calls/callable.js';
import { CallTracker } from '../calls/call-tracker.js';
import { HEALTH_STATES, type HealthState, ModelHealth } from '../choosing/model-health.js';
import { describeDirectory, timeOf } from '../model-directory/directory-freshness.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { CallMetrics } from './call-metrics.js';
import { sumCalls, toModelMetrics } from './metrics-report.js';
import {
  DEFAULT_STATUS_LIMIT,
  type DirectoryStatus,
  type HealthQuery,
  type HealthReport,
  type MetricsQuery,
  type MetricsReport,
  type ModelHealthView,
} from './status.views.js';

const WORST_FIRST: Record<HealthState, number> = { unhealthy: 0, degraded: 1, healthy: 2, unknown: 3 };

/** How this process and its models do; from memory, so it answers whatever else does not. */
@Injectable()
export class StatusService {
  constructor(
    private readonly directory: ModelDirectory,
    private readonly modelHealth: ModelHealth,
    private readonly callMetrics: CallMetrics,
    private readonly tracker: CallTracker,
    private readonly usage: UsageBuffer,
  ) {}

  health({ state, callable, skip = 0, limit = DEFAULT_STATUS_LIMIT }: HealthQuery): HealthReport {
    const models = this.directory.models().map((model) => this.view(model));
    const found = models
      .filter((model) => (state ?? model.state) === model.state && (callable ?? model.callable) === model.callable)
      .sort((a, b) => WORST_FIRST[a.state] - WORST_FIRST[b.state]);
    const directory = describeDirectory(this.directory.freshness);
    const byState = countStates(models.filter((model) => model.callable));
    return {
      status: overall(directory, byState),
      directory,
      by_state: byState,
      models: found.slice(skip, skip + limit),
      total: found.length,
      skip,
      limit,
    };
  }

  metrics({ skip = 0, limit = DEFAULT_STATUS_LIMIT }: MetricsQuery): MetricsReport {
    const all = this.callMetrics.all();
    const { startedAt, runningSince } = this.callMetrics;
    return {
      since: new Date(startedAt).toISOString(),
      uptime_seconds: Math.round((performance.now() - runningSince) / 100) / 10,
      open_calls: this.tracker.openCalls,
      unsent_calls: this.usage.unsentCalls,
      totals: sumCalls(all),
      models: all.slice(skip, skip + limit).map(toModelMetrics),
      total: all.length,
      skip,
      limit,
    };
  }

  private view(model: SnapshotModel): ModelHealthView {
    const record = this.modelHealth.describe(model);
    return {
      id: model.id,
      alias: model.alias,
      provider: model.provider,
      callable: isCallable(model),
      state: record.state,
      attempts: record.attempts,
      failures: record.failures,
      failed_in_a_row: record.failedInARow,
      last_outcome: record.lastOutcome,
      last_at: timeOf(record.lastAt),
      last_success_at: timeOf(record.lastOkAt),
    };
  }
}

const countStates = (models: readonly ModelHealthView[]): Record<HealthState, number> => {
  const numbers = HEALTH_STATES.map((state) => [state, models.filter((model) => model.state === state).length]);
  return Object.fromEntries(numbers) as Record<HealthState, number>;
};

const overall = (directory: DirectoryStatus, byState: Record<HealthState, number>): HealthReport['status'] => {
  const callable = HEALTH_STATES.reduce((sum, state) => sum + byState[state], 0);
  const areAllUnhealthy = callable > 0 && byState.unhealthy === callable;
  if (directory.status === 'down' || areAllUnhealthy) return 'down';
  return directory.status === 'up' && byState.unhealthy === 0 ? 'ok' : 'degraded';
};
