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
  /** When the newest of them ended, since 1970, and what went wrong with it, scrubbed of secrets; null: nothing. */
  last_at: number;
  last_error: string | null;
}

export const MAX_RECORDS_PER_BATCH = 1000;
export const MINUTE_MILLISECONDS = 60_000;

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

/** More than any sum of a minute, and safe to add up. */
const sum = whole(1_000_000_000_000);
const time = whole(8_640_000_000_000);

const RECORD_CHECKS: Record<keyof UsageRecord, Check> = {
  config_id: uuid,
  config_version: whole(2_147_483_647),
  alias: text(100),
  provider: oneOf(PROVIDERS),
  token_id: orNull(text(64)),
  source: oneOf(CALL_SOURCES),
  outcome: oneOf(CALL_OUTCOMES),
  streamed: truth,
  minute: (value) => time(value) && (value as number) % MINUTE_MILLISECONDS === 0,
  calls: (value) => sum(value) && (value as number) > 0,
  estimated_calls: sum,
  input_tokens: sum,
  cached_tokens: sum,
  output_tokens: sum,
  reasoning_tokens: sum,
  first_byte_calls: sum,
  first_byte_ms: sum,
  total_ms: sum,
  last_at: time,
  last_error: orNull(text(1000)),
};
const CHECKS = Object.entries(RECORD_CHECKS);

/** Says what is wrong with a batch, or null. */
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
