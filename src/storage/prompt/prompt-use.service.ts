import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Page } from '../../contract/list-query.js';
import { DEFAULT_LABEL, toSelector, versionAt, type PromptSelector } from '../../contract/prompt-names.js';
import { normalizedVariables } from '../../contract/prompt-variables.js';
import type { PromptUsages, ResolvedPrompt } from '../../contract/prompt-view.contract.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { findVersion, labelsOf, orPromptNotFound, versionNumberOf } from './prompt-rows.js';
import type { PromptVersionEntity } from './prompt-version.entity.js';
import { pageOf, type Labels } from './prompt.mapper.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** What is asked for; nothing means `production`. */
export interface Asked {
  label?: string | null;
  version?: number | null;
}

interface Picked {
  row: SystemPromptTemplateEntity;
  selector: PromptSelector;
  version: PromptVersionEntity;
}

/** Prompts as those see them who use them: by name, label or version, and never another one than was asked for. */
@Injectable()
export class PromptUseService {
  constructor(private readonly dataSource: DataSource) {}

  async resolve(name: string, asked: Asked): Promise<ResolvedPrompt> {
    const row = orPromptNotFound(await this.dataSource.manager.findOneBy(SystemPromptTemplateEntity, { name }));
    if (!row.isActive) throw new AppError('prompt_archived', { detail: `The prompt ${name} is archived.` });
    const { selector, version } = await this.pick(row, asked);
    return {
      id: row.id,
      name,
      resolved_by: 'label' in selector ? 'label' : 'version',
      label: 'label' in selector ? selector.label : null,
      version: version.version,
      prompt_content: version.promptContent,
      syntax: version.syntax,
      variables: normalizedVariables(version.variables),
      content_sha256: version.contentSha256,
    };
  }

  /** One version of a prompt, archived or not. */
  async pickById(id: string, asked: Asked): Promise<PromptVersionEntity> {
    const row = orPromptNotFound(await this.dataSource.manager.findOneBy(SystemPromptTemplateEntity, { id }));
    return (await this.pick(row, asked)).version;
  }

  /** The models whose default prompt it is, by alias. */
  async usages(id: string, query: Page): Promise<PromptUsages> {
    const { manager } = this.dataSource;
    const page = pageOf(query);
    const row = orPromptNotFound(await manager.findOneBy(SystemPromptTemplateEntity, { id }));
    const labels = await this.labels(row);
    const [configs, total] = await manager.findAndCount(ModelConfigEntity, {
      where: { systemPromptName: row.name },
      order: { alias: 'ASC' },
      skip: page.skip,
      take: page.limit,
    });
    const models = configs.map(({ id: modelId, alias, isEnabled, systemPromptLabel }) => {
      const label = systemPromptLabel ?? DEFAULT_LABEL;
      const version = versionAt(label, row.latestVersion, labels) ?? null;
      return { id: modelId, alias, is_enabled: isEnabled, label, version };
    });
    return { models, total, ...page };
  }

  private async pick(row: SystemPromptTemplateEntity, { label, version }: Asked): Promise<Picked> {
    const selector = toSelector(label, version);
    if (selector === 'both') {
      throw invalidFields({ field: 'version', message: 'version must not be given together with label' });
    }
    const number = versionNumberOf(selector, row.latestVersion, await this.labels(row));
    return { row, selector, version: await findVersion(this.dataSource.manager, row.id, number) };
  }

  private async labels({ id }: SystemPromptTemplateEntity): Promise<Labels> {
    return (await labelsOf(this.dataSource.manager, [id])).get(id) ?? {};
  }
}
