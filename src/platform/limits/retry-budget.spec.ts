import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.js';

const spendAll = (budget: RetryBudget, id: string, now: number): number => {
  let count = 0;
  while (budget.spend(id, now)) count += 1;
  return count;
};

describe('the retry budget', () => {
  it('is ten at first, then one a second', () => {
    const budget = new RetryBudget();
    expect(spendAll(budget, 'a', 0)).toBe(10);
    expect(spendAll(budget, 'a', 3000)).toBe(3);
    expect(spendAll(budget, 'a', 3500)).toBe(0);
  });

  it('grows by a tenth of the calls, and never above ten', () => {
    const budget = new RetryBudget();
    spendAll(budget, 'a', 0);
    for (let call = 0; call < 20; call += 1) budget.earn('a');
    expect(spendAll(budget, 'a', 0)).toBe(2);
    for (let call = 0; call < 1000; call += 1) budget.earn('a');
    expect(spendAll(budget, 'a', 0)).toBe(10);
  });

  it('is a tenth of many calls and not one a second on top, however they are spread', () => {
    const budget = new RetryBudget();
    spendAll(budget, 'a', 0);
    let spent = 0;
    for (let call = 1; call <= 5000; call += 1) {
      budget.earn('a');
      if (budget.spend('a', call * 20)) spent += 1;
    }
    expect(spent).toBeGreaterThanOrEqual(498);
    expect(spent).toBeLessThanOrEqual(502);
  });

  it('is one for each target: what one used up is not missing for another', () => {
    const budget = new RetryBudget();
    spendAll(budget, 'a', 0);
    expect(budget.spend('b', 0)).toBe(true);
  });
});
