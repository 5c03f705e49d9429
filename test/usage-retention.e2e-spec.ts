import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bucketOf } from '../src/contract/histogram.js';
import type { UsageRecord } from '../src/contract/usage.contract.js';
import { UsageRetention } from '../src/storage/usage/usage-retention.js';
import { aUsageRecord } from './factories/usage-record.js';
import type { Json } from './support/calls.js';
import { randomKeyRing, startHub, type TestHub } from './support/hub.js';
import {
  at,
  DAY,
  HOUR,
  MINUTE,
  postUsage,
  readStatistics,
  refusalOf,
  type StatisticsParameters,
  text,
} from './support/statistics.js';

describe('usage of an age', () => {
  const today = Date.now() - (Date.now() % DAY);
  const retentionOf = (hub: TestHub): UsageRetention => hub.application.nest.get(UsageRetention, { strict: false });
  const rowsOf = async (hub: TestHub, table: string): Promise<number> =>
    (await hub.database.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table}`))[0]?.rows ?? 0;
  const env = { SERVICE_ROLE: 'storage', ENCRYPTION_KEYS: randomKeyRing() };
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startHub({
      env: { ...env, USAGE_MINUTES_RETENTION_DAYS: '2', USAGE_HOURS_RETENTION_DAYS: '10' },
    });
    const daysAgo = (days: number): UsageRecord =>
      aUsageRecord({ minute: today - days * DAY + 90 * MINUTE, calls: days, latency: [bucketOf(days), days] });
    await postUsage(hub, ...[1, 2, 3, 10, 11, 40].map(daysAgo));
  });
  afterAll(() => hub.close());

  it('is deleted in small portions, by one process at a time', async () => {
    const minutes = (count: number): UsageRecord[] =>
      Array.from({ length: count }, (_, index) =>
        aUsageRecord({ minute: today - 5 * DAY + index * MINUTE, alias: 'many' }),
      );
    for (let part = 0; part < 3; part += 1)
      await postUsage(hub, ...minutes(1000).map((one) => ({ ...one, token_id: `${part}` })));
    const before = { minutes: await rowsOf(hub, 'usage_minutes'), days: await rowsOf(hub, 'usage_days') };
    expect(before.minutes).toBeGreaterThan(10_000);
    const totals = await readStatistics(hub);

    const lock = 'SELECT pg_advisory_lock(4200723002), pg_sleep(1)';
    const other = hub.database.query(lock);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await retentionOf(hub).run();
    expect(await rowsOf(hub, 'usage_minutes')).toBe(before.minutes);
    await other;

    await Promise.all([retentionOf(hub).run(), retentionOf(hub).run()]);
    const left = await hub.database.query(`SELECT min(start) AS first FROM usage_minutes`);
    expect(left).toEqual([{ first: new Date(today - 2 * DAY + 90 * MINUTE) }]);
    const hours = await hub.database.query(`SELECT min(start) AS first FROM usage_hours`);
    expect(hours).toEqual([{ first: new Date(today - 10 * DAY + 60 * MINUTE) }]);
    expect(await rowsOf(hub, 'usage_days')).toBe(before.days);
    expect(await readStatistics(hub)).toEqual(totals);
  });

  it('is still exact to the hour, and then to the day, and says which range that was', async () => {
    const between = async (from: number, to: number, query: StatisticsParameters = {}): Promise<Json> => {
      const seen = await readStatistics(hub, {
        from: text(today + from),
        to: text(today + to),
        alias: 'counted',
        ...query,
      });
      return { from: at(seen.from as string) - today, to: at(seen.to as string) - today, calls: seen.usage_count };
    };
    expect(await between(-DAY + 80 * MINUTE, -DAY + 91 * MINUTE)).toEqual({
      from: -DAY + 80 * MINUTE,
      to: -DAY + 91 * MINUTE,
      calls: 1,
    });
    // 3 days ago there are no minutes any more: whole hours.
    expect(await between(-3 * DAY + 80 * MINUTE, -3 * DAY + 85 * MINUTE)).toEqual({
      from: -3 * DAY + HOUR,
      to: -3 * DAY + 2 * HOUR,
      calls: 3,
    });
    // 11 days ago there are no hours any more: whole days.
    expect(await between(-11 * DAY + 80 * MINUTE, -11 * DAY + 85 * MINUTE)).toEqual({
      from: -11 * DAY,
      to: -10 * DAY,
      calls: 11,
    });
    expect(await between(-11 * DAY + 80 * MINUTE, 0, { interval: 'day' })).toMatchObject({
      from: -11 * DAY,
      calls: 27,
    });
  });

  it('is refused where its rows cannot tell, never answered wrongly', async () => {
    const range = { from: text(today - 5 * DAY), to: text(today) };
    expect(await refusalOf(hub, { ...range, interval: 'day', tz: 'Asia/Kolkata' })).toEqual([
      { field: 'from', message: expect.stringContaining(`kept from ${text(today - 2 * DAY)} on`) },
    ]);
    await readStatistics(hub, { ...range, interval: 'day', tz: 'Asia/Shanghai' });
    const older = { from: text(today - 20 * DAY), to: text(today) };
    expect(await refusalOf(hub, { ...older, interval: 'hour' })).toEqual([
      { field: 'from', message: expect.stringContaining(`kept from ${text(today - 10 * DAY)} on`) },
    ]);
    await readStatistics(hub, { ...older, interval: 'day' });
  });

  it('that comes late is counted all the same', async () => {
    const before = await readStatistics(hub);
    await postUsage(hub, aUsageRecord({ minute: today - 5 * DAY + 30 * MINUTE, calls: 4, alias: 'late' }));
    expect((await readStatistics(hub)).usage_count).toBe(before.usage_count + 4);
    const range = { from: text(today - 5 * DAY), to: text(today - 5 * DAY + HOUR), alias: 'late' };
    expect((await readStatistics(hub, range)).usage_count).toBe(4);
  });

  it('is kept, with all that was deleted before, when more days are to be kept from now on', async () => {
    const longer = await startHub({
      database: hub.database,
      env: { ...env, USAGE_MINUTES_RETENTION_DAYS: '100' },
    });
    await retentionOf(longer).run();
    expect(
      await refusalOf(longer, { interval: 'minute', from: text(today - 3 * DAY), to: text(today - 3 * DAY + HOUR) }),
    ).toEqual([{ field: 'from', message: expect.stringContaining(`kept from ${text(today - 2 * DAY)} on`) }]);
    await longer.stop();
  });

  it('that cannot be deleted is told in the log, and ends nothing', async () => {
    const own = await startHub({ env });
    await own.database.drop();
    await expect(retentionOf(own).run()).resolves.toBeUndefined();
    expect(own.logs()).toContain('Old usage could not be deleted');
    await own.request('get', '/health/live').expect(200);
    await own.stop();
    await expect(retentionOf(own).run()).resolves.toBeUndefined();
  });
});
