import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { bucketOf } from '../../contract/histogram.js';
import { readUsageBatch } from '../../contract/usage-batch.check.js';
import {
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  type UsageBatch,
  type UsageReceipt,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import { Env } from '../../platform/config/env.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { costProblem } from '../../platform/http/json-cost.js';
import { StorageUnavailable } from '../storage-client/storage-errors.js';
import type { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { UsageBuffer } from './usage-buffer.js';
import type { FinishedCall } from './usage-record.js';
import { UsageSpool } from './usage-spool.js';

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

const directories: string[] = [];
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'hub-test-usage-'));
  directories.push(directory);
  return directory;
};
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

const bufferOf = (client: StorageServiceClient, dataDir = newDirectory()): UsageBuffer =>
  new UsageBuffer(client, new UsageSpool(Object.assign(new Env(), { DATA_DIR: dataDir })), new ListenAddress());

/** The next start of the process: what is on disk is looked for when it listens. */
const nextStart = async (client: StorageServiceClient, dataDir: string): Promise<UsageBuffer> => {
  const spool = new UsageSpool(Object.assign(new Env(), { DATA_DIR: dataDir }));
  await spool.find();
  return new UsageBuffer(client, spool, new ListenAddress());
};

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
  const buffer = bufferOf(client);
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
    const buffer = bufferOf({ recordUsage } as StorageServiceClient);
    buffer.add(aCall());
    // Twice at the most: it sends again what came while another sending was under way.
    await buffer.sendSoon(1000);
    expect(batches).toHaveLength(2);
    expect(buffer.unsentCalls).toBe(1);
  });

  it('counts the calls for which it has no room', async () => {
    const buffer = bufferOf(startStorage().client);
    for (let index = 0; index < 100_003; index += 1) buffer.add(aCall({ tokenId: String(index) }));
    buffer.add(aCall({ tokenId: '0' }));
    expect(buffer).toMatchObject({ waitingRecords: 100_000, waitingBatches: 0, unsentCalls: 100_001 });
    expect(buffer.lostCalls).toEqual({ buffer_full: 3, refused: 0, damaged_file: 0 });
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

  describe('while storage takes none', () => {
    /** Does not answer (`silent`), refuses (`down`), or counts and says nothing of it (`deaf`). */
    const inTrouble = (kind: 'silent' | 'down' | 'deaf', batches: UsageBatch[] = []): StorageServiceClient => {
      const recordUsage = async (batch: UsageBatch): Promise<UsageReceipt> => {
        if (kind === 'deaf') batches.push(batch);
        if (kind === 'silent') await new Promise(() => undefined);
        throw new StorageUnavailable('down');
      };
      return { recordUsage } as StorageServiceClient;
    };
    const spooled = (dataDir: string): string[] => readdirSync(join(dataDir, 'usage-spool'));

    it.each(['silent', 'down'] as const)('keeps it on disk at the end (%s), for the next start', async (kind) => {
      const dataDir = newDirectory();
      const buffer = bufferOf(inTrouble(kind), dataDir);
      for (const outcome of ['ok', 'ok', 'timeout'] as const) buffer.add(aCall({ outcome }));
      expect(await buffer.flush(300)).toBe(false);
      expect(buffer.unsentCalls).toBe(3);
      expect(spooled(dataDir)).toHaveLength(1);

      const { client, batches } = startStorage();
      const next = await nextStart(client, dataDir);
      expect(next.unsentCalls).toBe(3);
      next.add(aCall());
      expect(await next.flush(5000)).toBe(true);
      // What is older goes first.
      expect(batches.map(({ records }) => records.map(({ calls }) => calls))).toEqual([[2, 1], [1]]);
      expect(spooled(dataDir)).toEqual([]);
    });

    it('keeps the id of what may have been counted: it is the same batch to the next one who delivers it', async () => {
      const dataDir = newDirectory();
      const heard: UsageBatch[] = [];
      const buffer = bufferOf(inTrouble('deaf', heard), dataDir);
      buffer.add(aCall());
      await buffer.flush(300);
      const { client, batches } = startStorage();
      await (await nextStart(client, dataDir)).flush(5000);
      expect(heard.length).toBeGreaterThan(1);
      expect(new Set([...heard, ...batches].map(({ batch_id: id }) => id)).size).toBe(1);
    });

    it('does it no harm that two processes deliver the same', async () => {
      const dataDir = newDirectory();
      const buffer = bufferOf(inTrouble('down'), dataDir);
      buffer.add(aCall());
      await buffer.flush(200);
      const { client, batches } = startStorage();
      const both = [await nextStart(client, dataDir), await nextStart(client, dataDir)];
      expect(await Promise.all(both.map((one) => one.flush(5000)))).toEqual([true, true]);
      expect(new Set(batches.map(({ batch_id: id }) => id)).size).toBe(1);
      expect(spooled(dataDir)).toEqual([]);
    });

    it('stays in memory where the disk takes none, and is delivered from there', async () => {
      const dataDir = newDirectory();
      // A directory cannot be made where a file is.
      writeFileSync(join(dataDir, 'usage-spool'), '');
      const { client, batches } = startStorage();
      let isDown = true;
      const recordUsage = (batch: UsageBatch): Promise<UsageReceipt> =>
        isDown ? Promise.reject(new StorageUnavailable('down')) : client.recordUsage(batch);
      const buffer = bufferOf({ recordUsage } as StorageServiceClient, dataDir);
      buffer.add(aCall());
      buffer.add(aCall({ outcome: 'timeout' }));
      expect(await buffer.flush(200)).toBe(false);
      buffer.add(aCall());
      expect(buffer.unsentCalls).toBe(3);
      isDown = false;
      expect(await buffer.flush(5000)).toBe(true);
      expect(batches.flatMap(({ records }) => records.map(({ calls }) => calls))).toEqual([1, 1, 1]);
    });
  });

  it('touches no disk while all is well', async () => {
    const dataDir = newDirectory();
    const { client } = startStorage();
    const buffer = await nextStart(client, dataDir);
    buffer.add(aCall());
    expect(await buffer.flush(5000)).toBe(true);
    expect(existsSync(join(dataDir, 'usage-spool'))).toBe(false);
  });
});
