import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Interval, StatisticsQuery } from '../../contract/statistics-query.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { MAX_POINTS, resolveRange, spansOf, type TimeRange } from './time-range.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 25, 13, 47, 30);
const EVERYTHING = { minute: 0, hour: 0 };
const LENGTHS = { usage_minutes: MINUTE, usage_hours: HOUR, usage_days: DAY };

const at = (text: string): number => Date.parse(text);
const text = (time: number): string => new Date(time).toISOString();
const resolve = (query: StatisticsQuery, complete = EVERYTHING): TimeRange => resolveRange(query, complete, NOW);
const refusal = (query: StatisticsQuery, complete = EVERYTHING): string => {
  try {
    resolve(query, complete);
  } catch (error) {
    if (error instanceof AppError && error.status === 400) return `${error.fields?.[0]?.field}: ${error.detail}`;
    throw error;
  }
  throw new Error('It was accepted.');
};

describe('the range of a query', () => {
  it('is everything when nothing is said, and says so', () => {
    const range = resolve({});
    expect(range).toMatchObject({ from: 0, shownFrom: null, shownTo: null, starts: null });
    expect(range.to).toBeGreaterThan(at('2200-01-01T00:00:00Z'));
    expect(spansOf(range)).toMatchObject({ usage_minutes: [], usage_hours: [], usage_days: [{ from: 0, point: 0 }] });
  });

  it('is the last 24 hours up to the running minute when only a series is asked for', () => {
    expect(resolve({ interval: 'hour' })).toMatchObject({
      shownFrom: '2026-11-24T13:47:00.000Z',
      shownTo: '2026-11-25T13:48:00.000Z',
    });
    expect(resolve({ interval: 'hour' }).starts).toHaveLength(25);
    expect(resolve({ group_by: 'model' })).toMatchObject({ shownFrom: null, shownTo: null });
    expect(resolve({ from: '2026-11-25T00:00:00Z' })).toMatchObject({ shownTo: '2026-11-25T13:48:00.000Z' });
    expect(resolve({ to: '2026-11-25T00:00:00Z' })).toMatchObject({ from: 0, shownFrom: null });
  });

  it('is taken to the minute, outwards', () => {
    expect(resolve({ from: '2026-11-01T08:00:59+08:00', to: '2026-11-01T00:01:00.001Z' })).toMatchObject({
      shownFrom: '2026-11-01T00:00:00.000Z',
      shownTo: '2026-11-01T00:02:00.000Z',
    });
  });

  it('must not be empty or backwards', () => {
    expect(refusal({ from: '2026-11-01T00:00:00Z', to: '2026-11-01T00:00:00Z' })).toMatch(
      /^from: from must be earlier/,
    );
    expect(refusal({ from: '2026-11-01T00:00:40Z', to: '2026-11-01T00:00:20Z' })).toMatch(
      /^from: from must be earlier/,
    );
    expect(refusal({ from: '2027-01-01T00:00:00Z' })).toMatch(/^from: from must be earlier/);
  });

  it.each<[Interval, string, string]>([
    ['minute', '2026-11-24T00:00:00Z', 'hour'],
    ['minute', '2026-01-01T00:00:00Z', 'day'],
    ['hour', '2026-01-01T00:00:00Z', 'day'],
    ['day', '2010-01-01T00:00:00Z', 'week'],
    ['minute', '2001-01-01T00:00:00Z', 'week'],
  ])('with too many points by the %s from %s on is refused, and told that a %s fits', (interval, from, fitting) => {
    const query = { interval, from, to: '2026-11-25T13:00:00Z' };
    expect(refusal(query)).toBe(
      `interval: interval ${interval} gives more than ${MAX_POINTS} points for this range: ` +
        `ask for interval=${fitting} or for a shorter range`,
    );
    expect(resolve({ ...query, interval: fitting as Interval }).starts?.length).toBeLessThanOrEqual(MAX_POINTS);
  });

  it('may have as many points as the limit says', () => {
    const from = at('2026-11-01T00:00:00Z');
    const query = (minutes: number): StatisticsQuery => ({
      interval: 'minute',
      from: text(from),
      to: text(from + minutes * MINUTE),
    });
    expect(resolve(query(MAX_POINTS)).starts).toHaveLength(MAX_POINTS);
    expect(refusal(query(MAX_POINTS + 1))).toContain('interval=hour');
  });

  it('is covered by whole rows, each minute once and in its own point', () => {
    const zone = fc.constantFrom('UTC', 'Asia/Shanghai', 'Asia/Kolkata', 'America/New_York', 'Asia/Kathmandu');
    const minutes = fc.integer({ min: 1, max: 20_000 });
    const start = fc.integer({ min: at('2026-01-01T00:00:00Z') / MINUTE, max: at('2026-11-01T00:00:00Z') / MINUTE });
    const interval = fc.constantFrom<(Interval | undefined)[]>(undefined, 'hour', 'day', 'week', 'month');
    fc.assert(
      fc.property(zone, start, minutes, interval, (tz, first, length, chosen) => {
        const [from, to] = [first * MINUTE, (first + length) * MINUTE];
        const range = resolve({ from: text(from), to: text(to), tz, ...(chosen && { interval: chosen }) });
        const stretches = Object.entries(spansOf(range)).flatMap(([table, spans]) =>
          spans.map((span) => {
            const row = LENGTHS[table as keyof typeof LENGTHS];
            expect([span.from % row, span.to % row]).toEqual([0, 0]);
            return span;
          }),
        );
        stretches.sort((a, b) => a.from - b.from);
        const ends = [from, ...stretches.map((span) => span.to)];
        expect(stretches.map((span) => span.from)).toEqual(ends.slice(0, -1));
        expect(ends.at(-1)).toBe(to);
        const starts = range.starts ?? [from];
        for (const { point, ...span } of stretches) {
          expect(span.from).toBeGreaterThanOrEqual(starts[point] as number);
          expect(span.to).toBeLessThanOrEqual(starts[point + 1] ?? to);
        }
      }),
    );
  });

  it('reads days and hours, and minutes at its ends only', () => {
    const spans = spansOf(resolve({ from: '2026-10-01T10:17:00Z', to: '2026-11-01T10:17:00Z' }));
    const rows = Object.entries(spans).map(([table, list]) => [
      table,
      list.reduce((sum, span) => sum + (span.to - span.from) / LENGTHS[table as keyof typeof LENGTHS], 0),
    ]);
    expect(Object.fromEntries(rows)).toEqual({ usage_days: 30, usage_hours: 23, usage_minutes: 60 });
  });
});

