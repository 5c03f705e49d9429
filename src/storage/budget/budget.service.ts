import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  type BudgetCreate,
  type BudgetList,
  type BudgetUpdate,
  type BudgetView,
  MAX_BUDGETS,
} from '../../contract/budget.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Precondition } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { BudgetEntity } from './budget.entities.js';
import { type Figures, logSteps, readFigures } from './budget-look.js';
import { toBudgetView } from './budget.mapper.js';
import { BudgetWriter, type Written } from './budget.writer.js';

/** Budgets; what was spent is read from the usage whenever somebody asks. */
@Injectable()
export class BudgetService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly writer: BudgetWriter,
  ) {}

  create(body: BudgetCreate, author: Author): Promise<BudgetView> {
    return this.write(author, (transaction) => this.writer.create(transaction, body, Date.now()));
  }

  update(id: string, body: BudgetUpdate, author: Author, precondition: Precondition): Promise<BudgetView> {
    const options = { precondition, now: Date.now() };
    return this.write(author, (transaction) => this.writer.update(transaction, id, body, options));
  }

  remove(id: string, author: Author, precondition: Precondition): Promise<void> {
    return this.changes.commit(author, (transaction) => this.writer.remove(transaction, id, precondition));
  }

  async read(id: string): Promise<BudgetView> {
    const [view] = await this.views({ id });
    if (!view) throw new AppError('budget_not_found');
    return view;
  }

  async list(): Promise<BudgetList> {
    const budgets = await this.views({});
    return { budgets, total: budgets.length };
  }

  /** Everything of one moment. */
  private views(where: { id?: string }): Promise<BudgetView[]> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      const rows = await manager.find(BudgetEntity, { where, order: { name: 'ASC' }, take: MAX_BUDGETS });
      const figures = rows.length === 0 ? [] : await readFigures(manager, rows, Date.now());
      return rows.map((row, index) => toBudgetView(row, figures[index] as Figures));
    });
  }

  /** A repeated request is given its first answer, and nothing is said anew. */
  private async write(author: Author, work: (transaction: Transaction) => Promise<Written>): Promise<BudgetView> {
    let sight: Written['sight'] = null;
    const view = await this.changes.commit(author, async (transaction) => {
      const written = await work(transaction);
      ({ sight } = written);
      return written.view;
    });
    if (sight) logSteps(sight);
    return view;
  }
}
