import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { inParallel } from './in-parallel.js';

describe('inParallel', () => {
  it('has so many under way and no more, and keeps the order', async () => {
    let open = 0;
    let most = 0;
    const results = await inParallel([30, 5, 20, 1, 10, 2], 3, async (milliseconds) => {
      most = Math.max(most, (open += 1));
      await sleep(milliseconds);
      open -= 1;
      return milliseconds * 2;
    });
    expect(results).toEqual([60, 10, 40, 2, 20, 4]);
    expect(most).toBe(3);
  });

  it('does nothing for nothing, and fails with the first failure', async () => {
    expect(await inParallel([], 3, () => Promise.reject(new Error('never called')))).toEqual([]);
    const failing = inParallel([1, 2, 3], 2, (entry) => (entry === 2 ? Promise.reject(new Error('two')) : sleep(5)));
    await expect(failing).rejects.toThrow('two');
  });
});
