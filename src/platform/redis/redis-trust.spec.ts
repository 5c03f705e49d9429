import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RedisTrust } from './redis-trust.js';

/** Answers well every 100 ms from `from` on; the time at which that gives the trust. */
const winBack = (trust: RedisTrust, from: number): number => {
  let now = from;
  while (!trust.good(now)) now += 100;
  return now;
};

describe('the trust in Redis', () => {
  it('is given with the first good answer, and lost with the first failure', () => {
    const trust = new RedisTrust();
    expect(trust.isGiven).toBe(false);
    expect(trust.good(0)).toBe(true);
    expect(trust.isGiven).toBe(true);
    expect(trust.good(1)).toBe(false);
    expect(trust.bad(2)).toBe(true);
    expect(trust.isGiven).toBe(false);
    expect(trust.bad(3)).toBe(false);
  });

  it('is won back by a second of good answers without a failure between them', () => {
    const trust = new RedisTrust();
    trust.bad(0);
    expect(trust.good(100)).toBe(false);
    expect(trust.good(1000)).toBe(false);
    trust.bad(1050);
    expect(trust.good(1100)).toBe(false);
    expect(trust.good(2050)).toBe(false);
    expect(trust.good(2100)).toBe(true);
  });

  it('takes twice as long after each relapse, half a minute at most, and is as at first after a good minute', () => {
    const trust = new RedisTrust();
    trust.good(0);
    let now = 100;
    const waits = Array.from({ length: 7 }, () => {
      trust.bad(now);
      const given = winBack(trust, now);
      const wait = given - now;
      now = given + 100;
      return wait;
    });
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    trust.bad(now + 60_000);
    expect(winBack(trust, now + 60_000) - now - 60_000).toBe(1000);
  });

  it('is lost seldom, however Redis comes and goes', () => {
    const phases = fc.array(fc.integer({ min: 200, max: 2000 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(phases, (lengths) => {
        const trust = new RedisTrust();
        let now = 0;
        let losses = 0;
        for (const [index, length] of lengths.entries()) {
          for (const end = now + length; now < end; now += 100) {
            if (index % 2 === 0) trust.good(now);
            else if (trust.bad(now)) losses += 1;
          }
        }
        // A trial of two seconds is never passed in phases of two: the first good answer, one relapse, no more.
        return losses <= 2;
      }),
    );
  });
});