describe('a range whose finest rows are gone', () => {
  const complete = { minute: at('2026-10-20T00:00:00Z'), hour: at('2026-01-01T00:00:00Z') };

  it('is widened to the hour, or to the day, and told', () => {
    const shown = (from: string, to: string): unknown[] => {
      const { shownFrom, shownTo } = resolve({ from, to }, complete);
      return [shownFrom, shownTo];
    };
    expect(shown('2026-10-20T00:17:00Z', '2026-11-01T00:17:00Z')).toEqual([
      '2026-10-20T00:17:00.000Z',
      '2026-11-01T00:17:00.000Z',
    ]);
    expect(shown('2026-10-19T23:17:00Z', '2026-11-01T00:17:00Z')).toEqual([
      '2026-10-19T23:00:00.000Z',
      '2026-11-01T00:17:00.000Z',
    ]);
    expect(shown('2025-12-31T10:17:00Z', '2026-06-01T00:17:00Z')).toEqual([
      '2025-12-31T00:00:00.000Z',
      '2026-06-01T01:00:00.000Z',
    ]);
    expect(shown('2025-03-01T00:00:00Z', '2025-04-01T00:01:00Z')).toEqual([
      '2025-03-01T00:00:00.000Z',
      '2025-04-02T00:00:00.000Z',
    ]);
  });

  it('is never read from the rows that are gone', () => {
    const time = fc.integer({ min: at('2025-10-01T00:00:00Z') / MINUTE, max: at('2026-11-20T00:00:00Z') / MINUTE });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [from, to] = [Math.min(one, other) * MINUTE, Math.max(one, other) * MINUTE + MINUTE];
        const range = resolve({ from: text(from), to: text(to) }, complete);
        expect(range.from).toBeLessThanOrEqual(from);
        expect(range.to).toBeGreaterThanOrEqual(to);
        const spans = spansOf(range);
        for (const span of spans.usage_minutes) expect(span.from).toBeGreaterThanOrEqual(complete.minute);
        for (const span of spans.usage_hours) expect(span.from).toBeGreaterThanOrEqual(complete.hour);
      }),
    );
  });

  it('is answered where its points can be told apart, and else refused with what would do', () => {
    const old = { from: '2026-05-01T00:00:00Z', to: '2026-05-10T00:00:00Z' };
    expect(resolve({ ...old, interval: 'hour' }, complete).starts).toHaveLength(216);
    expect(resolve({ ...old, interval: 'day', tz: 'Asia/Shanghai' }, complete).starts).toHaveLength(10);
    expect(refusal({ ...old, interval: 'day', tz: 'Asia/Kolkata' }, complete)).toBe(
      'from: interval day in Asia/Kolkata needs what was counted by the minute, which is kept from ' +
        '2026-10-20T00:00:00.000Z on: ask for a later from, a longer interval or tz=UTC',
    );
    expect(refusal({ from: '2026-05-01T00:00:00Z', to: '2026-05-01T10:00:00Z', interval: 'minute' }, complete)).toMatch(
      /^from: interval minute in UTC needs what was counted by the minute/,
    );
    const older = { from: '2025-05-01T00:00:00Z', to: '2025-05-10T00:00:00Z' };
    expect(resolve({ ...older, interval: 'day' }, complete).starts).toHaveLength(9);
    expect(refusal({ ...older, interval: 'day', tz: 'Asia/Shanghai' }, complete)).toMatch(
      /by the hour, which is kept from 2026-01-01T00:00:00.000Z on/,
    );
  });
});
