import { randomUUID } from 'node:crypto';
import {
  addCall,
  emptyRecord,
  type FinishedCall,
  histogramLength,
  kindOf,
  toSend,
} from '../../src/ai-model/usage/usage-record.js';
import type { SnapshotModel } from '../../src/contract/snapshot.contract.js';
import {
  type CallOutcome,
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  type UsageBatch,
  type UsageRecord,
} from '../../src/contract/usage.contract.js';

/** Mulberry32: the same numbers for the same seed, from 0 to 1. */
export const randomNumbers = (start: number): (() => number) => {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const OUTCOMES: CallOutcome[] = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'timeout', 'rate_limit', 'client_gone'];
export const TOKENS = ['token-a', 'token-b', null];
/** Units of 10^-6 US dollars per million tokens: whole, so that the costs a test adds up are exact, too. */
export const PRICES = [
  { input: 150_000, cached: 15_000, output: 600_000 },
  { input: 2_500_001, cached: null, output: 10_000_000 },
  null,
];
const dollars = (units: number | null | undefined): number | null =>
  (units ?? null) === null ? null : (units as number) / 1e6;

export const MODELS = PRICES.map(
  (price, index) =>
    ({
      id: randomUUID(),
      version: 1,
      alias: `model-${index}`,
      provider: 'openai_compatible',
      input_price_per_million: dollars(price?.input),
      cached_input_price_per_million: dollars(price?.cached),
      output_price_per_million: dollars(price?.output),
    }) as SnapshotModel,
);

/** Calls as columns: a million of them as objects would be all that a test has to do. */
export interface CallColumns {
  length: number;
  minute: Float64Array;
  model: Uint8Array;
  token: Uint8Array;
  outcome: Uint8Array;
  input: Uint32Array;
  cached: Uint32Array;
  output: Uint32Array;
  /** 0: no first byte. */
  firstByteMs: Float64Array;
  totalMs: Float64Array;
}

/** Random calls in the order of these minutes, as many in each. */
export const syntheticCalls = (length: number, minutes: readonly number[], random: () => number): CallColumns => {
  const calls: CallColumns = {
    length,
    minute: new Float64Array(length),
    model: new Uint8Array(length),
    token: new Uint8Array(length),
    outcome: new Uint8Array(length),
    input: new Uint32Array(length),
    cached: new Uint32Array(length),
    output: new Uint32Array(length),
    firstByteMs: new Float64Array(length),
    totalMs: new Float64Array(length),
  };
  const below = (limit: number): number => Math.floor(random() * limit);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (let index = 0; index < length; index += 1) {
    const model = below(MODELS.length);
    // From a fraction of a millisecond to minutes, with two humps.
    const totalMs = (random() < 0.2 ? 0.7 : 900 * (1 + model)) * Math.exp(0.9 * normal());
    calls.minute[index] = minutes[Math.floor((index * minutes.length) / length)] as number;
    calls.model[index] = model;
    calls.token[index] = below(TOKENS.length);
    calls.outcome[index] = below(OUTCOMES.length);
    calls.input[index] = below(4000);
    calls.cached[index] = below((calls.input[index] as number) + 1);
    calls.output[index] = below(800);
    calls.firstByteMs[index] = random() < 0.9 ? totalMs * (0.05 + 0.3 * random()) : 0;
    calls.totalMs[index] = totalMs;
  }
  return calls;
};

const toFinished = (calls: CallColumns, index: number): FinishedCall => ({
  model: MODELS[calls.model[index] as number] as SnapshotModel,
  tokenId: TOKENS[calls.token[index] as number] as string | null,
  source: 'api',
  streamed: index % 2 === 0,
  outcome: OUTCOMES[calls.outcome[index] as number] as CallOutcome,
  attempts: 1,
  prompt: null,
  error: null,
  usage: {
    inputTokens: calls.input[index] as number,
    cachedTokens: calls.cached[index] as number,
    outputTokens: calls.output[index] as number,
    reasoningTokens: 0,
    estimated: index % 10 === 0,
  },
  firstByteMs: calls.firstByteMs[index] || null,
  totalMs: calls.totalMs[index] as number,
  overheadMs: null,
  isFallback: false,
});

function* recordsOf(calls: CallColumns): Generator<UsageRecord> {
  let kinds = new Map<string, UsageRecord>();
  for (let index = 0; index < calls.length; index += 1) {
    const at = calls.minute[index] as number;
    if (index > 0 && at !== calls.minute[index - 1]) {
      yield* kinds.values();
      kinds = new Map();
    }
    const call = toFinished(calls, index);
    const kind = kindOf(call, at);
    const record = kinds.get(kind) ?? emptyRecord(call, at);
    kinds.set(kind, record);
    addCall(record, call, at);
  }
  yield* kinds.values();
}

/** The batches that the AI model service would have sent of these calls: its own code adds them up. */
export function* batchesOf(calls: CallColumns): Generator<UsageBatch> {
  let records: UsageRecord[] = [];
  let numbers = 0;
  for (const record of recordsOf(calls)) {
    numbers += histogramLength(record);
    if (records.length === MAX_RECORDS_PER_BATCH || numbers > MAX_HISTOGRAM_NUMBERS_PER_BATCH) {
      yield { batch_id: randomUUID(), records };
      records = [];
      numbers = histogramLength(record);
    }
    records.push(toSend(record));
  }
  if (records.length > 0) yield { batch_id: randomUUID(), records };
}
