import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { bucketOf } from '../../contract/histogram.js';
import { readUsageBatch } from '../../contract/usage-batch.check.js';
import {
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  type UsageBatch,
  type UsageReceipt,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { costProblem } from '../../platform/http/json-cost.js';
import type { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { UsageBuffer } from './usage-buffer.js';
import type { FinishedCall } from './usage-record.js';

const model = {
  id: '2d29aba2-a695-4015-8164-ea46106fca36',
  version: 3,
  alias: 'fast',
  provider: 'openai',
  input_price_per_million: 1.5,
  cached_input_price_per_million: null,
  output_price_per_million: 6,
} as FinishedCall['model'];

const aCall = (fields: Partial<FinishedCall> = {}): FinishedCall => ({
  model,
  tokenId: 'token',
  source: 'api',
  streamed: false,
  outcome: 'ok',
  attempts: 1,
  prompt: null,
  error: null,
  usage: { inputTokens: 3, cachedTokens: 1, outputTokens: 2, reasoningTokens: 1, estimated: false },
  firstByteMs: 10.25,
  totalMs: 20.5,
  overheadMs: null,
  isFallback: false,
  ...fields,
});

/** Takes every batch, as it came over the wire. */
const startStorage = (): { client: StorageServiceClient; batches: UsageBatch[] } => {
  const batches: UsageBatch[] = [];
  const recordUsage = (batch: UsageBatch): Promise<UsageReceipt> => {
    const body = Buffer.from(JSON.stringify(batch));
    expect(costProblem(body)).toBeNull();
    expect(body.length).toBeLessThan(8 * 1024 * 1024);
    const read = readUsageBatch(JSON.parse(body.toString()));
    if ('problem' in read) throw new Error(read.problem);
    batches.push(read);
    return Promise.resolve({ batch_id: batch.batch_id, accepted: batch.records.length, duplicate: false });
  };
  return { client: { recordUsage } as StorageServiceClient, batches };
};

const recordsAfter = async (...calls: FinishedCall[]): Promise<{ batches: UsageBatch[]; records: UsageRecord[] }> => {
  const { client, batches } = startStorage();
  const buffer = new UsageBuffer(client, new ListenAddress());
  for (const call of calls) buffer.add(call);
  expect(await buffer.flush(5000)).toBe(true);
  return { batches, records: batches.flatMap((batch) => batch.records) };
};

describe('the buffer of usage', () => {
  // Calls of one test are of one minute.
  jest.useFakeTimers({
    now: Date.UTC(2026, 10, 25, 10, 0, 30),
    doNotFake: ['setTimeout', 'setInterval', 'performance'],
  });
  afterEach(() => jest.setSystemTime(Date.UTC(2026, 10, 25, 10, 0, 30)));

  it('adds alike calls up, with the prices of their config and how long each of them took', async () => {
    const { records } = await recordsAfter(
      aCall(),
      aCall({ totalMs: 0.4 }),
      aCall({ totalMs: 20.51, firstByteMs: null }),
    );
    expect(records).toEqual([
      expect.objectContaining({
        calls: 3,
        input_tokens: 9,
        input_price_per_million: 1.5,
        cached_input_price_per_million: null,
        output_price_per_million: 6,
        prompt_id: null,
        prompt_name: null,
        prompt_version: null,
        prompt_label: null,
        // Rounded when it is sent, not with every call.
        total_ms: 41,
        first_byte_calls: 2,
        first_byte_ms: 21,
        latency: [bucketOf(0.4), 1, bucketOf(20.5), 2],
        first_byte: [bucketOf(10.25), 2],
      }),
    ]);
  });

  it('tells calls apart by their prompt, its version and label', async () => {
    const prompt = { id: '0a29aba2-a695-4015-8164-ea46106fca36', name: 'greeting', version: 1, label: 'production' };
    const prompts = [null, prompt, { ...prompt, version: 2 }, { ...prompt, label: null }];
    const { records } = await recordsAfter(...prompts.map((one) => aCall({ prompt: one })), aCall({ prompt }));
    expect(
      records.map((record) => [record.prompt_name, record.prompt_version, record.prompt_label, record.calls]),
    ).toEqual([
      [null, null, null, 1],
      ['greeting', 1, 'production', 2],
      ['greeting', 2, 'production', 1],
      ['greeting', 1, null, 1],
    ]);
  });

  it('sends what was there when it began: calls that come meanwhile wait for the next time, however many', async () => {
    const batches: UsageBatch[] = [];
    const recordUsage = (batch: UsageBatch): Promise<UsageReceipt> => {
      batches.push(batch);
      buffer.add(aCall());
      return Promise.resolve({ batch_id: batch.batch_id, accepted: batch.records.length, duplicate: false });
    };
    const buffer = new UsageBuffer({ recordUsage } as StorageServiceClient, new ListenAddress());
    buffer.add(aCall());
    // Twice at the most: it sends again what came while another sending was under way.
    await buffer.sendSoon(1000);
    expect(batches).toHaveLength(2);
    expect(buffer.unsentCalls).toBe(1);
  });

  it('never makes a batch that its receiver would refuse, whatever the calls', async () => {
    const kinds = 1200;
    const each = 40;
    const calls = Array.from({ length: kinds * each }, (_, index) =>
      aCall({
        tokenId: `${String(index % kinds).padStart(4, '0')}${'t'.repeat(60)}`,
        outcome: 'server',
        error: '错'.repeat(400),
        totalMs: 1.03 ** (index / kinds) * (1 + (index % 7)),
        firstByteMs: 1.05 ** (index / kinds),
      }),
    );
    const { batches, records } = await recordsAfter(...calls);
    expect(records.reduce((sum, record) => sum + record.calls, 0)).toBe(kinds * each);
    expect(batches.length).toBeGreaterThan(2);
    const numbers = (batch: UsageBatch): number =>
      batch.records.reduce((sum, { latency, first_byte: firstByte }) => sum + latency.length + firstByte.length, 0);
    for (const batch of batches) {
      expect(batch.records.length).toBeLessThanOrEqual(MAX_RECORDS_PER_BATCH);
      expect(numbers(batch)).toBeLessThanOrEqual(MAX_HISTOGRAM_NUMBERS_PER_BATCH);
    }
    expect(numbers(batches[0] as UsageBatch)).toBeGreaterThan(MAX_HISTOGRAM_NUMBERS_PER_BATCH * 0.9);
  });
});
