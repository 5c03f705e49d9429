import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { HistoryList, VersionDiff } from '../../contract/history.contract.js';
import type { Page } from '../../contract/list-query.js';
import type { ModelConfigCreate, ModelConfigRestore, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Precondition } from '../database/precondition.js';
import { HistoryService } from '../history/history.service.js';
import { listConfigs } from './config-list.js';
import { ModelConfigEntity } from './model-config.entity.js';
import { toModelConfigView, toRestorable } from './model-config.mapper.js';
import { ModelConfigWriter } from './model-config.writer.js';

const DEFAULT_LIMIT = 100;
const MAX_ACTIVE = 10_000;

/** Model configurations: every write goes through one transaction with its history and the next revision. */
@Injectable()
export class ModelConfigService {
  constructor(
    @InjectRepository(ModelConfigEntity) private readonly configs: Repository<ModelConfigEntity>,
    private readonly changes: ChangeService,
    private readonly writer: ModelConfigWriter,
    private readonly histories: HistoryService,
  ) {}

  create(body: ModelConfigCreate, author: Author): Promise<ModelConfigView> {
    return this.changes.commit(author, (transaction) => this.writer.create(transaction, body));
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

  update(id: string, body: ModelConfigUpdate, author: Author, precondition: Precondition): Promise<ModelConfigView> {
    return this.changes.commit(author, (transaction) => this.writer.update(transaction, id, body, { precondition }));
  }

  remove(id: string, author: Author, precondition: Precondition): Promise<void> {
    return this.changes.commit(author, (transaction) => this.writer.remove(transaction, id, precondition));
  }

  /** Also of a config that is deleted. */
  async history(id: string, page: Page): Promise<HistoryList> {
    const list = await this.histories.ofSubject('config', id, page);
    if (list.total === 0) throw new AppError('config_not_found');
    return list;
  }

  diff(id: string, from: number, to: number): Promise<VersionDiff> {
    return this.histories.diff('config', id, from, to);
  }

  /**
   * Gives a config exactly the fields it had at a version; a deleted one comes back. Secrets are not kept in the history:
   * the stored ones stay, and when the destination is another one they have to be sent along or cleared.
   */
  restore(
    id: string,
    version: number,
    secrets: ModelConfigRestore,
    author: Author,
    precondition: Precondition,
  ): Promise<ModelConfigView> {
    return this.changes.commit(author, async (transaction) => {
      const { manager } = transaction;
      const { state, newest } = await this.histories.stateAt(manager, 'config', id, version);
      const body = { ...toRestorable(state), ...secrets };
      if (await manager.existsBy(ModelConfigEntity, { id }))
        return this.writer.update(transaction, id, body, { precondition, action: 'restore' });
      const revived = { id, version: newest + 1 };
      return this.writer.create(transaction, body as ModelConfigCreate, { revived, action: 'restore' });
    });
  }
}

const orNotFound = (row: ModelConfigEntity | null): ModelConfigEntity => {
  if (!row) throw new AppError('config_not_found');
  return row;
};
