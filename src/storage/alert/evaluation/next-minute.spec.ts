import { describe, expect, it } from '@jest/globals';
import { AheadWatch, newestMinute, type NextMinute, nextMinute } from './next-minute.js';

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

  it('is the newest again when what was evaluated ahead of time does not count', () => {
    expect(nextMinute(at(70), at(10), true)).toEqual({ ...rest, end: at(10), ahead: 60 });
    expect(nextMinute(at(9), at(10), true)).toEqual({ ...rest, end: at(10) });
  });

  it('leaves out what is older than six hours', () => {
    expect(nextMinute(at(0), at(360))).toEqual({ ...rest, end: at(1), isPresent: false, backlog: 359 });
    expect(nextMinute(at(0), at(400))).toEqual({ ...rest, end: at(41), isPresent: false, backlog: 399, skipped: 40 });
  });
});

describe('what was evaluated ahead of time', () => {
  const wrongAt = (seen: readonly [evaluatedTo: number, due: number][]): number[] => {
    const watch = new AheadWatch();
    return seen.flatMap(([evaluatedTo, due]) => (watch.isWrong(at(evaluatedTo), at(due)) ? [due] : []));
  };
  const minutes = Array.from({ length: 15 }, (_, index) => index);

  it('is wrong when it did not move for ten minutes', () => {
    expect(wrongAt(minutes.map((minute) => [500, minute]))).toEqual([10, 11, 12, 13, 14]);
  });

  it('is right while somebody goes on there: his clock is ahead, or this process looks at an old time', () => {
    expect(wrongAt(minutes.map((minute) => [20 + minute, minute]))).toEqual([]);
    expect(
      wrongAt([
        [0, 0],
        [30, 1],
        [30, 30],
        [31, 31],
      ]),
    ).toEqual([]);
  });

  it('is none where everything is as it should be', () => {
    expect(wrongAt(minutes.map((minute) => [minute - 1, minute]))).toEqual([]);
    expect(new AheadWatch().isWrong(null, at(0))).toBe(false);
  });
});
