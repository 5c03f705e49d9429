import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Turns } from './turns.js';

describe('turns', () => {
  afterEach(() => void jest.useRealTimers());

  it('come one after the other under one key, in the order of asking, whatever the work before them did', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    let running = 0;
    const work = (name: string): Promise<void> =>
      turns.take('a', async () => {
        running += 1;
        expect(running).toBe(1);
        await sleep(5);
        seen.push(name);
        running -= 1;
        if (name === '2') throw new Error('failed');
      });
    const settled = await Promise.allSettled(['1', '2', '3', '4'].map(work));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(seen).toEqual(['1', '2', '3', '4']);
  });

  it('do not wait for those under another key', async () => {
    const turns = new Turns();
    let release: () => void = () => undefined;
    const held = turns.take('a', () => new Promise<void>((resolve) => (release = resolve)));
    expect(await turns.take('b', () => Promise.resolve('at once'))).toBe('at once');
    release();
    await held;
  });

  it('are given up after twenty seconds, without letting the next one pass', async () => {
    jest.useFakeTimers();
    const turns = new Turns();
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const first = turns.take('a', () => new Promise<void>((resolve) => (release = resolve)));
    const second = turns.take('a', () => Promise.resolve(seen.push('second')));
    const refused = expect(second).rejects.toMatchObject({ code: 'storage_unavailable' });
    await jest.advanceTimersByTimeAsync(19_000);
    const third = turns.take('a', () => Promise.resolve(seen.push('third')));
    await jest.advanceTimersByTimeAsync(1_000);
    await refused;
    expect(seen).toEqual([]);
    release();
    await Promise.all([first, third]);
    expect(seen).toEqual(['third']);
  });
});
