import { randomInt } from 'node:crypto';

/** Whether the long versions run: `npm run chaos`. */
export const isLong = process.env['CHAOS'] === 'long';

/** The smaller number for CI, the larger one for a night. */
export const rounds = (short: number, long: number): number => (isLong ? long : short);

/** And a still smaller one for every day: for stories that `npm test` plays, too. */
export const sized = (everyday: number, short: number, long: number): number =>
  process.env['CHAOS'] === undefined ? everyday : rounds(short, long);

/** The seed of this run, printed so that a failure can be played again: `SEED=123 npm run chaos:ci -- postgres`. */
export const seedOf = (story: string): number => {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
  console.log(`${story}: SEED=${seed}`);
  return seed;
};

/** A generator of numbers from 0 to 1 that depend on the seed alone. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** The value below which so many of the values lie, 0.99 for p99; NaN of none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
