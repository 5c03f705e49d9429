import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  type BudgetCreate,
  type BudgetScope,
  type BudgetUpdate,
  type BudgetView,
  MAX_BUDGETS,
} from '../../contract/budget.contract.js';
import { ALIAS_PATTERN } from '../../contract/model-config.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { violatesUnique } from '../database/database-errors.js';
import { type Precondition, requireCurrent } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { ADMIN_TOKEN_ID } from '../token/known-tokens.js';
import { BudgetEntity, BudgetStateEntity } from './budget.entities.js';
import { type Figures, lockBudgets, lookAt, readFigures, type Sight } from './budget-look.js';
import { toBudgetState, toBudgetView, toColumns } from './budget.mapper.js';

/** What was written; the sight is of the same moment. */
export interface Written {
  view: BudgetView;
  sight: Sight | null;
}

const SCOPE_FORMS: Record<Exclude<BudgetScope, 'all'>, { pattern: RegExp; form: string }> = {
  alias: { pattern: ALIAS_PATTERN, form: 'an alias' },
  tag: { pattern: /^[^:\s][^:]{0,62}:.{0,200}$/su, form: 'a tag as key:value' },
  token: {
    pattern: new RegExp(`^(?:${ADMIN_TOKEN_ID}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$`),
    form: `the id of a token, or ${ADMIN_TOKEN_ID}`,
  },
};

/** Changes of these make another period or other spending of it: what was reached and told before does not count. */
const OF_ANOTHER_SUM = ['scope', 'scopeValue', 'period', 'timeZone'] as const;

/** Writes budgets inside a transaction of the caller, and looks at once where they stand then. */
@Injectable()
export class BudgetWriter {
  async create(transaction: Transaction, body: BudgetCreate, now: number): Promise<Written> {
    const { manager } = transaction;
    await lockBudgets(manager);
    if ((await manager.count(BudgetEntity)) >= MAX_BUDGETS) {
      throw new AppError('too_many_budgets', { detail: `There are ${MAX_BUDGETS} budgets; delete one first.` });
    }
    const row = manager.create(BudgetEntity, { scope: 'all', scopeValue: null, ...toColumns(body) });
    checkScope(row);
    const { identifiers } = await writing(row.name, manager.insert(BudgetEntity, row));
    const created = await manager.findOneByOrFail(BudgetEntity, { id: identifiers[0]?.['id'] as string });
    record(transaction, null, created);
    return this.look(manager, created, now);
  }

  /** Absent fields keep their value. A change that changes nothing keeps the version too. */
  async update(
    transaction: Transaction,
    id: string,
    body: BudgetUpdate,
    { precondition, now }: { precondition: Precondition; now: number },
  ): Promise<Written> {
    const { manager } = transaction;
    const before = await find(manager, id, precondition);
    const change = toColumns(body);
    const after = { ...before, ...change };
    checkScope(after);
    if (isDeepStrictEqual(after, { ...before })) {
      const [figures] = await readFigures(manager, [before], now);
      return { view: toBudgetView(before, figures as Figures), sight: null };
    }
    const next = { ...change, version: before.version + 1, updatedAt: () => 'now()' };
    await writing(after.name, manager.update(BudgetEntity, { id }, next));
    if (OF_ANOTHER_SUM.some((column) => after[column] !== before[column])) {
      await manager.delete(BudgetStateEntity, { budgetId: id });
    }
    const updated = await manager.findOneByOrFail(BudgetEntity, { id });
    record(transaction, before, updated);
    return this.look(manager, updated, now);
  }

  async remove(transaction: Transaction, id: string, precondition: Precondition): Promise<void> {
    const before = await find(transaction.manager, id, precondition);
    await transaction.manager.delete(BudgetEntity, { id });
    record(transaction, before, null);
  }

  /** A raised limit opens with the change itself, and a lowered one closes. */
  private async look(manager: EntityManager, budget: BudgetEntity, now: number): Promise<Written> {
    const sight = budget.isEnabled ? await lookAt(manager, [budget], now, { isChanged: true }) : null;
    const [figures] = sight?.figures ?? (await readFigures(manager, [budget], now));
    return { view: toBudgetView(budget, figures as Figures), sight };
  }
}

const checkScope = ({ scope, scopeValue }: Pick<BudgetEntity, 'scope' | 'scopeValue'>): void => {
  const refuse = (what: string): AppError =>
    invalidFields({ field: 'scope_value', message: `scope_value must be ${what} with scope ${scope}` });
  if (scope === 'all') {
    if (scopeValue !== null) throw refuse('null, or left out,');
    return;
  }
  const { pattern, form } = SCOPE_FORMS[scope];
  if (scopeValue === null || !pattern.test(scopeValue)) throw refuse(form);
};

/** Locked: everybody who writes budgets waits for the others. */
const find = async (manager: EntityManager, id: string, precondition: Precondition): Promise<BudgetEntity> => {
  await lockBudgets(manager);
  const row = await manager.findOneBy(BudgetEntity, { id });
  if (!row) throw new AppError('budget_not_found');
  requireCurrent(precondition, row.version, 'budget');
  return row;
};

const record = (transaction: Transaction, before: BudgetEntity | null, after: BudgetEntity | null): void => {
  const { id, name, version } = (after ?? before) as BudgetEntity;
  transaction.record({
    kind: 'budget',
    subjectId: id,
    subjectName: name,
    action: before === null ? 'create' : after === null ? 'delete' : 'update',
    version: after ? version : version + 1,
    before: before && toBudgetState(before),
    after: after && toBudgetState(after),
  });
};

const writing = async <Result>(name: string, write: Promise<Result>): Promise<Result> => {
  try {
    return await write;
  } catch (error) {
    if (!violatesUnique(error, 'uq_budgets_name')) throw error;
    const message = `The name ${name} is taken by another budget.`;
    throw new AppError('budget_name_taken', { detail: message, fields: [{ field: 'name', message }], cause: error });
  }
};
