import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SlidingWindowLimiter } from './sliding-window.js';

describe('the sliding window', () => {
  it('never lets more than the limit through within sixty seconds, whatever the times of the calls', () => {
    const steps = fc.array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (waits, limit) => {
        const limiter = new SlidingWindowLimiter();
        const allowedAt: number[] = [];
        let now = 1_000_000;
        for (const wait of waits) {
          now += wait;
          if (limiter.take('a', limit, now).isAllowed) allowedAt.push(now);
        }
        // Counted to the second, so a call of the same second a minute ago may still be in the way, never missing.
        return allowedAt.every((at) => allowedAt.filter((other) => other <= at && other > at - 59_000).length <= limit);
      }),
      { numRuns: 500 },
    );
  });

  it('says after how long the next call is let through, and lets it through then', () => {
    const limiter = new SlidingWindowLimiter();
    const start = 5_000_250;
    for (let call = 0; call < 3; call += 1) expect(limiter.take('a', 3, start + call * 1000).isAllowed).toBe(true);
    const refused = limiter.take('a', 3, start + 10_000);
    expect(refused.isAllowed).toBe(false);
    expect(refused.retryAfterMilliseconds).toBeGreaterThan(49_000);
    expect(refused.retryAfterMilliseconds).toBeLessThanOrEqual(50_000);
    expect(limiter.take('a', 3, start + 10_000 + refused.retryAfterMilliseconds - 1).isAllowed).toBe(false);
    expect(limiter.take('a', 3, start + 10_000 + refused.retryAfterMilliseconds).isAllowed).toBe(true);
  });

  it('keeps keys apart, and takes a changed limit from the next call on', () => {
    const limiter = new SlidingWindowLimiter();
    expect(limiter.take('a', 1, 0).isAllowed).toBe(true);
    expect(limiter.take('a', 1, 1).isAllowed).toBe(false);
    expect(limiter.take('b', 1, 1).isAllowed).toBe(true);
    expect(limiter.take('a', 2, 2).isAllowed).toBe(true);
  });

  it('is empty again after a long pause, and after any number of keys', () => {
    const limiter = new SlidingWindowLimiter();
    for (let key = 0; key < 5000; key += 1) expect(limiter.take(`k${key}`, 1, key * 100).isAllowed).toBe(true);
    expect(limiter.take('k0', 1, 1e9).isAllowed).toBe(true);
  });

  it('counts what somebody else has allowed, over the limit too, and takes nothing by looking', () => {
    const limiter = new SlidingWindowLimiter();
    expect(limiter.look('a', 1, 0).isAllowed).toBe(true);
    expect(limiter.look('a', 1, 0).isAllowed).toBe(true);
    for (let call = 0; call < 3; call += 1) limiter.note('a', 0);
    expect(limiter.take('a', 3, 1).isAllowed).toBe(false);
    expect(limiter.take('a', 4, 1).isAllowed).toBe(true);
  });
});
