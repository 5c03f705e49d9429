import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type {
  AlertRuleCreate,
  AlertRuleList,
  AlertRuleQuery,
  AlertRuleUpdate,
  AlertRuleView,
} from '../../contract/alert-rule.contract.js';
import type { HistoryList } from '../../contract/history.contract.js';
import type { Page } from '../../contract/list-query.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import { contains } from '../database/like.js';
import type { Precondition } from '../database/precondition.js';
import { HistoryService } from '../history/history.service.js';
import { AlertRuleEntity } from './alert-rule.entity.js';
import { toRuleView } from './alert-rule.mapper.js';
import { AlertRuleWriter } from './alert-rule.writer.js';

const DEFAULT_LIMIT = 100;

/** Each filter's condition; its value has the filter's name. */
const CONDITIONS = {
  kind: 'rule.kind = :kind',
  is_enabled: 'rule.isEnabled = :is_enabled',
  severity: 'rule.severity = :severity',
  q: '(rule.name ILIKE :q OR rule.description ILIKE :q)',
} as const satisfies Partial<Record<keyof AlertRuleQuery, string>>;

/** Alert rules: what is watched. They are evaluated elsewhere, from the rows. */
@Injectable()
export class AlertRuleService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly writer: AlertRuleWriter,
    private readonly histories: HistoryService,
  ) {}

  create(body: AlertRuleCreate, author: Author): Promise<AlertRuleView> {
    return this.changes.commit(author, (transaction) => this.writer.create(transaction, body));
  }

  async read(id: string): Promise<AlertRuleView> {
    const row = await this.dataSource.manager.findOneBy(AlertRuleEntity, { id });
    if (!row) throw new AppError('alert_rule_not_found');
    return toRuleView(row);
  }

  /** One page and the number of all matches, by name. */
  async list(query: AlertRuleQuery): Promise<AlertRuleList> {
    const page = { skip: query.skip ?? 0, limit: query.limit ?? DEFAULT_LIMIT };
    const builder = this.dataSource.manager.createQueryBuilder(AlertRuleEntity, 'rule').orderBy('rule.name');
    for (const [name, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, string][]) {
      const value = query[name];
      if (value !== undefined) builder.andWhere(condition, { [name]: name === 'q' ? contains(String(value)) : value });
    }
    const [rows, total] = await builder.offset(page.skip).limit(page.limit).getManyAndCount();
    return { rules: rows.map(toRuleView), total, ...page };
  }

  update(id: string, body: AlertRuleUpdate, author: Author, precondition: Precondition): Promise<AlertRuleView> {
    return this.changes.commit(author, (transaction) => this.writer.update(transaction, id, body, { precondition }));
  }

  remove(id: string, author: Author, precondition: Precondition): Promise<void> {
    return this.changes.commit(author, (transaction) => this.writer.remove(transaction, id, precondition));
  }

  /** Also of a rule that is deleted. The first rules of an installation have none until somebody changes them. */
  async history(id: string, page: Page): Promise<HistoryList> {
    const list = await this.histories.ofSubject('alert_rule', id, page);
    if (list.total === 0) await this.read(id);
    return list;
  }
}
