import { describe, expect, it } from '@jest/globals';
import { nextAttemptAt } from './backoff.js';

const NOW = new Date('2026-11-25T10:00:00Z');
const waitAfter = (attempts: number, retryAfter: number | null = null): number =>
  (nextAttemptAt(attempts, retryAfter, NOW).getTime() - NOW.getTime()) / 1000;

describe('the wait for the next attempt', () => {
  it('grows to ten minutes and stays there', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 500].map((attempts) => waitAfter(attempts))).toEqual([
      5, 15, 45, 120, 300, 600, 600, 600,
    ]);
  });

  it('leaves about 150 attempts in a day', () => {
    let seconds = 0;
    let attempts = 0;
    while (seconds < 24 * 3600) seconds += waitAfter((attempts += 1));
    expect(attempts).toBeGreaterThan(140);
    expect(attempts).toBeLessThan(160);
  });

  it('is as long as the receiver asks for, up to an hour, and never shorter than usual', () => {
    expect([waitAfter(1, 90), waitAfter(1, 3600), waitAfter(1, 100_000)]).toEqual([90, 3600, 3600]);
    expect([waitAfter(1, 0), waitAfter(4, 10)]).toEqual([5, 120]);
  });
});
