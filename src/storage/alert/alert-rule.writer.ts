import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { Any, type EntityManager } from 'typeorm';
import type { HistoryAction } from '../../contract/history.contract.js';
import {
  MAX_ALERT_RULES,
  type AlertRuleCreate,
  type AlertRuleUpdate,
  type AlertRuleView,
} from '../../contract/alert-rule.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { AlertChannelEntity } from '../alert-channel/alert-channel.entity.js';
import { violatesUnique } from '../database/database-errors.js';
import { requireCurrent, type Precondition } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { AlertRuleEntity } from './alert-rule.entity.js';
import { toRuleColumns, toRuleState, toRuleView } from './alert-rule.mapper.js';
import { checkRule } from './rule-checks.js';

interface WriteOptions {
  precondition?: Precondition;
  /**
   * Whether channels that are not there may be named. A document names those of another installation, whose addresses and secrets are
   * not in it: the names are kept, and count as soon as there are such channels.
   */
  mayNameUnknownChannels?: boolean;
}

/** Two that create rules at once must not both see the last free place. */
const COUNTING = `SELECT pg_advisory_xact_lock(hashtextextended('alert rules', 0))`;

/** Writes alert rules inside a transaction of the caller: alone or imported, the rules are the same. */
@Injectable()
export class AlertRuleWriter {
  async create(
    transaction: Transaction,
    body: AlertRuleCreate,
    { mayNameUnknownChannels = false }: WriteOptions = {},
  ): Promise<AlertRuleView> {
    const { manager } = transaction;
    const defaults = { scope: 'all', scopeValue: null, threshold: null, windowMinutes: null, minCalls: null } as const;
    const row = { ...defaults, kind: body.kind, ...toRuleColumns(body) };
    checkRule(row);
    if (!mayNameUnknownChannels) await requireChannels(manager, body.channels ?? []);
    await manager.query(COUNTING);
    if ((await manager.count(AlertRuleEntity)) >= MAX_ALERT_RULES)
      throw new AppError('too_many_alert_rules', { detail: `There are ${MAX_ALERT_RULES} alert rules, no more fit.` });
    const { identifiers } = await writing(body.name, manager.insert(AlertRuleEntity, row));
    const created = await manager.findOneByOrFail(AlertRuleEntity, { id: identifiers[0]?.['id'] as string });
    record(transaction, 'create', null, created);
    return toRuleView(created);
  }

  /** Absent fields keep their value, `null` clears. A change that changes nothing keeps the version too. */
  async update(
    transaction: Transaction,
    id: string,
    body: AlertRuleUpdate,
    { precondition = null, mayNameUnknownChannels = false }: WriteOptions = {},
  ): Promise<AlertRuleView> {
    const { manager } = transaction;
    const before = await lock(manager, id, precondition);
    const columns = toRuleColumns(body);
    const after = { ...before, ...columns };
    checkRule(after);
    // One that is named already may be gone by now: that must not keep the rule from being changed.
    const added = after.channels.filter((name) => !before.channels.includes(name));
    if (!mayNameUnknownChannels) await requireChannels(manager, added);
    if (!differs(before, columns)) return toRuleView(before);
    const change = { ...columns, version: before.version + 1, updatedAt: () => 'now()' };
    await writing(after.name, manager.update(AlertRuleEntity, { id }, change));
    const updated = await manager.findOneByOrFail(AlertRuleEntity, { id });
    record(transaction, 'update', before, updated);
    return toRuleView(updated);
  }

  async remove(transaction: Transaction, id: string, precondition: Precondition = null): Promise<void> {
    const before = await lock(transaction.manager, id, precondition);
    await transaction.manager.delete(AlertRuleEntity, { id });
    record(transaction, 'delete', before, null);
  }
}

const record = (
  transaction: Transaction,
  action: HistoryAction,
  before: AlertRuleEntity | null,
  after: AlertRuleEntity | null,
): void => {
  const { id, name, version } = (after ?? before) as AlertRuleEntity;
  transaction.record({
    kind: 'alert_rule',
    subjectId: id,
    subjectName: name,
    action,
    version: after ? version : version + 1,
    before: before && toRuleState(before),
    after: after && toRuleState(after),
  });
};

/** Writers of one rule queue here, so none of them works on a stale row. */
const lock = async (manager: EntityManager, id: string, precondition: Precondition): Promise<AlertRuleEntity> => {
  const row = await manager.findOne(AlertRuleEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!row) throw new AppError('alert_rule_not_found');
  requireCurrent(precondition, row.version, 'rule');
  return row;
};

/** Those of these names that no channel has. */
export const unknownChannels = async (manager: EntityManager, names: readonly string[]): Promise<string[]> => {
  if (names.length === 0) return [];
  const rows = await manager.find(AlertChannelEntity, { select: { name: true }, where: { name: Any([...names]) } });
  const known = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !known.has(name));
};

const requireChannels = async (manager: EntityManager, names: readonly string[]): Promise<void> => {
  const unknown = await unknownChannels(manager, names);
  if (unknown.length === 0) return;
  const message = `channels must be names of channels that are there; there is no ${unknown.join(', ')}`;
  throw invalidFields({ field: 'channels', message });
};

const differs = (row: AlertRuleEntity, columns: Partial<AlertRuleEntity>): boolean =>
  Object.entries(columns).some(([column, value]) => !isDeepStrictEqual(row[column as keyof AlertRuleEntity], value));

const writing = async <Result>(name: string, write: Promise<Result>): Promise<Result> => {
  try {
    return await write;
  } catch (error) {
    if (!violatesUnique(error, 'uq_alert_rules_name')) throw error;
    const message = `The name ${name} is taken by another rule.`;
    throw new AppError('alert_rule_name_taken', {
      detail: message,
      fields: [{ field: 'name', message }],
      cause: error,
    });
  }
};
