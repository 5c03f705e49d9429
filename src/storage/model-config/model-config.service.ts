import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import type { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { etagOf } from '../../platform/http/etag.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import { ChangeService } from '../database/change.service.js';
import { violatesUnique } from '../database/database-errors.js';
import { ConfigCredentials } from './config-credentials.js';
import { listConfigs } from './config-list.js';
import { checkConfig } from './config-rules.js';
import { ModelConfigEntity } from './model-config.entity.js';
import { toColumns, toModelConfigView } from './model-config.mapper.js';

const DEFAULT_LIMIT = 100;
const MAX_ACTIVE = 10_000;

/** Tells whether an ETag is still acceptable to the writer; null: any is. */
type Precondition = ((etag: string) => boolean) | null;

/** Model configurations: every write goes through one transaction with the next revision. */
@Injectable()
export class ModelConfigService {
  constructor(
    @InjectRepository(ModelConfigEntity) private readonly configs: Repository<ModelConfigEntity>,
    private readonly changes: ChangeService,
    private readonly credentials: ConfigCredentials,
    private readonly policy: OutboundPolicy,
  ) {}

  async create(body: ModelConfigCreate): Promise<ModelConfigView> {
    // The id is part of what a secret is sealed for, so it is chosen here and not by the database.
    const row = this.configs.create({ id: randomUUID(), apiBase: null, fallbackAliases: [], ...toColumns(body) });
    checkConfig(row, this.policy, null);
    const values = { ...row, ...this.credentials.columnsFor(row, body, null) };
    const created = await this.changes.commit(async (manager) => {
      await writing(row.alias, manager.insert(ModelConfigEntity, values));
      return { result: await manager.findOneByOrFail(ModelConfigEntity, { id: row.id }), changed: true };
    });
    return toModelConfigView(created);
  }

  async read(id: string): Promise<ModelConfigView> {
    return toModelConfigView(orNotFound(await this.configs.findOneBy({ id })));
  }

  async readByAlias(alias: string): Promise<ModelConfigView> {
    return toModelConfigView(orNotFound(await this.configs.findOneBy({ alias })));
  }

  async list(query: ModelConfigQuery): Promise<ModelConfigList> {
    const page = { skip: query.skip ?? 0, limit: query.limit ?? DEFAULT_LIMIT };
    const [rows, total] = await listConfigs(this.configs, query, page);
    return { models: rows.map(toModelConfigView), total, ...page };
  }

  async active(): Promise<ActiveModelList> {
    const page = { skip: 0, limit: MAX_ACTIVE };
    const [rows, total] = await listConfigs(this.configs, { status: 'configured' }, page);
    return { models: rows.map(toModelConfigView), total };
  }

  /** Absent fields keep their value, `null` clears. A change that changes nothing keeps the version too. */
  async update(id: string, body: ModelConfigUpdate, precondition: Precondition): Promise<ModelConfigView> {
    const updated = await this.changes.commit(async (manager) => {
      const before = await this.lock(manager, id, precondition);
      const columns = toColumns(body);
      const after = { ...before, ...columns };
      checkConfig(after, this.policy, before);
      const change = { ...columns, ...this.credentials.columnsFor(after, body, before) };
      if (!differs(before, change)) return { result: before, changed: false };
      const next = { ...change, version: before.version + 1, updatedAt: () => 'now()' };
      const { affected } = await writing(
        after.alias,
        manager.update(ModelConfigEntity, { id, version: before.version }, next),
      );
      // Cannot be while the row is locked; said rather than believed.
      if (affected !== 1)
        throw new AppError('conflict', { detail: 'The config was changed at the same moment; try again.' });
      return { result: await manager.findOneByOrFail(ModelConfigEntity, { id }), changed: true };
    });
    return toModelConfigView(updated);
  }

  async remove(id: string, precondition: Precondition): Promise<void> {
    await this.changes.commit(async (manager) => {
      await this.lock(manager, id, precondition);
      await manager.delete(ModelConfigEntity, { id });
      return { result: undefined, changed: true };
    });
  }

  /** The row with its secrets, locked: writers of one config queue here, so none of them works on a stale row. */
  private async lock(manager: EntityManager, id: string, precondition: Precondition): Promise<ModelConfigEntity> {
    const found = await manager
      .createQueryBuilder(ModelConfigEntity, 'config')
      .addSelect(['config.apiKey', 'config.authHeaders'])
      .where('config.id = :id', { id })
      .setLock('pessimistic_write')
      .getOne();
    const row = orNotFound(found);
    if (precondition && !precondition(etagOf(row.version))) {
      throw new AppError('precondition_failed', {
        detail: `The config is at version ${row.version} now. Read it again and repeat the change.`,
        headers: { etag: etagOf(row.version) },
      });
    }
    return row;
  }
}

const orNotFound = (row: ModelConfigEntity | null): ModelConfigEntity => {
  if (!row) throw new AppError('config_not_found');
  return row;
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
