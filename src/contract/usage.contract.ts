import { isPlainObject } from './fields.js';
import { PROVIDERS, type Provider } from './providers.js';

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

/** One call of one model. */
export interface UsageRecord {
  config_id: string;
  /** Version of the config the call was made with: a bad key is noted only while it is still that key. */
  config_version: number;
  alias: string;
  provider: Provider;
  token_id: string | null;
  source: CallSource;
  outcome: CallOutcome;
  /** Scrubbed of secrets; null when the call went well. */
  error: string | null;
  streamed: boolean;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  usage_estimated: boolean;
  /** Milliseconds to the first byte of the provider's answer; null when there was none. */
  first_byte_ms: number | null;
  total_ms: number;
  /** Milliseconds since 1970 at which the call ended. */
  at: number;
}

export const MAX_RECORDS_PER_BATCH = 1000;

/** Body of `POST /internal/v1/usage`: sent again under the same id until it is acknowledged, counted once. */
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

type Check = (value: unknown) => boolean;
const uuid: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value);
const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max && !value.includes('\0');
const whole =
  (max: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const truth: Check = (value) => typeof value === 'boolean';

const tokens = whole(1_000_000_000);
const milliseconds = whole(86_400_000);

const RECORD_CHECKS: Record<keyof UsageRecord, Check> = {
  config_id: uuid,
  config_version: whole(2_147_483_647),
  alias: text(100),
  provider: oneOf(PROVIDERS),
  token_id: orNull(text(64)),
  source: oneOf(CALL_SOURCES),
  outcome: oneOf(CALL_OUTCOMES),
  error: orNull(text(1000)),
  streamed: truth,
  input_tokens: tokens,
  cached_tokens: tokens,
  output_tokens: tokens,
  reasoning_tokens: tokens,
  usage_estimated: truth,
  first_byte_ms: orNull(milliseconds),
  total_ms: milliseconds,
  at: whole(8_640_000_000_000),
};
const CHECKS = Object.entries(RECORD_CHECKS);

/**
 * Says what is wrong with a batch, or null. Written out by hand and not with class-validator: this is the one body
 * that arrives a thousand records at a time, all the time.
 */
export const usageBatchProblem = (body: unknown): string | null => {
  if (!isPlainObject(body) || !uuid(body['batch_id'])) return 'batch_id must be a UUID';
  const records = body['records'];
  if (!Array.isArray(records) || records.length > MAX_RECORDS_PER_BATCH) {
    return `records must be a list of at most ${MAX_RECORDS_PER_BATCH}`;
  }
  for (const [index, record] of records.entries()) {
    if (!isPlainObject(record)) return `records[${index}] must be an object`;
    const wrong = CHECKS.find(([name, check]) => !check(record[name]));
    if (wrong) return `records[${index}].${wrong[0]} is not valid`;
  }
  return null;
};
