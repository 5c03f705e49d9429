import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bucketOf } from '../src/contract/histogram.js';
import type { StatisticsSeries } from '../src/contract/statistics.contract.js';
import type { UsageRecord } from '../src/contract/usage.contract.js';
import { aUsageRecord } from './factories/usage-record.js';
import { startHub, type TestHub } from './support/hub.js';
import {
  at,
  DAY,
  groupsIn,
  HOUR,
  MINUTE,
  postUsage,
  readStatistics,
  refusalOf,
  STATISTICS,
  type StatisticsParameters,
  text,
} from './support/statistics.js';

/** Within 1.1 %: what a bucket may be off, and the rounding. */
const near = (milliseconds: number): unknown => expect.closeTo(milliseconds, -Math.log10(2 * 0.011 * milliseconds));

describe('statistics', () => {
  let hub: TestHub;
  const beginning = at('2026-10-01T00:00:00Z');
  const prompt = (name: string, version: number, label: string | null): Partial<UsageRecord> => ({
    prompt_id: randomUUID(),
    prompt_name: name,
    prompt_version: version,
    prompt_label: label,
  });
  const prices = {
    input_price_per_million: 2,
    cached_input_price_per_million: 0.5,
    output_price_per_million: 10,
  };
  let tokenId: string;

  beforeAll(async () => {
    hub = await startHub();
    const token = await hub
      .request('post', '/api/v1/tokens')
      .send({ name: '=HYPERLINK("http://evil.test","Sales, \'all\'")', scopes: ['invoke'] })
      .expect(201);
    tokenId = (token.body as { id: string }).id;
    const greeting = prompt('greeting', 1, 'production');
    await postUsage(
      hub,
      // 1000 input of which 400 cached, 200 output: 1200 + 200 + 2000 millionths of a dollar.
      aUsageRecord({
        ...prices,
        ...greeting,
        alias: 'fast',
        token_id: tokenId,
        minute: beginning + 10 * MINUTE,
        calls: 4,
        input_tokens: 1000,
        cached_tokens: 400,
        output_tokens: 200,
        estimated_calls: 1,
        total_ms: 1300,
        latency: [bucketOf(100), 3, bucketOf(1000), 1],
        first_byte_calls: 4,
        first_byte_ms: 80,
        first_byte: [bucketOf(20), 4],
      }),
      aUsageRecord({
        ...prices,
        ...greeting,
        prompt_version: 2,
        prompt_label: null,
        alias: 'fast',
        provider: 'gemini',
        token_id: 'admin',
        outcome: 'timeout',
        minute: beginning + 3 * HOUR,
        calls: 2,
      }),
      aUsageRecord({ alias: 'slow', outcome: 'client_gone', minute: beginning + 2 * DAY, calls: 3 }),
      aUsageRecord({ alias: 'slow', source: 'playground', minute: beginning + 2 * DAY, calls: 5 }),
      aUsageRecord({ alias: 'slow', source: 'test', minute: beginning + 2 * DAY, calls: 7 }),
    );
  });
  afterAll(() => hub.close());

  describe('totals', () => {
    it('tell the cost by the prices of the time, what had none, and how long calls took', async () => {
      expect(await readStatistics(hub, { to: text(beginning + HOUR) })).toMatchObject({
        usage_count: 4,
        error_count: 0,
        errors_by_class: {},
        estimated_calls: 1,
        unpriced_calls: 0,
        tokens: { input: 1000, cached: 400, output: 200 },
        cost_usd: 0.0034,
        latency_ms: { p50: near(100), p95: near(1000), p99: near(1000), mean: 325 },
        first_byte_ms: { p50: near(20), p95: near(20), p99: near(20), mean: 20 },
        from: null,
        to: text(beginning + HOUR),
        series: null,
        groups_total: null,
        other: null,
      });
      expect(await readStatistics(hub)).toMatchObject({
        usage_count: 9,
        error_count: 2,
        errors_by_class: { timeout: 2 },
        unpriced_calls: 3,
      });
    });

    it('are of calls of the API, unless another source or all are asked for', async () => {
      const counts = ['api', 'playground', 'test', 'all'].map(
        async (source) => (await readStatistics(hub, { source })).usage_count,
      );
      expect(await Promise.all(counts)).toEqual([9, 5, 7, 21]);
      expect(groupsIn(await readStatistics(hub, { source: 'all', group_by: 'source' }))).toEqual([
        [{ source: 'api' }, 9],
        [{ source: 'test' }, 7],
        [{ source: 'playground' }, 5],
      ]);
    });

    it.each<[StatisticsParameters, number]>([
      [{ alias: 'fast' }, 6],
      [{ alias: 'nobody' }, 0],
      [{ provider: 'gemini' }, 2],
      [{ prompt: 'greeting' }, 6],
      [{ prompt: 'greeting', provider: 'gemini' }, 2],
      [{ token_id: 'admin' }, 2],
      [{ alias: 'slow', source: 'all' }, 15],
      [{ alias: "fast' OR 1=1 --" }, 0],
    ])('can be those of %j alone', async (filter, calls) => {
      expect((await readStatistics(hub, filter)).usage_count).toBe(calls);
      expect(
        (await readStatistics(hub, { ...filter, from: text(beginning), to: text(beginning + 10 * DAY) })).usage_count,
      ).toBe(calls);
    });
  });

  describe('groups', () => {
    it.each<[string, [StatisticsSeries['group'], number][]]>([
      [
        'model',
        [
          [{ model: 'fast' }, 6],
          [{ model: 'slow' }, 3],
        ],
      ],
      [
        'provider',
        [
          [{ provider: 'openai_compatible' }, 7],
          [{ provider: 'gemini' }, 2],
        ],
      ],
      [
        'prompt',
        [
          [{ prompt: 'greeting' }, 6],
          [{ prompt: null }, 3],
        ],
      ],
      [
        'prompt_version',
        [
          [{ prompt: 'greeting', prompt_version: 1 }, 4],
          [{ prompt: null, prompt_version: null }, 3],
          [{ prompt: 'greeting', prompt_version: 2 }, 2],
        ],
      ],
      [
        'prompt,prompt_label',
        [
          [{ prompt: 'greeting', prompt_label: 'production' }, 4],
          [{ prompt: null, prompt_label: null }, 3],
          [{ prompt: 'greeting', prompt_label: null }, 2],
        ],
      ],
      [
        'error_class,model',
        [
          [{ error_class: null, model: 'fast' }, 4],
          [{ error_class: null, model: 'slow' }, 3],
          [{ error_class: 'timeout', model: 'fast' }, 2],
        ],
      ],
    ])('by %s', async (by, expected) => {
      const seen = await readStatistics(hub, { group_by: by });
      expect(groupsIn(seen)).toEqual(expected);
      expect(seen).toMatchObject({ group_by: by, groups_total: expected.length, other: null, from: null, to: null });
      expect(seen.series?.every(({ points }) => points.length === 0)).toBe(true);
    });

    it('by token have its name where it is known', async () => {
      expect(groupsIn(await readStatistics(hub, { group_by: 'token' }))).toEqual([
        [{ token_id: tokenId, token_name: '=HYPERLINK("http://evil.test","Sales, \'all\'")' }, 4],
        [{ token_id: null, token_name: null }, 3],
        [{ token_id: 'admin', token_name: null }, 2],
      ]);
    });
  });

  describe('series', () => {
    it('have every point, the empty ones too, and their own totals', async () => {
      const seen = await readStatistics(hub, {
        interval: 'day',
        from: text(beginning),
        to: text(beginning + 4 * DAY),
        group_by: 'model',
      });
      const days = seen.series?.map(({ group, points }) => [group['model'], points.map(({ calls }) => calls)]);
      expect(days).toEqual([
        ['fast', [6, 0, 0, 0]],
        ['slow', [0, 0, 3, 0]],
      ]);
      const [fast] = seen.series as [StatisticsSeries];
      expect(fast.points.map(({ start }) => start)).toEqual([0, 1, 2, 3].map((day) => text(beginning + day * DAY)));
      expect(fast.points[1]).toMatchObject({ calls: 0, cost_usd: 0, latency_ms: { p50: null, mean: null } });
      expect({ ...fast.points[0], start: undefined }).toEqual({ ...fast.totals, start: undefined });
      expect(seen).toMatchObject({ interval: 'day', tz: 'UTC', usage_count: 9 });
    });

    it('begin their points where the time zone does, and cut the first and the last to the range', async () => {
      const range = { from: text(beginning + 10 * MINUTE), to: text(beginning + 3 * HOUR) };
      const pointsOf = async (query: StatisticsParameters): Promise<[string, number][]> =>
        ((await readStatistics(hub, { ...range, ...query })).series?.[0]?.points ?? []).map(({ start, calls }) => [
          start,
          calls,
        ]);
      expect(await pointsOf({ interval: 'day', tz: 'Asia/Shanghai' })).toEqual([['2026-09-30T16:00:00.000Z', 4]]);
      expect(await pointsOf({ interval: 'hour', tz: 'Asia/Kolkata' })).toEqual([
        ['2026-09-30T23:30:00.000Z', 4],
        ['2026-10-01T00:30:00.000Z', 0],
        ['2026-10-01T01:30:00.000Z', 0],
        ['2026-10-01T02:30:00.000Z', 0],
      ]);
      expect(await pointsOf({ interval: 'month', tz: 'America/New_York' })).toEqual([['2026-09-01T04:00:00.000Z', 4]]);
      expect(await pointsOf({ interval: 'week' })).toEqual([['2026-09-28T00:00:00.000Z', 4]]);
      const minutes = await pointsOf({ interval: 'minute' });
      expect(minutes).toHaveLength(170);
      expect(minutes[0]).toEqual([range.from, 4]);
    });

    it('without a range are of the last 24 hours, the running minute included', async () => {
      const now = Date.now();
      await postUsage(hub, aUsageRecord({ alias: 'now', calls: 2, last_at: now, minute: now - (now % MINUTE) }));
      const seen = await readStatistics(hub, { interval: 'hour', alias: 'now' });
      expect(seen.usage_count).toBe(2);
      expect(seen.series?.[0]?.points.at(-1)?.calls).toBe(2);
      expect(at(seen.to as string) - at(seen.from as string)).toBe(DAY + MINUTE);
    });
  });

  describe('what cannot be answered', () => {
    it.each<[string, string, RegExp]>([
      ['from', 'from=yesterday', /^from must be a time/],
      ['from', 'from=2026-02-30T00:00:00Z', /^from must be a time/],
      ['from', 'from=2026-11-01T00:00:00', /^from must be a time/],
      ['from', 'from=2026-11-01T00:00:00+08:00', /%2B08:00$/],
      ['to', 'to=1999-12-31T23:59:59Z', /^to must be a time between 2000 and 2200/],
      ['to', 'to=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z', /^to must be a time/],
      ['from', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', /^from must be earlier than to$/],
      ['interval', 'interval=second', /^interval must be one of minute, hour, day, week, month$/],
      ['interval', 'interval=minute&from=2026-10-01T00:00:00Z&to=2026-10-30T00:00:00Z', /interval=hour/],
      ['tz', 'tz=Mars/Olympus_Mons', /^tz must be the name of a time zone/],
      ['tz', 'tz=', /^tz must be the name of a time zone/],
      ['group_by', 'group_by=alias', /^group_by must be one or two of model, provider/],
      ['group_by', 'group_by=model,model', /^group_by must be/],
      ['group_by', 'group_by=model,provider,token', /^group_by must be/],
      ['alias', 'alias=', /^alias must have 1 to 100 characters$/],
      ['provider', 'provider=skynet', /^provider must be one of/],
      ['source', 'source=nobody', /^source must be one of api, playground, test, all$/],
      ['format', 'format=xlsx', /^format must be one of json, csv$/],
      ['limit', 'limit=5', /^limit is not known here$/],
    ])('names its %s: %s', async (field, query, message) => {
      expect(await refusalOf(hub, query)).toEqual([{ field, message: expect.stringMatching(message) }]);
    });

    it('needs the scope usage:read', async () => {
      await hub.request('get', STATISTICS, await hub.createToken('models:read')).expect(403);
      await hub.request('get', STATISTICS, await hub.createToken('usage:read')).expect(200);
    });
  });

  describe('as CSV', () => {
    it('has a line for each group and point, and no formula in any cell', async () => {
      const range = { from: text(beginning), to: text(beginning + DAY) };
      const { text: csv, headers } = await hub
        .request('get', STATISTICS)
        .query({ ...range, format: 'csv', interval: 'day', group_by: 'token' })
        .expect(200);
      expect(headers).toMatchObject({
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="statistics.csv"',
      });
      const [header, first, second, end] = csv.split('\r\n');
      expect(header).toBe(
        'start,token_id,token_name,calls,errors,estimated_calls,unpriced_calls,input_tokens,cached_tokens,output_tokens,' +
          'reasoning_tokens,cost_usd,latency_p50_ms,latency_p95_ms,latency_p99_ms,latency_mean_ms,first_byte_p50_ms,' +
          'first_byte_p95_ms,first_byte_p99_ms,first_byte_mean_ms',
      );
      expect(first).toMatch(
        `2026-10-01T00:00:00.000Z,${tokenId},"'=HYPERLINK(""http://evil.test"",""Sales, 'all'"")",4,0,1,0,1000,400,200,1,0.0034,`,
      );
      expect(second).toMatch(/^2026-10-01T00:00:00.000Z,admin,,2,2,0,0,3,1,2,1,0.0000245,/);
      expect(end).toBe('');
    });

    it('is sent for Accept: text/csv, too; every text is quoted, whoever made it up', async () => {
      const names = ['=cmd|calc', '+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', 'a "b", c'];
      const minute = at('2026-09-01T00:00:00Z');
      await postUsage(
        hub,
        ...names.map((name, index) =>
          aUsageRecord({
            alias: name,
            prompt_id: randomUUID(),
            prompt_name: name,
            prompt_version: 1,
            minute,
            calls: 9 - index,
          }),
        ),
      );
      const { text: csv } = await hub
        .request('get', STATISTICS)
        .set('accept', 'text/csv, application/json;q=0.5')
        .query({ group_by: 'model,prompt', to: text(minute + HOUR) })
        .expect(200);
      const cells = csv
        .split('\r\n')
        .slice(1, -1)
        .map((line) => /^(.*),\d+,0,0,\d+,3,1,2,1,0,/s.exec(line)?.[1]);
      const safe = [`'=cmd|calc`, `'+1`, `'-1+1`, `'@SUM(A1)`, `'\t=1`, `"'\r=1"`, `"a ""b"", c"`];
      expect(cells).toEqual(safe.map((name) => `${name},${name}`));
      const { body } = await hub
        .request('get', STATISTICS)
        .set('accept', 'text/csv')
        .query({ format: 'json' })
        .expect(200);
      expect(body).toHaveProperty('usage_count');
      const totals = await hub
        .request('get', STATISTICS)
        .query({ format: 'csv', to: text(minute + HOUR) })
        .expect(200);
      expect(totals.text.split('\r\n')).toHaveLength(3);
      await hub
        .request('get', STATISTICS)
        .set('accept', 'text/csv')
        .query({ tz: 'x y' })
        .expect(400)
        .expect('content-type', /problem\+json/);
    });
  });

  it('show the largest groups and add up the others', async () => {
    const minute = at('2026-08-01T00:00:00Z');
    const tokens = Array.from({ length: 130 }, (_, index) =>
      aUsageRecord({
        alias: 'crowd',
        token_id: `token-${index}`,
        minute: minute + (index % 3) * HOUR,
        calls: 1000 - index,
        latency: [bucketOf(1 + index), 1],
        input_tokens: index,
      }),
    );
    await postUsage(hub, ...tokens);
    const query = { alias: 'crowd', group_by: 'token', from: text(minute), to: text(minute + 4 * HOUR) };
    const rest = tokens.slice(100);
    const seen = await readStatistics(hub, query);
    expect(seen.series).toHaveLength(100);
    expect(seen.series?.map(({ group }) => group['token_id'])).toEqual(tokens.slice(0, 100).map((one) => one.token_id));
    expect(seen.groups_total).toBe(130);
    expect(seen.other?.totals).toMatchObject({
      calls: rest.reduce((sum, one) => sum + one.calls, 0),
      tokens: { input: rest.reduce((sum, one) => sum + one.input_tokens, 0) },
      latency_ms: { p50: near(115), p99: near(130) },
    });
    const csv = (
      await hub
        .request('get', STATISTICS)
        .query({ ...query, format: 'csv' })
        .expect(200)
    ).text.split('\r\n');
    expect(csv).toHaveLength(103);
    expect(csv[101]).toMatch(/^\(other\),,\d+,0,/);

    // With points there are fewer groups, so that the answer stays of a size.
    const byMinute = await readStatistics(hub, { ...query, interval: 'minute', to: text(minute + 1000 * MINUTE) });
    expect(byMinute.series).toHaveLength(20);
    expect(byMinute.other?.points).toHaveLength(1000);
    const others = byMinute.other?.points.reduce((sum, point) => sum + point.calls, 0);
    expect(others).toBe(tokens.slice(20).reduce((sum, one) => sum + one.calls, 0));
    expect(byMinute.other?.totals.calls).toBe(others);
  });

  it('are the same for two services of different versions: what an older one sent has no durations', async () => {
    const minute = at('2026-07-01T00:00:00Z');
    const known = Object.entries(aUsageRecord({ alias: 'old', minute, calls: 3, total_ms: 30 })).filter(
      ([name]) => !/^prompt_|_price_|^latency$|^first_byte$/.test(name),
    );
    const body = { batch_id: randomUUID(), records: [Object.fromEntries<unknown>(known)] };
    await hub.request('post', '/internal/v1/usage', hub.serviceToken).send(body).expect(200);
    expect(await readStatistics(hub, { alias: 'old' })).toMatchObject({
      usage_count: 3,
      unpriced_calls: 3,
      cost_usd: 0,
      latency_ms: { p50: null, p95: null, p99: null, mean: 10 },
    });
  });
});
