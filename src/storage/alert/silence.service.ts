import { Injectable } from '@nestjs/common';
import { DataSource, LessThanOrEqual, MoreThan, type EntityManager, type FindOptionsWhere } from 'typeorm';
import {
  MAX_OPEN_SILENCES,
  MAX_SILENCE_DAYS,
  type AlertSilenceCreate,
  type AlertSilenceList,
  type AlertSilenceQuery,
  type AlertSilenceView,
  type SilenceState,
} from '../../contract/alert.contract.js';
import type { HistoryAction } from '../../contract/history.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError, invalidFields, type FieldProblem } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Transaction } from '../database/transaction.js';
import { AlertRuleEntity } from './alert-rule.entity.js';
import { AlertSilenceEntity } from './alert.entities.js';
import { toSilenceHistoryState, toSilenceView } from './alert.mapper.js';
import { tokenNames } from './token-names.js';

const DEFAULT_LIMIT = 100;
const DAY_MILLISECONDS = 86_400_000;

/** Two that ask at once must not both see the last free place. */
const COUNTING = `SELECT pg_advisory_xact_lock(hashtextextended('alert silences', 0))`;
/** A few with every new one: as many go as come. The history keeps them. */
const FORGET = `DELETE FROM alert_silences WHERE id IN
  (SELECT id FROM alert_silences WHERE ends_at < $1::timestamptz - interval '90 days' LIMIT 10)`;

const isIn = (state: SilenceState, at: Date): FindOptionsWhere<AlertSilenceEntity> => {
  if (state === 'ended') return { endsAt: LessThanOrEqual(at) };
  return { endsAt: MoreThan(at), startsAt: state === 'active' ? LessThanOrEqual(at) : MoreThan(at) };
};

/** Times in which nobody is told of a rule or a subject. */
@Injectable()
export class SilenceService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
  ) {}

  create(body: AlertSilenceCreate, author: Author): Promise<AlertSilenceView> {
    const at = new Date();
    const { rule: ruleName = null, subject = null, comment } = body;
    const times = readTimes(body, at);
    return this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      if (ruleName !== null) await requireRule(manager, ruleName);
      await manager.query(COUNTING);
      await requirePlace(manager, at);
      await manager.query(FORGET, [at]);
      const values = { ruleName, subject, comment, ...times, createdBy: author.tokenId };
      const { identifiers } = await manager.insert(AlertSilenceEntity, values);
      const row = await manager.findOneByOrFail(AlertSilenceEntity, { id: identifiers[0]?.['id'] as string });
      record(transaction, 'create', null, row);
      return toView(manager, row, at);
    });
  }

  /** One page and the number of all; the one that ends last comes first. */
  async list({ state, skip = 0, limit = DEFAULT_LIMIT }: AlertSilenceQuery): Promise<AlertSilenceList> {
    const { manager } = this.dataSource;
    const at = new Date();
    const [rows, total] = await manager.findAndCount(AlertSilenceEntity, {
      where: state === undefined ? {} : isIn(state, at),
      order: { endsAt: 'DESC', id: 'ASC' },
      skip,
      take: limit,
    });
    const createdBy = rows.map((row) => row.createdBy);
    const context = { names: await tokenNames(manager, createdBy), at };
    return { silences: rows.map((row) => toSilenceView(row, context)), total, skip, limit };
  }

  /** Ends a silence now; it stays in the list. One that has ended stays as it is. */
  async end(id: string, author: Author): Promise<void> {
    const at = new Date();
    await this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      const before = await manager.findOne(AlertSilenceEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (!before) throw new AppError('alert_silence_not_found');
      if (before.endsAt <= at) return;
      // One that has not begun yet is never in force.
      const times = { startsAt: before.startsAt < at ? before.startsAt : at, endsAt: at };
      await manager.update(AlertSilenceEntity, { id }, times);
      record(transaction, 'update', before, { ...before, ...times });
    });
  }
}

/** Beginning and end. Throws `validation_failed` for a silence that is over already, or that is forgotten about. */
const readTimes = (body: AlertSilenceCreate, at: Date): { startsAt: Date; endsAt: Date } => {
  const startsAt = body.starts_at === undefined ? at : new Date(body.starts_at);
  const endsAt = new Date(body.ends_at);
  const latest = (from: Date): Date =>
    new Date(Math.max(from.getTime(), at.getTime()) + MAX_SILENCE_DAYS * DAY_MILLISECONDS);
  const problems: FieldProblem[] = [];
  const refuse = (field: string, what: string): void => void problems.push({ field, message: `${field} ${what}` });
  if (startsAt > latest(at)) refuse('starts_at', 'must be within a year');
  if (endsAt <= at) refuse('ends_at', 'must be in the future');
  else if (endsAt <= startsAt) refuse('ends_at', 'must be later than starts_at');
  else if (endsAt > latest(startsAt)) refuse('ends_at', 'must be at most a year later');
  if (problems.length > 0) throw invalidFields(...problems);
  return { startsAt, endsAt };
};

const requireRule = async (manager: EntityManager, name: string): Promise<void> => {
  if (await manager.existsBy(AlertRuleEntity, { name })) return;
  throw invalidFields({ field: 'rule', message: `rule must be the name of a rule; there is no ${name}` });
};

const requirePlace = async (manager: EntityManager, at: Date): Promise<void> => {
  if ((await manager.countBy(AlertSilenceEntity, { endsAt: MoreThan(at) })) < MAX_OPEN_SILENCES) return;
  const detail = `${MAX_OPEN_SILENCES} silences have not ended yet, no more fit. End some of them, or ask for one whose subject ends in *.`;
  throw new AppError('too_many_alert_silences', { detail });
};

const toView = async (manager: EntityManager, row: AlertSilenceEntity, at: Date): Promise<AlertSilenceView> =>
  toSilenceView(row, { names: await tokenNames(manager, [row.createdBy]), at });

const record = (
  transaction: Transaction,
  action: HistoryAction,
  before: AlertSilenceEntity | null,
  after: AlertSilenceEntity,
): void =>
  transaction.record({
    kind: 'alert_silence',
    subjectId: after.id,
    subjectName: after.ruleName ?? 'every rule',
    action,
    version: null,
    before: before && toSilenceHistoryState(before),
    after: toSilenceHistoryState(after),
  });
