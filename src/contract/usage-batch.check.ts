import { isPlainObject } from './fields.js';
import { MAX_BUCKET } from './histogram.js';
import { PROVIDERS } from './providers.js';
import {
  CALL_OUTCOMES,
  CALL_SOURCES,
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  MINUTE_MILLISECONDS,
  type UsageBatch,
  type UsageRecord,
} from './usage.contract.js';

type Check = (value: unknown) => boolean;
const uuid: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value);
const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max && !value.includes('\0');
/** Half a surrogate pair is stored as another character: two names that differ would be one. */
const name =
  (max: number): Check =>
  (value) =>
    text(max)(value) && (value as string).isWellFormed();
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

const MOST = 1_000_000_000_000;
/** More than any sum of a minute, and safe to add up. */
const sum = whole(MOST);
const time = whole(8_640_000_000_000);
/** More than any minute has; a stored histogram needs some bytes for every four million. */
const bucketCalls = whole(100_000_000);
/** What the column of a config's price holds. */
const price: Check = (value) => typeof value === 'number' && value >= 0 && value < 100_000_000;

/** How many calls a histogram has; -1: it is none. */
const callsInPairs = (value: unknown): number => {
  if (!Array.isArray(value) || value.length % 2 !== 0) return -1;
  let last = -1;
  let calls = 0;
  for (let at = 0; at < value.length; at += 2) {
    const [bucket, count] = [value[at] as unknown, value[at + 1] as unknown];
    if (!whole(MAX_BUCKET)(bucket) || !bucketCalls(count) || (bucket as number) <= last || count === 0) return -1;
    last = bucket as number;
    calls += count as number;
  }
  return calls;
};
const histogram: Check = (value) => callsInPairs(value) >= 0;

const RECORD_CHECKS: Record<keyof UsageRecord, Check> = {
  config_id: uuid,
  config_version: whole(2_147_483_647),
  alias: name(100),
  provider: oneOf(PROVIDERS),
  token_id: orNull(name(64)),
  source: oneOf(CALL_SOURCES),
  outcome: oneOf(CALL_OUTCOMES),
  streamed: truth,
  prompt_id: orNull(uuid),
  prompt_name: orNull(name(100)),
  prompt_version: orNull(whole(2_147_483_647)),
  prompt_label: orNull(name(100)),
  input_price_per_million: orNull(price),
  cached_input_price_per_million: orNull(price),
  output_price_per_million: orNull(price),
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
  latency: histogram,
  first_byte: histogram,
  last_at: time,
  last_error: orNull(text(1000)),
};
const CHECKS = Object.entries(RECORD_CHECKS);

/** The two services may be of different versions: what an older one does not know yet. */
const DEFAULTS = Object.entries({
  prompt_id: null,
  prompt_name: null,
  prompt_version: null,
  prompt_label: null,
  input_price_per_million: null,
  cached_input_price_per_million: null,
  output_price_per_million: null,
  latency: [],
  first_byte: [],
} satisfies Partial<UsageRecord>);

/** The field of a record that is wrong; null: none. Missing fields get their default. */
const wrongField = (record: Record<string, unknown>): string | null => {
  for (const [field, value] of DEFAULTS) if (record[field] === undefined) record[field] = value;
  const wrong = CHECKS.find(([field, check]) => !check(record[field]));
  if (wrong) return wrong[0];
  const { calls, first_byte_calls: answered, latency, first_byte: firstByte } = record as unknown as UsageRecord;
  if (callsInPairs(latency) > calls) return 'latency';
  return callsInPairs(firstByte) > answered ? 'first_byte' : null;
};

const lengthOf = ({ latency, first_byte: firstByte }: UsageRecord): number => latency.length + firstByte.length;

/** Reads the body of a batch, or says what is wrong with it. */
export const readUsageBatch = (body: unknown): UsageBatch | { problem: string } => {
  if (!isPlainObject(body) || !uuid(body['batch_id'])) return { problem: 'batch_id must be a UUID' };
  const records = body['records'];
  if (!Array.isArray(records) || records.length > MAX_RECORDS_PER_BATCH) {
    return { problem: `records must be a list of at most ${MAX_RECORDS_PER_BATCH}` };
  }
  let numbers = 0;
  for (const [index, record] of records.entries()) {
    if (!isPlainObject(record)) return { problem: `records[${index}] must be an object` };
    const field = wrongField(record);
    if (field) return { problem: `records[${index}].${field} is not valid` };
    numbers += lengthOf(record as unknown as UsageRecord);
  }
  if (numbers > MAX_HISTOGRAM_NUMBERS_PER_BATCH) {
    return { problem: `the histograms of a batch must not have more than ${MAX_HISTOGRAM_NUMBERS_PER_BATCH} numbers` };
  }
  return { batch_id: body['batch_id'] as string, records: records as UsageRecord[] };
};
