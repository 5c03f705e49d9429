import type { EntityManager } from 'typeorm';
import {
  MAX_DOCUMENT_BYTES,
  MAX_DOCUMENT_OBJECTS,
  MAX_DOCUMENT_VERSIONS,
} from '../../contract/declarative.contract.js';
import { normalizedVariables } from '../../contract/prompt-variables.js';
import { AppError } from '../../platform/errors/app-error.js';
import { PromptVersionEntity } from '../prompt/prompt-version.entity.js';
import { labelsOf } from '../prompt/prompt-rows.js';
import type { Labels } from '../prompt/prompt.mapper.js';
import { SystemPromptTemplateEntity } from '../prompt/system-prompt-template.entity.js';
import { inOrder, withSortedKeys } from './document.js';

const SIZE = `SELECT count(*) AS versions, coalesce(sum(octet_length(prompt_content)), 0) AS bytes
  FROM system_prompt_template_versions`;

/** Before anything is read: the texts of years may be more than fits into memory. */
const refuseTooLarge = async (manager: EntityManager, prompts: number): Promise<void> => {
  const [row] = await manager.query<{ versions: string; bytes: string }[]>(SIZE);
  const isFit =
    prompts <= MAX_DOCUMENT_OBJECTS &&
    Number(row?.versions) <= MAX_DOCUMENT_VERSIONS &&
    Number(row?.bytes) <= MAX_DOCUMENT_BYTES;
  if (isFit) return;
  throw new AppError('export_too_large', {
    detail: `There are more than ${MAX_DOCUMENT_OBJECTS} prompts, ${MAX_DOCUMENT_VERSIONS} versions or ${MAX_DOCUMENT_BYTES} bytes of them, and no import takes so many. The models can be exported alone: sections=models.`,
  });
};

/** Every prompt with all its versions and labels, by name; archived ones, too. */
export const exportPrompts = async (manager: EntityManager): Promise<object[]> => {
  const rows = await manager.find(SystemPromptTemplateEntity, { take: MAX_DOCUMENT_OBJECTS + 1 });
  await refuseTooLarge(manager, rows.length);
  const labels = await labelsOf(
    manager,
    rows.map(({ id }) => id),
  );
  const versions = new Map<string, PromptVersionEntity[]>();
  for (const version of await manager.find(PromptVersionEntity, { order: { version: 'ASC' } })) {
    const list = versions.get(version.templateId) ?? [];
    versions.set(version.templateId, list);
    list.push(version);
  }
  return rows
    .sort((one, other) => inOrder(one.name, other.name))
    .map((row) => toEntry(row, labels.get(row.id) ?? {}, versions.get(row.id) ?? []));
};

const toEntry = (row: SystemPromptTemplateEntity, labels: Labels, versions: PromptVersionEntity[]): object => ({
  name: row.name,
  display_name: row.displayName,
  description: row.description,
  language: row.language,
  category: row.category,
  tags: withSortedKeys(row.tags),
  is_active: row.isActive,
  is_public: row.isPublic,
  priority: row.priority,
  labels: withSortedKeys(labels),
  versions: versions.map(toVersionEntry),
});

const toVersionEntry = (version: PromptVersionEntity): object => ({
  version: version.version,
  message: version.message,
  syntax: version.syntax,
  prompt_content: version.promptContent,
  variables: normalizedVariables(version.variables).map((variable) => ({ ...variable })),
  example_variables: withSortedKeys(version.exampleVariables),
  content_sha256: version.contentSha256,
});
