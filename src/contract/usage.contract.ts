import type { HistogramPairs } from './histogram.js';
import type { Provider } from './providers.js';

/** How a call ended: `ok`, or the class of its error, the same for every provider. */
export const CALL_OUTCOMES = [
  'ok',
  'auth',
  'quota',
  'rate_limit',
  'overloaded',
  'context_too_long',
  'content_filter',
  'not_found',
  'timeout',
  'network',
  'server',
  'bad_request',
  'bad_answer',
  'blocked_destination',
  'credential_unavailable',
  'client_gone',
] as const;

export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** Who asked: an API caller, the console's playground or a connection test. */
export const CALL_SOURCES = ['api', 'playground', 'test'] as const;
export type CallSource = (typeof CALL_SOURCES)[number];

/**
 * The calls of one minute that are alike, added up where they were made: what travels and what is kept through an outage
 * grows with the kinds of calls, not with their number. Every call is in exactly one record. Times are milliseconds.
 */
export interface UsageRecord {
  config_id: string;
  /** Version of the config the calls were made with: a bad key is noted only while it is still that key. */
  config_version: number;
  alias: string;
  provider: Provider;
  token_id: string | null;
  source: CallSource;
  outcome: CallOutcome;
  streamed: boolean;
  /** The system prompt the calls were made with; all null: none. `prompt_label` is null when a version was asked for. */
  prompt_id: string | null;
  prompt_name: string | null;
  prompt_version: number | null;
  prompt_label: string | null;
  /** US dollars per million tokens, as the config had them when the calls were made. */
  input_price_per_million: number | null;
  /** null: cached tokens cost what the others cost. */
  cached_input_price_per_million: number | null;
  output_price_per_million: number | null;
  /** Beginning of the minute, since 1970. */
  minute: number;
  calls: number;
  /** Calls whose tokens are an estimate, since the provider told none. */
  estimated_calls: number;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  /** Calls that had a first byte; `first_byte_ms` is their sum. */
  first_byte_calls: number;
  first_byte_ms: number;
  total_ms: number;
  /** How long the calls took, and how long until the first byte; a call may be missing, never counted twice. */
  latency: HistogramPairs;
  first_byte: HistogramPairs;
  /** When the newest of them ended, since 1970, and what went wrong with it, scrubbed of secrets; null: nothing. */
  last_at: number;
  last_error: string | null;
}

export const MAX_RECORDS_PER_BATCH = 1000;
/** Numbers in all histograms of a batch: with a thousand records around them still less than a body may have values. */
export const MAX_HISTOGRAM_NUMBERS_PER_BATCH = 50_000;
export const MINUTE_MILLISECONDS = 60_000;

/**
 * Body of `POST /internal/v1/usage`: sent again under the same id until it is acknowledged, counted once. What an older
 * AI model service does not send has a default, see `readUsageBatch`.
 */
export interface UsageBatch {
  batch_id: string;
  records: UsageRecord[];
}

/** `duplicate`: this batch had been counted before. */
export interface UsageReceipt {
  batch_id: string;
  accepted: number;
  duplicate: boolean;
}
