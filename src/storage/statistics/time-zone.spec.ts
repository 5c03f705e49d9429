import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { INTERVALS, type Interval } from '../../contract/statistics-query.contract.js';
import { TimeZone } from './time-zone.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Whole and broken offsets, clocks changed at midnight, by half an hour, on both sides of the date line. */
const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Pyongyang',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
];

const instant = (): fc.Arbitrary<number> =>
  fc
    .integer({ min: Date.UTC(2005, 0, 1) / 60_000, max: Date.UTC(2035, 0, 1) / 60_000 })
    .map((minute) => minute * 60_000);

/** What a clock on the wall and a calendar beside it show, by the runtime and without any of our arithmetic. */
const wallOf = (zone: string, interval: Interval, time: number): string => {
  const options: Intl.DateTimeFormatOptions = { timeZone: zone, year: 'numeric', month: '2-digit' };
  if (interval !== 'month') options.day = '2-digit';
  if (interval === 'hour' || interval === 'minute') Object.assign(options, { hour: '2-digit', hourCycle: 'h23' });
  if (interval === 'minute') options.minute = '2-digit';
  return new Intl.DateTimeFormat('en-GB', options).format(time);
};
const weekdayOf = (zone: string, time: number): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'long' }).format(time);

const startsBetween = (zone: TimeZone, interval: Interval, from: number, to: number): string[] => {
  const starts: string[] = [];
  for (let start = zone.startOf(interval, from); start < to; start = zone.next(interval, start)) {
    starts.push(new Date(start).toISOString());
  }
  return starts;
};
const hoursOf = (starts: string[]): number[] =>
  starts.slice(1).map((start, index) => (Date.parse(start) - Date.parse(starts[index] as string)) / HOUR);

describe('a time zone', () => {
  it('puts every instant into the interval that clocks and calendars there show', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.constantFrom(...INTERVALS), instant(), (name, interval, time) => {
        const zone = new TimeZone(name);
        const start = zone.startOf(interval, time);
        const end = zone.next(interval, start);
        expect(start).toBeLessThanOrEqual(time);
        expect(end).toBeGreaterThan(time);
        if (interval === 'week') return;
        const last = end - 60_000;
        expect([wallOf(name, interval, start), wallOf(name, interval, last)]).toEqual(
          Array(2).fill(wallOf(name, interval, time)),
        );
        if (interval === 'day' || interval === 'month') {
          // The minute before shows another day: nothing of this one is left out.
          expect(wallOf(name, interval, start - 60_000)).not.toBe(wallOf(name, interval, time));
          expect(wallOf(name, interval, end)).not.toBe(wallOf(name, interval, time));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('begins its weeks on Monday, seven days each', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instant(), (name, time) => {
        const zone = new TimeZone(name);
        const start = zone.startOf('week', time);
        expect(weekdayOf(name, start)).toBe('Monday');
        expect(weekdayOf(name, start - 60_000)).not.toBe('Monday');
        expect(Math.abs(zone.next('week', start) - start - 7 * DAY)).toBeLessThanOrEqual(DAY);
      }),
    );
  });

  it('has days of 23 and 25 hours when clocks are changed', () => {
    const zone = new TimeZone('America/New_York');
    const spring = startsBetween(zone, 'day', Date.UTC(2026, 2, 7, 12), Date.UTC(2026, 2, 10, 12));
    expect(spring[0]).toBe('2026-03-07T05:00:00.000Z');
    expect(hoursOf(spring)).toEqual([24, 23, 24]);
    const autumn = startsBetween(zone, 'day', Date.UTC(2026, 9, 31, 12), Date.UTC(2026, 10, 3, 12));
    expect(hoursOf(autumn)).toEqual([24, 25, 24]);
    const day = startsBetween(zone, 'hour', Date.UTC(2026, 10, 1, 4), Date.UTC(2026, 10, 2, 5));
    expect(day).toHaveLength(25);
    expect(new Set(hoursOf(day))).toEqual(new Set([1]));
  });

  it('begins a day that has no midnight with the change of clocks', () => {
    expect(startsBetween(new TimeZone('Asia/Beirut'), 'day', Date.UTC(2022, 2, 26, 12), Date.UTC(2022, 2, 28))).toEqual(
      ['2022-03-25T22:00:00.000Z', '2022-03-26T22:00:00.000Z', '2022-03-27T21:00:00.000Z'],
    );
  });

  it('leaves out the day that Samoa left out', () => {
    const days = startsBetween(
      new TimeZone('Pacific/Apia'),
      'day',
      Date.UTC(2011, 11, 29, 12),
      Date.UTC(2011, 11, 31, 12),
    );
    expect(days).toEqual(['2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z']);
  });

  it('has hours that begin at half past in UTC where clocks differ by half an hour', () => {
    expect(startsBetween(new TimeZone('Asia/Kolkata'), 'hour', Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 2))).toEqual([
      '2025-12-31T23:30:00.000Z',
      '2026-01-01T00:30:00.000Z',
      '2026-01-01T01:30:00.000Z',
    ]);
  });
});
