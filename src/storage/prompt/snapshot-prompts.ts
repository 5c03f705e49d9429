import { type EntityManager, In } from 'typeorm';
import { normalizedVariables } from '../../contract/prompt-variables.js';
import type { SnapshotPrompt, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import { findVersion, orPromptNotFound } from './prompt-rows.js';
import { PromptLabelEntity } from './prompt-label.entities.js';
import { PromptVersionEntity } from './prompt-version.entity.js';
import type { Labels } from './prompt.mapper.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

const IS_CARRIED = `version.version = (SELECT latest_version FROM system_prompt_templates WHERE id = version.template_id)
  OR EXISTS (SELECT 1 FROM system_prompt_template_labels AS held
    WHERE held.template_id = version.template_id AND held.version = version.version)`;

/** Prompts with their labelled versions and their newest, as one transaction sees them; with `ids` only those of them. */
export const readSnapshotPrompts = async (
  manager: EntityManager,
  ids?: readonly string[],
): Promise<SnapshotPrompt[]> => {
  const rows = await manager.findBy(SystemPromptTemplateEntity, ids ? { id: In(ids) } : {});
  const held = await manager.findBy(PromptLabelEntity, ids ? { templateId: In(ids) } : {});
  const versionsOf = manager.createQueryBuilder(PromptVersionEntity, 'version').where(`(${IS_CARRIED})`);
  if (ids) versionsOf.andWhere('version.templateId = ANY (:ids)', { ids });
  const carried = await versionsOf.getMany();
  const labels = byTemplate(held);
  const versions = byTemplate(carried);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    is_active: row.isActive,
    is_public: row.isPublic,
    latest_version: row.latestVersion,
    labels: toLabels(labels.get(row.id) ?? []),
    versions: (versions.get(row.id) ?? []).map(toSnapshotVersion),
  }));
};

/** Any version of a prompt, archived or not. */
export const readSnapshotVersion = async (
  manager: EntityManager,
  name: string,
  version: number,
): Promise<SnapshotPromptVersion> => {
  const { id } = orPromptNotFound(await manager.findOneBy(SystemPromptTemplateEntity, { name }));
  return toSnapshotVersion(await findVersion(manager, id, version));
};

const toLabels = (rows: readonly PromptLabelEntity[]): Labels =>
  Object.fromEntries(rows.map(({ label, version }) => [label, version]));

const toSnapshotVersion = (row: PromptVersionEntity): SnapshotPromptVersion => ({
  version: row.version,
  prompt_content: row.promptContent,
  syntax: row.syntax,
  variables: normalizedVariables(row.variables),
  content_sha256: row.contentSha256,
});

const byTemplate = <Row extends { templateId: string }>(rows: readonly Row[]): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.templateId);
    if (group) group.push(row);
    else groups.set(row.templateId, [row]);
  }
  return groups;
};
