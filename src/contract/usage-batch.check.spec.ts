import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MAX_BUCKET } from './histogram.js';
import { readUsageBatch } from './usage-batch.check.js';
import { MAX_HISTOGRAM_NUMBERS_PER_BATCH, MAX_RECORDS_PER_BATCH } from './usage.contract.js';

type Json = Record<string, unknown>;

/** As the AI model service of the version before sent it. */
const anOldRecord = (fields: Json = {}): Json => ({
  config_id: randomUUID(),
  config_version: 1,
  alias: 'a',
  provider: 'openai',
  token_id: null,
  source: 'api',
  outcome: 'ok',
  streamed: true,
  minute: 60_000,
  calls: 10,
  estimated_calls: 0,
  input_tokens: 1,
  cached_tokens: 0,
  output_tokens: 1,
  reasoning_tokens: 0,
  first_byte_calls: 4,
  first_byte_ms: 1,
  total_ms: 1,
  last_at: 60_001,
  last_error: null,
  ...fields,
});
const aBatch = (...records: unknown[]): Json => ({ batch_id: randomUUID(), records });
const problemOf = (...records: unknown[]): string | null => {
  const read = readUsageBatch(aBatch(...records));
  return 'problem' in read ? read.problem : null;
};

describe('a batch of usage', () => {
  it('of an older AI model service gets defaults for what that did not know', () => {
    const batch = aBatch(anOldRecord());
    const read = readUsageBatch(structuredClone(batch));
    expect(read).toEqual({
      batch_id: batch['batch_id'],
      records: [
        {
          ...(batch['records'] as Json[])[0],
          prompt_id: null,
          prompt_name: null,
          prompt_version: null,
          prompt_label: null,
          input_price_per_million: null,
          cached_input_price_per_million: null,
          output_price_per_million: null,
          latency: [],
          first_byte: [],
        },
      ],
    });
  });

  it('may have fields that are not known yet', () => {
    expect(problemOf(anOldRecord({ of_tomorrow: 1 }))).toBeNull();
    expect(readUsageBatch({ ...aBatch(anOldRecord()), problem: 'none' })).not.toHaveProperty('problem');
  });

  it.each<[string, Json]>([
    ['prompt_id', { prompt_id: 'greeting' }],
    ['prompt_name', { prompt_name: 'x'.repeat(101) }],
    ['prompt_name', { prompt_name: 'half \ud83d' }],
    ['alias', { alias: 'half \ud83d' }],
    ['prompt_version', { prompt_version: -1 }],
    ['prompt_label', { prompt_label: 7 }],
    ['input_price_per_million', { input_price_per_million: -0.1 }],
    ['output_price_per_million', { output_price_per_million: 1e8 }],
    ['cached_input_price_per_million', { cached_input_price_per_million: '1' }],
    ['latency', { latency: null }],
    ['latency', { latency: {} }],
    ['latency', { latency: [1] }],
    ['latency', { latency: [1, 0] }],
    ['latency', { latency: [1, 1.5] }],
    ['latency', { latency: [1, 1, 1, 1] }],
    ['latency', { latency: [2, 1, 1, 1] }],
    ['latency', { latency: [MAX_BUCKET + 1, 1] }],
    ['latency', { latency: [-1, 1] }],
    ['latency', { latency: [1, '1'] }],
    ['latency', { latency: [1, 6, 2, 5] }],
    ['first_byte', { first_byte: [1, 5] }],
  ])('is refused for its %s: %j', (field, fields) => {
    expect(problemOf(anOldRecord(), anOldRecord(fields))).toBe(`records[1].${field} is not valid`);
  });

  it('is taken with histograms of as many calls as there are', () => {
    const fields = { latency: [0, 4, MAX_BUCKET, 6], first_byte: [7, 4] };
    expect(problemOf(anOldRecord(fields))).toBeNull();
  });

  it('has so many records, and so many numbers in its histograms', () => {
    const latency = (numbers: number): number[] =>
      Array.from({ length: numbers }, (_, index) => (index % 2 === 0 ? index / 2 : 1));
    const records = (numbers: number): Json[] =>
      Array.from({ length: numbers / 50 }, () => anOldRecord({ calls: 25, latency: latency(50) }));
    expect(records(MAX_HISTOGRAM_NUMBERS_PER_BATCH)).toHaveLength(MAX_RECORDS_PER_BATCH);
    expect(problemOf(...records(MAX_HISTOGRAM_NUMBERS_PER_BATCH))).toBeNull();
    const [first, ...others] = records(MAX_HISTOGRAM_NUMBERS_PER_BATCH);
    expect(problemOf({ ...first, calls: 26, latency: latency(52) }, ...others)).toMatch(
      /must not have more than 50000/,
    );
    expect(problemOf(first, first, ...others)).toBe('records must be a list of at most 1000');
  });
});
