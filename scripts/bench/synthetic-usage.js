// Calls that never were, in the records that the AI model service would have made of them: the same code adds them up.
import { randomUUID } from 'node:crypto';
import 'reflect-metadata';

const { MAX_HISTOGRAM_NUMBERS_PER_BATCH, MAX_RECORDS_PER_BATCH, MINUTE_MILLISECONDS } =
  await import('../../dist/src/contract/usage.contract.js');
const { addCall, emptyRecord, histogramLength, kindOf, toSend } =
  await import('../../dist/src/ai-model/usage/usage-record.js');

const MODELS = 4;
const TOKENS = ['a', 'b', 'c'];
const ERRORS = ['timeout', 'rate_limit', 'server', 'overloaded'];
const ERROR_SHARE = 0.02;

const models = Array.from({ length: MODELS }, (_, index) => ({
  id: randomUUID(),
  version: 1,
  alias: `model-${index}`,
  provider: 'openai_compatible',
  input_price_per_million: 1 + index,
  cached_input_price_per_million: 0.25,
  output_price_per_million: 4 + index,
}));

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

const aCall = () => {
  const index = Math.floor(Math.random() * MODELS);
  const totalMs = 600 * (1 + index) * Math.exp(0.6 * normal());
  return {
    model: models[index],
    tokenId: pick(TOKENS),
    source: 'api',
    streamed: Math.random() < 0.5,
    outcome: Math.random() < ERROR_SHARE ? pick(ERRORS) : 'ok',
    prompt: null,
    error: null,
    usage: {
      inputTokens: 100 + Math.floor(Math.random() * 2000),
      cachedTokens: Math.floor(Math.random() * 100),
      outputTokens: Math.floor(Math.random() * 500),
      reasoningTokens: 0,
      estimated: false,
    },
    firstByteMs: totalMs * (0.1 + 0.2 * Math.random()),
    totalMs,
  };
};

/** Batches of records with `calls` calls, spread over these minutes (milliseconds since 1970). */
export function* syntheticBatches(calls, minutes) {
  let records = [];
  let numbers = 0;
  let done = 0;
  for (const [index, minute] of minutes.entries()) {
    const kinds = new Map();
    for (const until = Math.round((calls * (index + 1)) / minutes.length); done < until; done += 1) {
      const call = aCall();
      const at = minute + Math.floor(Math.random() * MINUTE_MILLISECONDS);
      const kind = kindOf(call, at);
      if (!kinds.has(kind)) kinds.set(kind, emptyRecord(call, at));
      addCall(kinds.get(kind), call, at);
    }
    for (const record of kinds.values()) {
      const length = histogramLength(record);
      if (records.length === MAX_RECORDS_PER_BATCH || numbers + length > MAX_HISTOGRAM_NUMBERS_PER_BATCH) {
        yield { batch_id: randomUUID(), records };
        [records, numbers] = [[], 0];
      }
      records.push(toSend(record));
      numbers += length;
    }
  }
  if (records.length > 0) yield { batch_id: randomUUID(), records };
}
