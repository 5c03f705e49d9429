import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { HistoryAction } from '../../contract/history.contract.js';
import type { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ModelConfigView } from '../../contract/model-config-view.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import { violatesUnique } from '../database/database-errors.js';
import { requireCurrent, type Precondition } from '../database/precondition.js';
import type { Transaction } from '../database/transaction.js';
import { holdPrompt, isSameDefault, requireUsable, type DefaultPrompt } from '../prompt/default-prompt.js';
import { ConfigCredentials } from './config-credentials.js';
import { checkConfig } from './config-rules.js';
import { ModelConfigEntity } from './model-config.entity.js';
import { toColumns, toHistoryState, toModelConfigView } from './model-config.mapper.js';

interface CreateOptions {
  /** A config that was deleted comes back under its own id, with the version after its last. */
  revived?: { id: string; version: number };
  action?: HistoryAction;
}

interface UpdateOptions {
  precondition?: Precondition;
  action?: HistoryAction;
}

/** Writes configs inside a transaction of the caller: alone, restored or imported, the rules are the same. */
@Injectable()
export class ModelConfigWriter {
  constructor(
    private readonly credentials: ConfigCredentials,
    private readonly policy: OutboundPolicy,
  ) {}

  async create(
    transaction: Transaction,
    body: ModelConfigCreate,
    options: CreateOptions = {},
  ): Promise<ModelConfigView> {
    const { manager } = transaction;
    // The id is part of what a secret is sealed for, so it is chosen here and not by the database.
    const { id, version } = options.revived ?? { id: randomUUID(), version: 1 };
    const row = manager.create(ModelConfigEntity, {
      id,
      version,
      apiBase: null,
      fallbackAliases: [],
      ...toColumns(body),
    });
    checkConfig(row, this.policy, null);
    await requireUsable(manager, defaultPromptOf(row));
    const values = { ...row, ...this.credentials.columnsFor(row, body, null) };
    await writing(row.alias, manager.insert(ModelConfigEntity, values));
    const created = await manager.findOneByOrFail(ModelConfigEntity, { id });
    record(transaction, options.action ?? 'create', null, created);
    return toModelConfigView(created);
  }

  /** Absent fields keep their value, `null` clears. A change that changes nothing keeps the version too. */
  async update(
    transaction: Transaction,
    id: string,
    body: ModelConfigUpdate,
    { precondition = null, action = 'update' }: UpdateOptions = {},
  ): Promise<ModelConfigView> {
    const { manager } = transaction;
    await holdNewPrompt(manager, id, body);
    const before = await lock(manager, id, precondition);
    const columns = toColumns(body);
    const after = { ...before, ...columns };
    checkConfig(after, this.policy, before);
    // What is the default already was usable when it became so, and is kept so by the prompt's own writers.
    if (!isSameDefault(before, after)) await requireUsable(manager, after);
    const change = { ...columns, ...this.credentials.columnsFor(after, body, before) };
    if (!differs(before, change)) return toModelConfigView(before);
    const next = { ...change, version: before.version + 1, updatedAt: () => 'now()' };
    const { affected } = await writing(
      after.alias,
      manager.update(ModelConfigEntity, { id, version: before.version }, next),
    );
    // Cannot be while the row is locked; said rather than believed.
    if (affected !== 1)
      throw new AppError('conflict', { detail: 'The config was changed at the same moment; try again.' });
    const updated = await manager.findOneByOrFail(ModelConfigEntity, { id });
    record(transaction, action, before, updated);
    return toModelConfigView(updated);
  }

  async remove(transaction: Transaction, id: string, precondition: Precondition = null): Promise<void> {
    const before = await lock(transaction.manager, id, precondition);
    await transaction.manager.delete(ModelConfigEntity, { id });
    record(transaction, 'delete', before, null);
  }
}

const record = (
  transaction: Transaction,
  action: HistoryAction,
  before: ModelConfigEntity | null,
  after: ModelConfigEntity | null,
): void => {
  const { id, alias, version } = (after ?? before) as ModelConfigEntity;
  transaction.record({
    kind: 'config',
    subjectId: id,
    subjectName: alias,
    action,
    version: after ? version : version + 1,
    before: before && toHistoryState(before),
    after: after && toHistoryState(after),
  });
};

/** The row with its secrets, locked: writers of one config queue here, so none of them works on a stale row. */
const lock = async (manager: EntityManager, id: string, precondition: Precondition): Promise<ModelConfigEntity> => {
  const row = await manager
    .createQueryBuilder(ModelConfigEntity, 'config')
    .addSelect(['config.apiKey', 'config.authHeaders'])
    .where('config.id = :id', { id })
    .setLock('pessimistic_write')
    .getOne();
  if (!row) throw new AppError('config_not_found');
  requireCurrent(precondition, row.version, 'config');
  return row;
};

/** A new row has only the columns that were sent. */
const defaultPromptOf = (row: Partial<DefaultPrompt>): DefaultPrompt => ({
  systemPromptName: row.systemPromptName ?? null,
  systemPromptLabel: row.systemPromptLabel ?? null,
});

/** Before the config's row, see `holdPrompt`; the name that is stored may be another one by the time that row is locked. */
const holdNewPrompt = async (manager: EntityManager, id: string, body: ModelConfigUpdate): Promise<void> => {
  const { system_prompt_name: sent, system_prompt_label: label } = body;
  if (sent) await holdPrompt(manager, sent);
  if (sent !== undefined || label === undefined) return;
  const stored = await manager.findOne(ModelConfigEntity, { select: { systemPromptName: true }, where: { id } });
  if (stored?.systemPromptName) await holdPrompt(manager, stored.systemPromptName);
};

/** By value: jsonb does not keep the order of keys. */
const differs = (row: ModelConfigEntity, change: object): boolean =>
  Object.entries(change).some(([column, value]) => !isDeepStrictEqual(row[column as keyof ModelConfigEntity], value));

const writing = async <Result>(alias: string, write: Promise<Result>): Promise<Result> => {
  try {
    return await write;
  } catch (error) {
    if (!violatesUnique(error, 'uq_ai_model_configs_alias')) throw error;
    const message = `The alias ${alias} is taken by another config.`;
    throw new AppError('alias_taken', { detail: message, fields: [{ field: 'alias', message }], cause: error });
  }
};
