import { AnswerField } from './fields.js';

const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;

/** Sums over all calls since the beginning. */
export class TokenTotals {
  @AnswerField({ type: 'integer' }) input: number;
  @AnswerField({ type: 'integer' }) cached: number;
  @AnswerField({ type: 'integer' }) output: number;
  @AnswerField({ type: 'integer' }) reasoning: number;
}

/** Answer of `GET /statistics`. */
export class ModelStatistics {
  @AnswerField({ type: 'integer' }) total_models: number;
  @AnswerField({ type: 'integer' }) active_models: number;
  @AnswerField({ ...counts, description: 'Models by provider' }) by_provider: Record<string, number>;
  @AnswerField({ ...counts, description: 'Models by status' }) by_status: Record<string, number>;
  @AnswerField({ type: 'integer', description: 'Calls, good and bad' }) usage_count: number;
  @AnswerField({ type: 'integer' }) error_count: number;
  @AnswerField({ ...counts, description: 'Calls by error class' }) errors_by_class: Record<string, number>;
  @AnswerField({ type: TokenTotals }) tokens: TokenTotals;
}
