import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepeatedTask } from './repeated-task.js';

describe('a repeated task', () => {
  it('goes on after a failure, and never twice at a time', async () => {
    let runs = 0;
    let atOnce = 0;
    let most = 0;
    const task = new RepeatedTask(async () => {
      runs += 1;
      atOnce += 1;
      most = Math.max(most, atOnce);
      await sleep(8);
      atOnce -= 1;
      if (runs % 2 === 0) throw new Error('every second time');
    }, 2);
    task.start();
    await Promise.allSettled([task.now(), task.now(), sleep(60)]);
    await task.stop();
    expect(runs).toBeGreaterThan(4);
    expect(most).toBe(1);
    const before = runs;
    await sleep(20);
    expect(runs).toBe(before);
  });

  it('does the work once more for whoever asks, after what is under way, and tells of its failure', async () => {
    const seen: number[] = [];
    let value = 1;
    const task = new RepeatedTask(async () => {
      const found = value;
      await sleep(5);
      seen.push(found);
      if (found === 2) throw new Error('two');
    }, 60_000);
    const first = task.now();
    await Promise.resolve();
    await Promise.resolve();
    value = 2;
    await expect(task.now()).rejects.toThrow('two');
    await first;
    expect(seen).toEqual([1, 2]);
  });
});
