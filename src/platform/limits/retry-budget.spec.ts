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

  it('is one for each target: what one used up is not missing for another', () => {
    const budget = new RetryBudget();
    spendAll(budget, 'a', 0);
    expect(budget.spend('b', 0)).toBe(true);
  });
});
