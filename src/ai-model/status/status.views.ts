import {
  BooleanField,
  ChoiceField,
  AnswerField,
  fromQueryBoolean,
  fromQueryInteger,
  IntegerField,
} from '../../contract/fields.js';
import { CONFIGURATION_SOURCES, type ConfigurationSource } from '../../contract/instance.contract.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import { DurationSummary, TokenTotals } from '../../contract/statistics.contract.js';
import { CALL_OUTCOMES, type CallOutcome } from '../../contract/usage.contract.js';
import { HEALTH_STATES, type HealthState } from '../choosing/model-health.js';

export const DEFAULT_STATUS_LIMIT = 100;

/** A page of either list. */
class StatusPage {
  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: DEFAULT_STATUS_LIMIT })
  limit?: number;
}

/** Query of `GET /status/health`. */
export class HealthQuery extends StatusPage {
  @ChoiceField(HEALTH_STATES, { name: 'HealthState' })
  state?: HealthState;

  @fromQueryBoolean()
  @BooleanField({ description: 'Only models that can be called, or only those that cannot' })
  callable?: boolean;
}

/** Query of `GET /status/metrics`. */
export class MetricsQuery extends StatusPage {}

const TIME = { type: 'string', format: 'date-time', nullable: true } as const;

/** How old what this process knows of models, keys and tokens is. */
export class DirectoryStatus {
  @AnswerField({
    type: 'string',
    enum: ['up', 'degraded', 'down'],
    description: 'degraded: storage cannot be asked, or has not answered yet',
  })
  status: 'up' | 'degraded' | 'down';
  @AnswerField({ type: 'integer', nullable: true }) revision: number | null;
  @AnswerField({ type: 'integer' }) models: number;
  @AnswerField({
    enum: [...CONFIGURATION_SOURCES],
    enumName: 'ConfigurationSource',
    nullable: true,
    description: 'file: the last-known-good file of an earlier process, until storage answers; null: nothing is known',
  })
  source: ConfigurationSource | null;
  @AnswerField({ ...TIME, description: 'When that file was written; null: it is not from a file' })
  saved_at: string | null;
  @AnswerField({ ...TIME, description: 'When storage last told that this is the newest' }) last_contact_at:
    string | null;
  @AnswerField({ type: 'number', nullable: true, description: 'Seconds since then, or since the file was written' })
  age_seconds: number | null;
}

/** How a model does, as this process learned from the last calls and tests of it. */
export class ModelHealthView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) alias: string;
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'boolean', description: 'Switched on, with a key that can be read' })
  callable: boolean;
  @AnswerField({
    enum: [...HEALTH_STATES],
    enumName: 'HealthState',
    description:
      'unhealthy: the last three failed, or half of them; degraded: some did; unknown: nothing of the last minute',
  })
  state: HealthState;
  @AnswerField({ type: 'integer', description: 'Attempts that the state is made of: of the last minute, at most 20' })
  attempts: number;
  @AnswerField({ type: 'integer' }) failures: number;
  @AnswerField({ type: 'integer' }) failed_in_a_row: number;
  @AnswerField({ enum: [...CALL_OUTCOMES], enumName: 'CallOutcome', nullable: true }) last_outcome: CallOutcome | null;
  @AnswerField(TIME) last_at: string | null;
  @AnswerField(TIME) last_success_at: string | null;
}

const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;

/** Answer of `GET /status/health`; the worst models first. `total` counts what the filter matches. */
export class HealthReport {
  @AnswerField({
    type: 'string',
    enum: ['ok', 'degraded', 'down'],
    description:
      'down: nothing is known yet, or every model that can be called is unhealthy; degraded: storage cannot be asked, or a callable model is unhealthy',
  })
  status: 'ok' | 'degraded' | 'down';
  @AnswerField({ type: DirectoryStatus }) directory: DirectoryStatus;
  @AnswerField({ ...counts, description: 'Models that can be called, by state' }) by_state: Record<HealthState, number>;
  @AnswerField({ type: [ModelHealthView] }) models: ModelHealthView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}

/** Calls since the process started. */
export class CallSums {
  @AnswerField({ type: 'integer' }) calls: number;
  @AnswerField({ type: 'integer', description: 'Calls that failed; one that its caller gave up is none' })
  errors: number;
  @AnswerField({ ...counts, description: 'Calls by how they ended; what is 0 is left out' })
  outcomes: Record<string, number>;
  @AnswerField({ type: 'integer', description: 'Requests that providers were sent, retries included' })
  attempts: number;
  @AnswerField({ type: TokenTotals }) tokens: TokenTotals;
  @AnswerField({ type: 'integer', description: 'Calls whose tokens are an estimate' }) estimated_calls: number;
  @AnswerField({ type: DurationSummary, description: 'Of whole calls' }) latency_ms: DurationSummary;
  @AnswerField({ type: DurationSummary, description: 'Until the first byte of the answer' })
  first_byte_ms: DurationSummary;
}

/** The calls of one alias. */
export class ModelMetrics extends CallSums {
  @AnswerField({ type: 'string' }) alias: string;
  @AnswerField({ type: 'string' }) provider: string;
  @AnswerField({ type: 'string', format: 'date-time' }) last_call_at: string;
}

/** Answer of `GET /status/metrics`: of this process alone; statistics tell of all of them. */
export class MetricsReport {
  @AnswerField({ type: 'string', format: 'date-time' }) since: string;
  @AnswerField({ type: 'number' }) uptime_seconds: number;
  @AnswerField({ type: 'integer', description: 'Calls under way' }) open_calls: number;
  @AnswerField({ type: 'integer', description: 'Calls whose usage storage has not taken yet' }) unsent_calls: number;
  @AnswerField({ type: CallSums }) totals: CallSums;
  @AnswerField({ type: [ModelMetrics], description: 'By number of calls' }) models: ModelMetrics[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}
