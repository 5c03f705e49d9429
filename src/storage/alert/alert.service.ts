import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import type { AlertList, AlertQuery, AlertView } from '../../contract/alert.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import { AlertEntity } from './alert.entities.js';
import { toAlertView } from './alert.mapper.js';
import { readSilences } from './evaluation/tell.js';
import { tokenNames } from './token-names.js';

const DEFAULT_LIMIT = 100;

/** Each filter's condition; its value has the filter's name. */
const CONDITIONS = {
  state: 'alert.state = :state',
  rule: 'alert.ruleName = :rule',
  kind: 'alert.kind = :kind',
  severity: 'alert.severity = :severity',
  subject: 'alert.subject = :subject',
  from: 'alert.since >= :from',
  to: 'alert.since < :to',
} as const satisfies Partial<Record<keyof AlertQuery, string>>;

/** What is wrong now, and what was. Alerts are opened and resolved by the evaluation; people acknowledge them. */
@Injectable()
export class AlertService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
  ) {}

  /** One page and the number of all matches: open ones first, then the newest. */
  async list(query: AlertQuery): Promise<AlertList> {
    const { manager } = this.dataSource;
    const page = { skip: query.skip ?? 0, limit: query.limit ?? DEFAULT_LIMIT };
    const builder = manager
      .createQueryBuilder(AlertEntity, 'alert')
      .addSelect('alert.resolved_at IS NULL', 'is_open')
      .orderBy('is_open', 'DESC')
      .addOrderBy('alert.since', 'DESC')
      .addOrderBy('alert.id', 'ASC');
    for (const [name, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, string][]) {
      const value = query[name];
      if (value !== undefined)
        builder.andWhere(condition, { [name]: name === 'from' || name === 'to' ? new Date(value) : value });
    }
    const rows = await builder.clone().offset(page.skip).limit(page.limit).getMany();
    return { alerts: await toViews(manager, rows), total: await builder.orderBy().getCount(), ...page };
  }

  read(id: string): Promise<AlertView> {
    return readAlert(this.dataSource.manager, id);
  }

  /** Somebody takes care of it, and nobody is reminded any more. Who was first stays. */
  acknowledge(id: string, author: Author): Promise<AlertView> {
    return this.changes.commit(author, async ({ manager }) => {
      const change = { acknowledgedAt: () => 'now()', acknowledgedBy: author.tokenId };
      await manager.update(AlertEntity, { id, acknowledgedAt: IsNull() }, change);
      return readAlert(manager, id);
    });
  }

  /** People are reminded again. */
  async withdraw(id: string, author: Author): Promise<void> {
    await this.changes.commit(author, async ({ manager }) => {
      await manager.update(AlertEntity, { id }, { acknowledgedAt: null, acknowledgedBy: null });
      await readAlert(manager, id);
    });
  }
}

const readAlert = async (manager: EntityManager, id: string): Promise<AlertView> => {
  const [view] = await toViews(manager, await manager.findBy(AlertEntity, { id }));
  if (!view) throw new AppError('alert_not_found');
  return view;
};

const toViews = async (manager: EntityManager, rows: AlertEntity[]): Promise<AlertView[]> => {
  const at = new Date();
  const silences = await readSilences(manager, at);
  const acknowledgedBy = rows.map((row) => row.acknowledgedBy);
  const context = { names: await tokenNames(manager, acknowledgedBy), silences, at };
  return rows.map((row) => toAlertView(row, context));
};
