import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitByHours, Windows } from './windows.js';

const MINUTE = 60_000;
const END = new Date(Date.UTC(2026, 0, 1, 12, 34));

describe('windows', () => {
  it('are the sum of their bands', () => {
    const windows = new Windows([10, 5, 60, 5], END);
    expect(
      windows
        .bands()
        .map(({ from, to, band }) => [(from - END.getTime()) / MINUTE, (to - END.getTime()) / MINUTE, band]),
    ).toEqual([
      [-5, 0, 1],
      [-10, -5, 2],
      [-60, -10, 3],
    ]);
    expect([5, 10, 60].map((length) => windows.bandOf(length))).toEqual([1, 2, 3]);
    expect(windows.longest).toBe(60);
    expect(new Windows([], END)).toMatchObject({ isEmpty: true, longest: 0 });
  });

  it('hold every minute once, as part of a whole hour or alone', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 1440 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 10_000 }), (list, offset) => {
        const end = new Date(END.getTime() + offset * MINUTE);
        const windows = new Windows(list, end);
        const { hours, minutes } = splitByHours(windows.bands());
        for (const { from, to } of hours) expect([from % (60 * MINUTE), to % (60 * MINUTE)]).toEqual([0, 0]);
        for (const length of list) {
          const band = windows.bandOf(length);
          const parts = [...hours, ...minutes].filter((part) => part.band <= band).sort((a, b) => a.from - b.from);
          expect(parts[0]?.from).toBe(end.getTime() - length * MINUTE);
          expect(parts.at(-1)?.to).toBe(end.getTime());
          for (const [index, part] of parts.entries()) {
            expect(part.from).toBeLessThan(part.to);
            if (index > 0) expect(part.from).toBe(parts[index - 1]?.to);
          }
        }
      }),
    );
  });
});
