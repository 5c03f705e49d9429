import { AnswerField } from './fields.js';
import { INTERVALS, type Interval } from './statistics-query.contract.js';

const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;
const milliseconds = { type: 'number', nullable: true } as const;

export class TokenTotals {
  @AnswerField({ type: 'integer' }) input: number;
  @AnswerField({ type: 'integer', description: 'Part of the input' }) cached: number;
  @AnswerField({ type: 'integer' }) output: number;
  @AnswerField({ type: 'integer', description: 'Part of the output' }) reasoning: number;
}

/** Milliseconds; percentiles are within 2 % of the exact ones. null: no calls to tell it of. */
export class DurationSummary {
  @AnswerField(milliseconds) p50: number | null;
  @AnswerField(milliseconds) p95: number | null;
  @AnswerField(milliseconds) p99: number | null;
  @AnswerField(milliseconds) mean: number | null;
}

/** What is added up of calls in every answer. */
class UsageTotals {
  @AnswerField({ type: 'integer', description: 'Calls whose tokens are an estimate' }) estimated_calls: number;
  @AnswerField({ type: 'integer', description: 'Calls that cost more than `cost_usd` says: a price was not set' })
  unpriced_calls: number;
  @AnswerField({ type: TokenTotals }) tokens: TokenTotals;
  @AnswerField({ type: 'number', description: 'US dollars, by the prices of the time' }) cost_usd: number;
  @AnswerField({ type: DurationSummary, description: 'Of whole calls' }) latency_ms: DurationSummary;
  @AnswerField({ type: DurationSummary, description: 'Until the first byte of the answer' })
  first_byte_ms: DurationSummary;
}

/** Totals of some of the calls. */
export class CallTotals extends UsageTotals {
  @AnswerField({ type: 'integer', description: 'Good and bad' }) calls: number;
  @AnswerField({ type: 'integer' }) errors: number;
}

export class StatisticsPoint extends CallTotals {
  @AnswerField({ type: 'string', format: 'date-time', description: 'Beginning of the interval in the time zone' })
  start: string;
}

/** One group, or all calls when nothing is grouped. */
export class StatisticsSeries {
  @AnswerField({
    type: 'object',
    additionalProperties: { type: ['string', 'integer', 'null'] },
    example: { model: 'fast' },
    description: 'What its calls have in common; empty when nothing is grouped',
  })
  group: Record<string, string | number | null>;
  @AnswerField({ type: CallTotals }) totals: CallTotals;
  @AnswerField({ type: [StatisticsPoint], description: 'Without gaps; empty without `interval`' })
  points: StatisticsPoint[];
}

/** The groups that are not among the largest, added up. */
export class OtherGroups {
  @AnswerField({ type: CallTotals }) totals: CallTotals;
  @AnswerField({ type: [StatisticsPoint] }) points: StatisticsPoint[];
}

/** Answer of `GET /statistics`. */
export class ModelStatistics extends UsageTotals {
  @AnswerField({ type: 'integer' }) total_models: number;
  @AnswerField({ type: 'integer' }) active_models: number;
  @AnswerField({ ...counts, description: 'Models by provider' }) by_provider: Record<string, number>;
  @AnswerField({ ...counts, description: 'Models by status' }) by_status: Record<string, number>;
  @AnswerField({ type: 'integer', description: 'Calls of the range, good and bad' }) usage_count: number;
  @AnswerField({ type: 'integer' }) error_count: number;
  @AnswerField({ ...counts, description: 'Calls by error class' }) errors_by_class: Record<string, number>;
  @AnswerField({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'The range that was really used: earlier than asked for where rows by the minute are gone; null: all',
  })
  from: string | null;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) to: string | null;
  @AnswerField({ enum: INTERVALS, nullable: true }) interval: Interval | null;
  @AnswerField({ type: 'string' }) tz: string;
  @AnswerField({ type: 'string', nullable: true }) group_by: string | null;
  @AnswerField({ type: [StatisticsSeries], nullable: true, description: 'With `interval` or `group_by`' })
  series: StatisticsSeries[] | null;
  @AnswerField({ type: 'integer', nullable: true, description: 'Groups there are; more than in `series`: see `other`' })
  groups_total: number | null;
  @AnswerField({ type: OtherGroups, nullable: true }) other: OtherGroups | null;
}
