import { describe, expect, it } from '@jest/globals';
import { newestMinute, type NextMinute, nextMinute } from './next-minute.js';

const at = (minute: number, second = 0): Date => new Date(Date.UTC(2026, 0, 1, 0, minute, second));
const rest: NextMinute = { end: at(0), isPresent: true, backlog: 0, skipped: 0, ahead: 0 };

describe('the next minute', () => {
  it.each([
    [at(10, 14), at(9)],
    [at(10, 15), at(10)],
    [at(10, 59), at(10)],
    [at(11, 0), at(10)],
  ])('has usage a quarter of a minute after its end: at %p it is the one to %p', (now, end) => {
    expect(newestMinute(now)).toEqual(end);
  });

  it('of a new hub is the newest', () => {
    expect(nextMinute(null, at(10))).toEqual({ ...rest, end: at(10) });
  });

  it('comes after the last one, and says how many more there are', () => {
    expect(nextMinute(at(9), at(10))).toEqual({ ...rest, end: at(10) });
    expect(nextMinute(at(6), at(10))).toEqual({ ...rest, end: at(7), isPresent: false, backlog: 3 });
    expect(nextMinute(at(9, 30), at(11))).toEqual({ ...rest, end: at(10), isPresent: false, backlog: 1 });
  });

  it('is none when all were evaluated, also for a clock that is a little behind', () => {
    expect(nextMinute(at(10), at(10))).toBeNull();
    expect(nextMinute(at(20), at(10))).toBeNull();
  });

  it('is the newest again when it was far ahead of time', () => {
    expect(nextMinute(at(21), at(10))).toEqual({ ...rest, end: at(10), ahead: 11 });
  });

  it('leaves out what is older than six hours', () => {
    expect(nextMinute(at(0), at(360))).toEqual({ ...rest, end: at(1), isPresent: false, backlog: 359 });
    expect(nextMinute(at(0), at(400))).toEqual({ ...rest, end: at(41), isPresent: false, backlog: 399, skipped: 40 });
  });
});
