import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Ending, type EndingPhase } from './ending.js';

const IN_ORDER: EndingPhase[] = [
  'notice',
  'lastCalls',
  'calls',
  'farewell',
  'usage',
  'answers',
  'connections',
  'application',
  'resources',
];
const leftOf = (ending: Ending): number[] => IN_ORDER.map((phase) => ending.left(phase));

describe('the time of an ending', () => {
  it('is shared out in order, with some for each phase and none behind the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 3_600_000 }), (milliseconds) => {
        const left = leftOf(new Ending(milliseconds));
        for (const [index, time] of left.entries()) expect(time).toBeGreaterThan(left[index - 1] ?? 0);
        expect(left.at(-1)).toBeLessThan(milliseconds);
        // Most of it belongs to the calls.
        expect(left[2]).toBeGreaterThan(milliseconds / 2);
      }),
    );
  });

  it('that is short after a hurry is in order still, and never longer than it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 3_600_000 }), (milliseconds) => {
        const ending = new Ending(milliseconds);
        const before = leftOf(ending);
        ending.hurry();
        const after = leftOf(ending);
        expect(after.slice(0, 3)).toEqual([0, 0, 0]);
        expect(after[4]).toBeLessThanOrEqual(1300);
        for (const [index, time] of after.entries()) {
          expect(time).toBeLessThanOrEqual(before[index] ?? 0);
          expect(time).toBeGreaterThanOrEqual(after[index - 1] ?? 0);
        }
      }),
    );
  });

  it('is waited for until it is so, or over', async () => {
    const ending = new Ending(1000);
    let looks = 0;
    expect(await ending.waitFor('calls', () => (looks += 1) > 2)).toBe(true);
    expect(await ending.waitFor('notice', () => false)).toBe(false);
    expect(ending.left('notice')).toBe(0);
    ending.hurry();
    expect(await ending.waitFor('calls', () => false)).toBe(false);
  });
});
