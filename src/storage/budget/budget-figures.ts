import { LIMIT_PLACES } from '../../contract/budget.contract.js';
import type { TimeZone } from '../statistics/time-zone.js';
import type { BudgetEntity, BudgetStateEntity } from './budget.entities.js';

/** Places of a cost: sums are whole numbers of 10^-12 US dollars, so that they stay exact. */
const COST_PLACES = 12;

/** A stretch of time; milliseconds since 1970, `to` is not in it. */
export interface Period {
  from: number;
  to: number;
}

/** What was spent in a period, as far as usage has come in. */
export interface Spending {
  /** In units of 10^-12 US dollars. */
  units: bigint;
  unpricedCalls: number;
}

export const NOTHING_SPENT: Spending = { units: 0n, unpricedCalls: 0 };

/** The period of a budget that an instant is in. */
export const periodAt = (zone: TimeZone, period: BudgetEntity['period'], instant: number): Period => {
  const from = zone.startOf(period, instant);
  return { from, to: zone.next(period, from) };
};

/** A decimal with this many places, as whole units of the last one. */
const unitsOf = (decimal: string): bigint => BigInt(decimal.replace('.', ''));

/** A sum of `numeric(30,12)` as the database answers it. */
export const toUnits = (cost: string): bigint => unitsOf(cost);

export const toDollars = (units: bigint): number => Number(`${units}e-${COST_PLACES}`);

const limitOf = ({ limitUsd }: Pick<BudgetEntity, 'limitUsd'>): bigint =>
  unitsOf(limitUsd) * 10n ** BigInt(COST_PLACES - LIMIT_PLACES);

export const isExhausted = (budget: Pick<BudgetEntity, 'limitUsd'>, { units }: Spending): boolean =>
  units >= limitOf(budget);

/** Of the limit, in whole percent and never more than there is. */
const wholePercentOf = (budget: Pick<BudgetEntity, 'limitUsd'>, { units }: Spending): number =>
  Number((units * 100n) / limitOf(budget));

/** To the hundredth, never rounded up: 100 is exhausted, and 99.99 is not. */
export const percentOf = (budget: Pick<BudgetEntity, 'limitUsd'>, { units }: Spending): number =>
  Number((units * 10_000n) / limitOf(budget)) / 100;

export type BudgetState = Pick<BudgetStateEntity, 'periodFrom' | 'periodTo' | 'reached' | 'told' | 'isExhausted'>;

interface Looked {
  budget: Pick<BudgetEntity, 'limitUsd' | 'thresholds'>;
  period: Period;
  spending: Spending;
  /** null: it was never looked at, or what was seen does not count any more. */
  before: BudgetState | null;
  /** Somebody changed it: what its new limit leaves unreached may be reached, and told, again. */
  isChanged: boolean;
}

/**
 * How far a budget has come, after what was known before. Within a period `reached` only goes up, whatever becomes of the sums.
 * null: its state is of a later period, another process has a clock that is ahead.
 */
export const stateAfter = ({ budget, period, spending, before, isChanged }: Looked): BudgetState | null => {
  if (before && before.periodFrom.getTime() > period.from) return null;
  const percent = wholePercentOf(budget, spending);
  const isSame = before?.periodFrom.getTime() === period.from;
  const most = isChanged ? percent : Infinity;
  const known = isSame ? before : { reached: 0, told: 0 };
  const [reached, told] = [Math.min(known.reached, most), Math.min(known.told, most)];
  const thresholds = budget.thresholds.filter((threshold) => threshold <= percent);
  return {
    periodFrom: new Date(period.from),
    periodTo: new Date(period.to),
    reached: Math.max(reached, ...thresholds),
    told,
    isExhausted: isExhausted(budget, spending),
  };
};
