import { describe, expect, it } from '@jest/globals';
import { Bulkhead, NoPlace } from './bulkhead.js';

const limits = { places: 2, queue: 2, waitMilliseconds: 1000 };

/** Work that ends when it is told to. */
const held = (): { work: () => Promise<string>; end: () => void; fail: () => void; hasBegun: () => boolean } => {
  let begun = false;
  let end = (): void => undefined;
  let fail = (): void => undefined;
  const result = new Promise<string>((resolve, reject) => {
    end = (): void => resolve('done');
    fail = (): void => reject(new Error('failed'));
  });
  const work = (): Promise<string> => {
    begun = true;
    return result;
  };
  return { work, end, fail, hasBegun: () => begun };
};

describe('the bulkhead', () => {
  it('lets so many through at once, the others in the order they came', async () => {
    const bulkhead = new Bulkhead(limits);
    const works = [held(), held(), held(), held()];
    const results = works.map(({ work }) => bulkhead.pass(work));
    const begun = (): boolean[] => works.map(({ hasBegun }) => hasBegun());
    expect(begun()).toEqual([true, true, false, false]);
    works[1]?.end();
    await results[1];
    expect(begun()).toEqual([true, true, true, false]);
    expect(bulkhead.atWork).toBe(2);
    for (const { end } of works) end();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done', 'done']);
    expect(bulkhead.atWork).toBe(0);
  });

  it('refuses at once whoever finds the queue full, and gives back the place of what failed', async () => {
    const bulkhead = new Bulkhead(limits);
    const works = [held(), held(), held(), held()];
    const results = works.map(({ work }) => bulkhead.pass(work));
    const tooMuch = held();
    await expect(bulkhead.pass(tooMuch.work)).rejects.toMatchObject({ reason: 'full' });
    works[0]?.fail();
    await expect(results[0]).rejects.toThrow('failed');
    expect(works[2]?.hasBegun()).toBe(true);
    expect(tooMuch.hasBegun()).toBe(false);
    for (const { end } of works) end();
    await Promise.allSettled(results);
    expect(bulkhead.atWork).toBe(0);
  });

  it('lets nobody wait longer than the limit or his own deadline, and does not begin what was given up', async () => {
    const bulkhead = new Bulkhead({ places: 1, queue: 2, waitMilliseconds: 40 });
    const first = held();
    const done = bulkhead.pass(first.work);
    const [second, third] = [held(), held()];
    const outcomes = [bulkhead.pass(second.work), bulkhead.pass(third.work, 1)].map((pass) =>
      pass.catch((error: unknown) => error),
    );
    expect(await Promise.all(outcomes)).toEqual([new NoPlace('late'), new NoPlace('late')]);
    first.end();
    await done;
    expect([second.hasBegun(), third.hasBegun()]).toEqual([false, false]);
    expect(bulkhead.atWork).toBe(0);
  });
});
