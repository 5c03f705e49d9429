import { randomUUID } from 'node:crypto';
import { bucketOf } from '../../src/contract/histogram.js';
import { MINUTE_MILLISECONDS, type UsageBatch, type UsageRecord } from '../../src/contract/usage.contract.js';

/** One good call of a model of its own, this minute; typed, so that a change of the contract shows. */
export const aUsageRecord = (fields: Partial<UsageRecord> = {}): UsageRecord => ({
  config_id: randomUUID(),
  config_version: 1,
  alias: 'counted',
  provider: 'openai_compatible',
  token_id: null,
  source: 'api',
  outcome: 'ok',
  streamed: false,
  prompt_id: null,
  prompt_name: null,
  prompt_version: null,
  prompt_label: null,
  input_price_per_million: null,
  cached_input_price_per_million: null,
  output_price_per_million: null,
  minute: Date.now() - (Date.now() % MINUTE_MILLISECONDS),
  calls: 1,
  estimated_calls: 0,
  input_tokens: 3,
  cached_tokens: 1,
  output_tokens: 2,
  reasoning_tokens: 1,
  first_byte_calls: 1,
  first_byte_ms: 5,
  total_ms: 9,
  latency: [bucketOf(9), 1],
  first_byte: [bucketOf(5), 1],
  last_at: Date.now(),
  last_error: null,
  ...fields,
});

export const aUsageBatch = (...records: UsageRecord[]): UsageBatch => ({ batch_id: randomUUID(), records });
