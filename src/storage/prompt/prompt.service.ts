import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { HistoryList } from '../../contract/history.contract.js';
import type { Page } from '../../contract/list-query.js';
import type { PromptCreate, PromptRestore, PromptUpdate, PromptVersionCreate } from '../../contract/prompt.contract.js';
import type { PromptQuery } from '../../contract/prompt-query.contract.js';
import type {
  PromptDiff,
  PromptList,
  PromptVersionList,
  PromptVersionView,
  PromptView,
  SavedPromptVersion,
} from '../../contract/prompt-view.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { ChangeService } from '../database/change.service.js';
import type { Precondition } from '../database/precondition.js';
import { HistoryService } from '../history/history.service.js';
import { PromptChanges } from './prompt-changes.js';
import { diffVersions } from './prompt-diff.js';
import { listPrompts } from './prompt-list.js';
import { findVersion, labelsOf, orPromptNotFound, readContent } from './prompt-rows.js';
import { PromptVersionEntity } from './prompt-version.entity.js';
import {
  pageOf,
  toPromptSummary,
  toPromptView,
  toVersionSummary,
  toVersionView,
  type Labels,
} from './prompt.mapper.js';
import { PromptWriter } from './prompt.writer.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** Everything of a version but its content, which may be 256 KB. */
const WITHOUT_CONTENT = {
  templateId: true,
  version: true,
  syntax: true,
  contentSha256: true,
  message: true,
  baseVersion: true,
  origin: true,
  createdBy: true,
  createdAt: true,
} as const;

/** Prompts and their versions: every write goes through one transaction with its history and the next revision. */
@Injectable()
export class PromptService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly promptChanges: PromptChanges,
    private readonly writer: PromptWriter,
    private readonly histories: HistoryService,
  ) {}

  create(body: PromptCreate, author: Author): Promise<PromptView> {
    return this.changes.commit(author, (transaction) => this.writer.create(transaction, body));
  }

  async read(id: string): Promise<PromptView> {
    return this.view(await this.find(id));
  }

  async readByName(name: string): Promise<PromptView> {
    const row = await this.dataSource.manager.findOneBy(SystemPromptTemplateEntity, { name });
    return this.view(orPromptNotFound(row));
  }

  async list(query: PromptQuery): Promise<PromptList> {
    const { manager } = this.dataSource;
    const page = pageOf(query);
    const [rows, total] = await listPrompts(manager, query, page);
    const labels = await labelsOf(
      manager,
      rows.map(({ id }) => id),
    );
    return { prompts: rows.map((row) => toPromptSummary(row, labels.get(row.id) ?? {})), total, ...page };
  }

  async update(id: string, body: PromptUpdate, author: Author, precondition: Precondition): Promise<PromptView> {
    const work = this.promptChanges.commit(id, author, (transaction) =>
      this.writer.update(transaction, id, body, { precondition }),
    );
    return this.explaining(id, body.base_version, work);
  }

  /** Its name stays taken: whoever still asks for it is told, and never gets another text. */
  archive(id: string, author: Author, precondition: Precondition): Promise<PromptView> {
    return this.update(id, { is_active: false }, author, precondition);
  }

  unarchive(id: string, author: Author): Promise<PromptView> {
    return this.update(id, { is_active: true }, author, null);
  }

  addVersion(id: string, body: PromptVersionCreate, author: Author): Promise<SavedPromptVersion> {
    const work = this.promptChanges.commit(id, author, (transaction) => this.writer.addVersion(transaction, id, body));
    return this.explaining(id, body.base_version, work);
  }

  restore(id: string, version: number, body: PromptRestore, author: Author): Promise<SavedPromptVersion> {
    const work = this.promptChanges.commit(id, author, (transaction) =>
      this.writer.restore(transaction, id, version, body),
    );
    return this.explaining(id, body.base_version, work);
  }

  async versions(id: string, query: Page): Promise<PromptVersionList> {
    const { manager } = this.dataSource;
    const page = pageOf(query);
    const labels = await this.labelsOf(await this.find(id));
    const [rows, total] = await manager.findAndCount(PromptVersionEntity, {
      select: WITHOUT_CONTENT,
      where: { templateId: id },
      order: { version: 'DESC' },
      skip: page.skip,
      take: page.limit,
    });
    return { versions: rows.map((row) => toVersionSummary(row, labels)), total, ...page };
  }

  async version(id: string, version: number): Promise<PromptVersionView> {
    const labels = await this.labelsOf(await this.find(id));
    return toVersionView(await findVersion(this.dataSource.manager, id, version), labels);
  }

  async diff(id: string, from: number, to: number): Promise<PromptDiff> {
    const { manager } = this.dataSource;
    await this.find(id);
    return diffVersions(await findVersion(manager, id, from), await findVersion(manager, id, to));
  }

  async history(id: string, page: Page): Promise<HistoryList> {
    await this.find(id);
    return this.histories.list({ ...page, subject_id: id }, ['prompt', 'prompt_label']);
  }

  private async find(id: string): Promise<SystemPromptTemplateEntity> {
    return orPromptNotFound(await this.dataSource.manager.findOneBy(SystemPromptTemplateEntity, { id }));
  }

  private async view(row: SystemPromptTemplateEntity): Promise<PromptView> {
    const { labels, latest } = await readContent(this.dataSource.manager, row);
    return toPromptView(row, labels, latest);
  }

  private async labelsOf({ id }: SystemPromptTemplateEntity): Promise<Labels> {
    return (await labelsOf(this.dataSource.manager, [id])).get(id) ?? {};
  }

  /** Adds to a refusal of a stale base what was changed since. Not while the template is locked: it may take a while. */
  private async explaining<Result>(id: string, base: number | undefined, work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'prompt_base_stale' || base === undefined) throw error;
      const latest = Number(error.extensions['latest_version']);
      const { detail, fields = [], extensions } = error;
      const diff = await this.diff(id, base, latest);
      throw new AppError('prompt_base_stale', { detail, fields, extensions: { ...extensions, diff }, cause: error });
    }
  }
}
