import { In, type EntityManager } from 'typeorm';
import { versionAt, type PromptSelector } from '../../contract/prompt-names.js';
import { AppError } from '../../platform/errors/app-error.js';
import { requireCurrent, type Precondition } from '../database/precondition.js';
import { PromptLabelEntity } from './prompt-label.entities.js';
import { PromptVersionEntity } from './prompt-version.entity.js';
import type { Labels } from './prompt.mapper.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

/** A template as a writer works on it: its row is locked, so nothing of it changes under his hands. */
export interface LockedPrompt {
  row: SystemPromptTemplateEntity;
  labels: Labels;
  /** null: nobody has saved a text yet, which is possible in templates that are older than versions. */
  latest: PromptVersionEntity | null;
}

export const orPromptNotFound = (row: SystemPromptTemplateEntity | null): SystemPromptTemplateEntity => {
  if (!row) throw new AppError('prompt_not_found');
  return row;
};

/**
 * Locks a template: writers of one template queue here. Its labels and texts are read afterwards, by statements of their
 * own, since a statement that waited sees the other tables as they were before.
 */
export const lockTemplate = async (
  manager: EntityManager,
  id: string,
  precondition: Precondition = null,
): Promise<SystemPromptTemplateEntity> => {
  const row = await manager
    .createQueryBuilder(SystemPromptTemplateEntity, 'prompt')
    .where('prompt.id = :id', { id })
    .setLock('pessimistic_write')
    .getOne();
  const found = orPromptNotFound(row);
  requireCurrent(precondition, found.version, 'prompt');
  return found;
};

export const lockPrompt = async (
  manager: EntityManager,
  id: string,
  precondition: Precondition = null,
): Promise<LockedPrompt> => {
  const row = await lockTemplate(manager, id, precondition);
  return { row, ...(await readContent(manager, row)) };
};

/** What belongs to a row that was read before: never older than it. */
export const readContent = async (
  manager: EntityManager,
  { id, latestVersion }: SystemPromptTemplateEntity,
): Promise<Omit<LockedPrompt, 'row'>> => ({
  labels: (await labelsOf(manager, [id])).get(id) ?? {},
  latest: latestVersion > 0 ? await findVersion(manager, id, latestVersion) : null,
});

/** The labels of these templates; one without any is not in the map. */
export const labelsOf = async (manager: EntityManager, ids: string[]): Promise<Map<string, Labels>> => {
  const rows = await manager.find(PromptLabelEntity, { where: { templateId: In(ids) }, order: { label: 'ASC' } });
  const labels = new Map<string, Labels>();
  for (const { templateId, label, version } of rows) {
    labels.set(templateId, { ...labels.get(templateId), [label]: version });
  }
  return labels;
};

export const findVersion = async (
  manager: EntityManager,
  templateId: string,
  version: number,
): Promise<PromptVersionEntity> => {
  const row = await manager.findOneBy(PromptVersionEntity, { templateId, version });
  if (!row) throw new AppError('version_not_found', { detail: `The prompt has no version ${version}.` });
  return row;
};

/** The number that a selector stands for; nothing else is ever taken instead. Throws `label_not_found`. */
export const versionNumberOf = (selector: PromptSelector, latestVersion: number, labels: Labels): number => {
  if ('version' in selector) return selector.version;
  const version = versionAt(selector.label, latestVersion, labels);
  if (version !== undefined) return version;
  throw new AppError('label_not_found', { detail: `No version of the prompt has the label ${selector.label}.` });
};
