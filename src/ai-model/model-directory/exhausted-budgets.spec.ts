import { describe, expect, it } from '@jest/globals';
import { aSnapshotModel } from '../../../test/factories/snapshot-model.js';
import type { SnapshotBudget } from '../../contract/snapshot.contract.js';
import { budgetExceeded, ExhaustedBudgets } from './exhausted-budgets.js';

const UNTIL = '2026-12-01T00:00:00.000Z';
const BEFORE = Date.parse(UNTIL) - 1;
const budget = (scope: SnapshotBudget['scope'], value: string | null = null): SnapshotBudget => ({
  name: `of-${scope}`,
  scope,
  scope_value: value,
  until: UNTIL,
});
const of = (...budgets: SnapshotBudget[]): ExhaustedBudgets => ExhaustedBudgets.of(budgets) as ExhaustedBudgets;
const model = aSnapshotModel({ alias: 'fast', tags: { team: 'search', url: 'http://x:1' } });

describe('budgets that are used up', () => {
  it('are nothing to look up when there are none', () => expect(ExhaustedBudgets.of([])).toBeNull());

  it('over everything refuse every token, one over a token that one alone, and no model', () => {
    expect(of(budget('all')).refusing('t1', BEFORE)?.name).toBe('of-all');
    expect(of(budget('all')).refusing(undefined, BEFORE)?.name).toBe('of-all');
    const ofToken = of(budget('token', 't1'));
    expect([ofToken.refusing('t1', BEFORE)?.name, ofToken.refusing('t2', BEFORE)]).toEqual(['of-token', null]);
    expect([of(budget('all')).closing(model, BEFORE), ofToken.closing(model, BEFORE)]).toEqual([null, null]);
  });

  it.each([
    ['alias', 'fast', true],
    ['alias', 'FAST', false],
    ['tag', 'team:search', true],
    ['tag', 'team:sear', false],
    ['tag', 'url:http://x:1', true],
    ['tag', 'toString:search', false],
  ] as const)('over the %s %s close the model: %s', (scope, value, closes) => {
    const budgets = of(budget(scope, value));
    expect(budgets.closing(model, BEFORE) !== null).toBe(closes);
    expect(budgets.refusing('t1', BEFORE)).toBeNull();
  });

  it('end with their period, by the clock alone', () => {
    const budgets = of(budget('all'), budget('alias', 'fast'));
    const at = (now: number): unknown[] => [budgets.refusing('t1', now), budgets.closing(model, now)];
    expect(at(BEFORE).every((one) => one !== null)).toBe(true);
    expect(at(BEFORE + 1)).toEqual([null, null]);
  });

  it('say which one it is and until when, and ask for no other attempt', () => {
    const error = budgetExceeded(budget('tag', 'team:search'));
    expect([error.code, error.status, error.headers]).toEqual(['budget_exceeded', 429, { 'x-should-retry': 'false' }]);
    expect(error.detail).toBe(`The budget of-tag of the models with the tag team:search is used up until ${UNTIL}.`);
  });
});
