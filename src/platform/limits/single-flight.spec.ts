import { describe, expect, it } from '@jest/globals';
import { SingleFlight } from './single-flight.js';

interface Flight {
  resolve: (value: number) => void;
  reject: (error: Error) => void;
}

/** Counts what is begun, and ends it when told. */
const worker = (): { work: () => Promise<number>; flights: Flight[] } => {
  const flights: Flight[] = [];
  const work = (): Promise<number> => new Promise((resolve, reject) => flights.push({ resolve, reject }));
  return { work, flights };
};

describe('a single flight', () => {
  it('does one more for all who ask while one is under way, after that one', async () => {
    const single = new SingleFlight();
    const { work, flights } = worker();
    const answers = [1, 2, 3, 4].map(() => single.run('a', work));
    expect(flights).toHaveLength(1);
    flights[0]?.resolve(1);
    expect(await answers[0]).toBe(1);
    expect(flights).toHaveLength(2);
    // Who comes now waits for the third.
    const late = single.run('a', work);
    flights[1]?.resolve(2);
    expect(await Promise.all(answers)).toEqual([1, 2, 2, 2]);
    expect(flights).toHaveLength(3);
    flights[2]?.resolve(3);
    expect(await late).toBe(3);
  });

  it('keeps apart what differs', () => {
    const single = new SingleFlight();
    const { work, flights } = worker();
    void single.run('a', work);
    void single.run('b', work);
    expect(flights).toHaveLength(2);
  });

  it('fails for all who wait, without trying again, and is ready for the next', async () => {
    const single = new SingleFlight();
    const { work, flights } = worker();
    const answers = [single.run('a', work), single.run('a', work)].map((answer) => answer.catch(String));
    flights[0]?.reject(new Error('down'));
    expect(await Promise.all(answers)).toEqual(['Error: down', 'Error: down']);
    expect(flights).toHaveLength(1);
    const again = single.run('a', work);
    flights[1]?.resolve(7);
    expect(await again).toBe(7);
  });
});
