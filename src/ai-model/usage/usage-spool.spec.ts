import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aUsageBatch, aUsageRecord } from '../../../test/factories/usage-record.js';
import type { UsageBatch } from '../../contract/usage.contract.js';
import { Env } from '../../platform/config/env.js';
import { saveDurably } from '../../platform/files/durable-file.js';
import { nameOf, toText } from './spool-file.js';
import { UsageSpool } from './usage-spool.js';

const LEFTOVER = '.2d29aba2-a695-4015-8164-ea46106fca36';

describe('the spool of usage', () => {
  let dataDir: string;
  let directory: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hub-test-spool-'));
    directory = join(dataDir, 'usage-spool');
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const open = async (megabytes = 256): Promise<UsageSpool> => {
    const spool = new UsageSpool(Object.assign(new Env(), { DATA_DIR: dataDir, USAGE_SPOOL_MB: megabytes }));
    await spool.find();
    return spool;
  };
  const aBatch = (calls = 1): UsageBatch => aUsageBatch(aUsageRecord({ calls }));
  /** All that can be delivered, in order. */
  const drain = async (spool: UsageSpool): Promise<UsageBatch[]> => {
    const batches: UsageBatch[] = [];
    for (let next = await spool.oldest(); next; next = await spool.oldest()) {
      batches.push(next);
      await spool.remove(next.batch_id);
    }
    return batches;
  };
  const fileOf = (batch: UsageBatch): string =>
    join(directory, readdirSync(directory).find((name) => name.includes(batch.batch_id)) ?? 'none');

  it('keeps batches as files that only their owner reads, and gives them back oldest first, after a restart too', async () => {
    const batches = [aBatch(2), aBatch(3), aBatch(4)];
    const first = await open();
    for (const batch of batches) {
      expect(await first.put(batch)).toBe(true);
      // Names are made of milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const name of readdirSync(directory)) {
      expect(name).toMatch(/^\d{8}T\d{9}Z-[0-9a-f-]{36}\.json$/);
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const second = await open();
    expect([first.calls, second.calls]).toEqual([9, 9]);
    expect(await drain(second)).toEqual(batches);
    expect(second.calls).toBe(0);
    // The other one finds them gone.
    expect(await first.oldest()).toBeNull();
    expect(first.isEmpty).toBe(true);
  });

  it('counts the calls of a file that it sets aside', async () => {
    const [good, bad] = [aBatch(2), aBatch(3)];
    const spool = await open();
    for (const batch of [good, bad]) await spool.put(batch);
    writeFileSync(fileOf(bad), readFileSync(fileOf(bad), 'utf8').replace('"input_tokens":3', '"input_tokens":-3'));
    expect(await drain(spool)).toEqual([good]);
    expect(spool).toMatchObject({ damagedCalls: 3, batches: 0, usedBytes: 0 });
  });

  it.each([
    ['cut off', (text: string): string => text.slice(0, -20)],
    ['empty', (): string => ''],
    ['of another batch', (): string => toText(aBatch())],
    ['with a wrong record', (text: string): string => text.replace('"input_tokens":3', '"input_tokens":-3')],
    ['full of zeros', (text: string): string => '\0'.repeat(text.length)],
  ])('sets a file aside that is %s: the others are delivered', async (_name, damage) => {
    const [before, bad, after] = [aBatch(), aBatch(), aBatch()] as const;
    const spool = await open();
    for (const batch of [before, bad, after]) await spool.put(batch);
    const path = fileOf(bad);
    writeFileSync(path, damage(readFileSync(path, 'utf8')));
    const again = await open();
    const delivered = (await drain(again)).map(({ batch_id: id }) => id).sort();
    expect(delivered).toEqual([before.batch_id, after.batch_id].sort());
    expect(readdirSync(directory)).toEqual([expect.stringMatching(`${bad.batch_id}.json.damaged$`)]);
    // And is not looked at again.
    expect((await open()).isEmpty).toBe(true);
  });

  it('takes no more than it may, and takes again what there is room for', async () => {
    const spool = await open(1);
    const large = (): UsageBatch =>
      aUsageBatch(...Array.from({ length: 300 }, () => aUsageRecord({ last_error: 'x'.repeat(300) })));
    const taken: UsageBatch[] = [];
    for (let batch = large(); await spool.put(batch); batch = large()) taken.push(batch);
    expect(taken.length).toBeGreaterThan(1);
    expect(readdirSync(directory)).toHaveLength(taken.length);
    // What is there counts after a restart, too.
    const again = await open(1);
    expect(await again.put(large())).toBe(false);
    await again.remove(taken[0]?.batch_id ?? '');
    expect(await again.put(large())).toBe(true);
  });

  it('removes what a killed process left half written, and nothing that somebody may be writing', async () => {
    const spool = await open();
    await spool.put(aBatch());
    const [old, fresh] = [aBatch(), aBatch()].map((batch) => nameOf(batch.batch_id) + LEFTOVER) as [string, string];
    for (const name of [old, fresh, 'notes.txt']) writeFileSync(join(directory, name), 'half');
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(join(directory, old), longAgo, longAgo);
    const again = await open();
    expect(again.calls).toBe(1);
    const left = readdirSync(directory);
    expect(left).toEqual(expect.arrayContaining([fresh, 'notes.txt']));
    expect(left).not.toContain(old);
  });

  it('leaves nothing of a file that could not be written', async () => {
    await expect(saveDurably(join(dataDir, 'nowhere', 'a'), 'text')).rejects.toThrow('ENOENT');
    const spool = await open();
    await spool.put(aBatch());
    // A name that is taken by a directory cannot be replaced.
    await expect(saveDurably(join(dataDir, 'usage-spool'), 'text')).rejects.toThrow();
    expect(readdirSync(dataDir)).toEqual(['usage-spool']);
  });
});
