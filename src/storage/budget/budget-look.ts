import { Logger } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { BudgetNotice } from '../../contract/alert-notice.js';
import { enqueue } from '../notification/outbox.js';
import { TimeZone } from '../statistics/time-zone.js';
import { type BudgetEntity, BudgetStateEntity } from './budget.entities.js';
import { type BudgetState, type Period, periodAt, type Spending, stateAfter, toDollars } from './budget-figures.js';
import { readSpending } from './budget-spending.js';

/** The period that is running, and what was spent in it. */
export interface Figures {
  period: Period;
  spending: Spending;
}

/** A state that is another one now. */
interface Step extends Figures {
  budget: BudgetEntity;
  before: BudgetState | null;
  after: BudgetState;
}

/** What came of a look. */
export interface Sight {
  /** In the order of the budgets. */
  figures: Figures[];
  steps: Step[];
}

/** Any number, as long as every process of the product takes the same: who looks at budgets or changes one holds it. */
const BUDGET_LOCK = 4_200_723_006;
/** Both end with the transaction. */
const TRY_LOCK = 'SELECT pg_try_advisory_xact_lock($1) AS taken';
const TAKE_LOCK = 'SELECT pg_advisory_xact_lock($1)';

/** Answers whether nobody else looks. */
export const tryToLock = async (manager: EntityManager): Promise<boolean> => {
  const [lock] = await manager.query<{ taken: boolean }[]>(TRY_LOCK, [BUDGET_LOCK]);
  return lock?.taken === true;
};

/** Waits for whoever looks: a changed budget must not be judged by what it was. */
export const lockBudgets = async (manager: EntityManager): Promise<void> => {
  await manager.query(TAKE_LOCK, [BUDGET_LOCK]);
};

/** Where each budget stands, in their order. `now`: milliseconds since 1970. */
export const readFigures = async (
  manager: EntityManager,
  budgets: readonly BudgetEntity[],
  now: number,
): Promise<Figures[]> => {
  // The planner thinks such queries expensive; to compile one takes longer than to run it.
  await manager.query('SET LOCAL jit = off');
  const zones = new Map(budgets.map(({ timeZone }) => [timeZone, new TimeZone(timeZone)]));
  const periods = budgets.map((budget) => periodAt(zones.get(budget.timeZone) as TimeZone, budget.period, now));
  const spenders = budgets.map(({ scope, scopeValue }, index) => ({
    scope,
    scopeValue,
    period: periods[index] as Period,
  }));
  const spent = await readSpending(manager, spenders, now);
  return spent.map((spending, index) => ({ period: periods[index] as Period, spending }));
};

const differs = (before: BudgetState | null, after: BudgetState): boolean =>
  before === null ||
  before.periodFrom.getTime() !== after.periodFrom.getTime() ||
  before.periodTo.getTime() !== after.periodTo.getTime() ||
  before.reached !== after.reached ||
  before.told !== after.told ||
  before.isExhausted !== after.isExhausted;

/** `all`, or what the money is spent for, such as `alias:fast`. */
export const nameOfScope = ({ scope, scopeValue }: Pick<BudgetEntity, 'scope' | 'scopeValue'>): string =>
  scopeValue === null ? scope : `${scope}:${scopeValue}`;

const noticeOf = (budget: BudgetEntity, state: BudgetState, { units }: Spending, now: number): BudgetNotice => ({
  event: 'budget',
  at: new Date(now).toISOString(),
  budget: {
    id: budget.id,
    name: budget.name,
    scope: nameOfScope(budget),
    period: budget.period,
    from: state.periodFrom.toISOString(),
    to: state.periodTo.toISOString(),
    limit_usd: Number(budget.limitUsd),
    spent_usd: toDollars(units),
    threshold: state.reached,
    refuses: budget.action === 'refuse' && state.isExhausted,
  },
  severity: budget.severity,
  language: budget.language,
});

/** Puts the message about the highest threshold on its way; the highest one that somebody is told of is the answer. */
const tell = async (
  manager: EntityManager,
  budget: BudgetEntity,
  state: BudgetState,
  spending: Spending,
  now: number,
): Promise<number> => {
  if (state.reached <= state.told) return state.told;
  const { severity, channels } = budget;
  const notice = noticeOf(budget, state, spending, now);
  const queued = await enqueue(manager, { notice, severity, channels, orderKey: `budget:${budget.id}` });
  return queued > 0 ? state.reached : state.told;
};

/**
 * Looks where these budgets stand, and writes what is new together with the messages that tell of it: all of it holds, or
 * nothing. Its caller holds the lock. `isChanged`: somebody changed them, see `stateAfter`.
 */
export const lookAt = async (
  manager: EntityManager,
  budgets: readonly BudgetEntity[],
  now: number,
  { isChanged = false } = {},
): Promise<Sight> => {
  const figures = await readFigures(manager, budgets, now);
  const rows = await manager.findBy(BudgetStateEntity, { budgetId: In(budgets.map(({ id }) => id)) });
  const states = new Map(rows.map((row) => [row.budgetId, row]));
  const steps: Step[] = [];
  for (const [index, budget] of budgets.entries()) {
    const { period, spending } = figures[index] as Figures;
    const before = states.get(budget.id) ?? null;
    const seen = stateAfter({ budget, period, spending, before, isChanged });
    if (!seen) continue;
    const after = { ...seen, told: await tell(manager, budget, seen, spending, now) };
    if (!differs(before, after)) continue;
    await manager.upsert(BudgetStateEntity, { budgetId: budget.id, ...after }, ['budgetId']);
    steps.push({ budget, before, after, period, spending });
  }
  return { figures, steps };
};

/** Until when a budget in this state refuses calls; null: it refuses none. */
const refusalOf = ({ action }: BudgetEntity, state: BudgetState | null): number | null =>
  action === 'refuse' && state?.isExhausted ? state.periodTo.getTime() : null;

/** Whether calls are refused now that were not, or the other way round. */
export const changesCalls = ({ steps }: Sight): boolean =>
  steps.some(({ budget, before, after }) => refusalOf(budget, before) !== refusalOf(budget, after));

const logger = new Logger('Budget');

/** One line for each thing that is new; said once it is committed. */
export const logSteps = ({ steps }: Sight): void => {
  for (const { budget, before, after, spending } of steps) {
    const context = {
      budget: budget.name,
      scope: nameOfScope(budget),
      limit_usd: Number(budget.limitUsd),
      spent_usd: toDollars(spending.units),
      until: after.periodTo.toISOString(),
    };
    const isSamePeriod = before?.periodFrom.getTime() === after.periodFrom.getTime();
    const [was, is] = [refusalOf(budget, before), refusalOf(budget, after)];
    if (is !== null && was !== is) {
      const msg = 'A budget is used up: its calls are refused until then; raise limit_usd to go on';
      logger.warn({ msg, ...context });
    } else if (after.reached > (isSamePeriod ? before.reached : 0)) {
      logger.warn({ msg: 'A budget has reached a threshold', threshold: after.reached, ...context });
    }
    if (was !== null && is === null) logger.log({ msg: 'A budget takes calls again', ...context });
  }
};
