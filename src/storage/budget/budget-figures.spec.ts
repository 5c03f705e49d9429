import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { TimeZone } from '../statistics/time-zone.js';
import {
  type BudgetState,
  isExhausted,
  percentOf,
  periodAt,
  stateAfter,
  toDollars,
  toUnits,
} from './budget-figures.js';

const FROM = Date.UTC(2026, 10, 1);
const TO = Date.UTC(2026, 11, 1);
const period = { from: FROM, to: TO };
const budget = { limitUsd: '1.000000', thresholds: [80, 100, 150] };
const spent = (dollars: string): { units: bigint; unpricedCalls: number } => ({
  units: toUnits(dollars),
  unpricedCalls: 0,
});
const cents = (count: number): { units: bigint; unpricedCalls: number } => spent((count / 100).toFixed(12));
const stateOf = (fields: Partial<BudgetState> = {}): BudgetState => ({
  periodFrom: new Date(FROM),
  periodTo: new Date(TO),
  reached: 0,
  told: 0,
  isExhausted: false,
  ...fields,
});

describe('the period of a budget', () => {
  const iso = (zone: string, kind: 'day' | 'month', at: string): string[] => {
    const { from, to } = periodAt(new TimeZone(zone), kind, Date.parse(at));
    return [from, to].map((time) => new Date(time).toISOString());
  };

  it.each([
    ['UTC', 'day', '2026-11-25T12:00:00Z', '2026-11-25T00:00:00.000Z', '2026-11-26T00:00:00.000Z'],
    ['UTC', 'month', '2026-12-31T23:59:59Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['Asia/Shanghai', 'month', '2026-11-30T16:00:00Z', '2026-11-30T16:00:00.000Z', '2026-12-31T16:00:00.000Z'],
    ['Asia/Kolkata', 'day', '2026-11-25T18:29:59Z', '2026-11-24T18:30:00.000Z', '2026-11-25T18:30:00.000Z'],
    // The day on which clocks are put back has 25 hours.
    ['America/New_York', 'day', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
  ] as const)('in %s, %s, at %s', (zone, kind, at, from, to) => expect(iso(zone, kind, at)).toEqual([from, to]));
});

describe('what is spent of a limit', () => {
  it('is exhausted at the last cent, not one unit earlier, and is never rounded up', () => {
    expect([isExhausted(budget, spent('0.999999999999')), isExhausted(budget, cents(100))]).toEqual([false, true]);
    expect(percentOf(budget, spent('0.999999999999'))).toBe(99.99);
    expect(percentOf(budget, cents(100))).toBe(100);
    expect(toDollars(toUnits('0.300000000001'))).toBe(0.300000000001);
  });

  it('is exact where doubles are not: ten times ten cents are a dollar', () => {
    const units = Array.from({ length: 10 }, () => toUnits('0.100000000000')).reduce((sum, one) => sum + one);
    expect(units).toBe(toUnits('1.000000000000'));
  });
});

describe('the state of a budget', () => {
  const look = (count: number, before: BudgetState | null, isChanged = false): BudgetState | null =>
    stateAfter({ budget, period, spending: cents(count), before, isChanged });

  it.each([
    [79, 0, false],
    [80, 80, false],
    [99, 80, false],
    [100, 100, true],
    [149, 100, true],
    [1000, 150, true],
  ])('with %i cents of a dollar has reached %i %%', (count, reached, exhausted) =>
    expect(look(count, null)).toEqual(stateOf({ reached, isExhausted: exhausted })),
  );

  it('keeps what was reached and told, also when the sum becomes less: a model lost its tag', () => {
    expect(look(50, stateOf({ reached: 100, told: 80, isExhausted: true }))).toEqual(
      stateOf({ reached: 100, told: 80, isExhausted: false }),
    );
  });

  it('begins anew with the next period', () => {
    const before = stateOf({ periodFrom: new Date(FROM - 1), reached: 150, told: 150, isExhausted: true });
    expect(look(10, before)).toEqual(stateOf());
  });

  it('is left alone by a process whose clock is behind', () => {
    expect(look(200, stateOf({ periodFrom: new Date(TO) }))).toBeNull();
  });

  it('can reach and tell again what a raised limit has left unreached', () => {
    expect(look(50, stateOf({ reached: 100, told: 100, isExhausted: true }), true)).toEqual(
      stateOf({ reached: 50, told: 50 }),
    );
    expect(look(120, stateOf({ reached: 80, told: 80 }), true)).toEqual(
      stateOf({ reached: 100, told: 80, isExhausted: true }),
    );
  });

  it('never goes back within a period, and tells no threshold twice, whatever is spent', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 30 }), (sums) => {
        let state: BudgetState | null = null;
        const told: number[] = [];
        for (const sum of sums) {
          const next = look(sum, state) as BudgetState;
          expect(next.reached).toBeGreaterThanOrEqual(state?.reached ?? 0);
          if (next.reached > next.told) told.push(next.reached);
          state = { ...next, told: next.reached };
        }
        expect(new Set(told).size).toBe(told.length);
        expect(Math.max(0, ...told)).toBe(Math.max(0, ...budget.thresholds.filter((one) => one <= Math.max(...sums))));
      }),
    );
  });
});
