import type { Page } from '../../contract/list-query.js';
import type { PromptMetadata } from '../../contract/prompt.contract.js';
import { normalizedVariables } from '../../contract/prompt-variables.js';
import type {
  PromptSummary,
  PromptVersionSummary,
  PromptVersionView,
  PromptView,
} from '../../contract/prompt-view.contract.js';
import type { PromptVersionEntity } from './prompt-version.entity.js';
import type { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

const DEFAULT_LIMIT = 100;

/** The page that a query asks for. */
export const pageOf = ({ skip = 0, limit = DEFAULT_LIMIT }: Page): { skip: number; limit: number } => ({
  skip,
  limit,
});

/** The version that each label stands at. */
export type Labels = Record<string, number>;

/** Wire name of each column that somebody sets. */
const COLUMN_OF = {
  display_name: 'displayName',
  description: 'description',
  language: 'language',
  category: 'category',
  tags: 'tags',
  is_active: 'isActive',
  is_public: 'isPublic',
  priority: 'priority',
} as const satisfies Record<keyof PromptMetadata, keyof SystemPromptTemplateEntity>;

/** The columns of the fields that were sent: absent ones are left out, `null` stays `null`. */
export const toColumns = (change: PromptMetadata): Partial<SystemPromptTemplateEntity> =>
  Object.fromEntries(
    (Object.keys(COLUMN_OF) as (keyof PromptMetadata)[])
      .filter((field) => change[field] !== undefined)
      .map((field) => [COLUMN_OF[field], change[field]]),
  );

/** What the history keeps of a template. Its texts are not in it: they are kept in the versions, for good. */
export const toHistoryState = (
  row: SystemPromptTemplateEntity,
  labels: Labels,
  contentSha256: string | null,
): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(COLUMN_OF).map(([field, column]) => [field, row[column]])),
  name: row.name,
  labels,
  latest_version: row.latestVersion,
  content_sha256: contentSha256,
});

export const toPromptSummary = (row: SystemPromptTemplateEntity, labels: Labels): PromptSummary => ({
  id: row.id,
  name: row.name,
  display_name: row.displayName,
  description: row.description,
  language: row.language,
  category: row.category,
  tags: row.tags,
  is_active: row.isActive,
  is_public: row.isPublic,
  priority: row.priority,
  latest_version: row.latestVersion,
  labels,
  usage_count: row.usageCount,
  last_used_at: row.lastUsedAt?.toISOString() ?? null,
  created_by: row.createdBy,
  updated_by: row.updatedBy,
  version: row.version,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

export const toPromptView = (
  row: SystemPromptTemplateEntity,
  labels: Labels,
  latest: PromptVersionEntity | null,
): PromptView => ({
  ...toPromptSummary(row, labels),
  prompt_content: latest?.promptContent ?? null,
  syntax: latest?.syntax ?? null,
  variables: normalizedVariables(latest?.variables ?? []),
  example_variables: latest?.exampleVariables ?? {},
  content_sha256: latest?.contentSha256 ?? null,
});

const labelsAt = (labels: Labels, version: number): string[] =>
  Object.keys(labels)
    .filter((label) => labels[label] === version)
    .sort();

/** Everything of a version but its content. */
export type VersionRow = Omit<PromptVersionEntity, 'promptContent' | 'variables' | 'exampleVariables'>;

export const toVersionSummary = (row: VersionRow, labels: Labels): PromptVersionSummary => ({
  version: row.version,
  syntax: row.syntax,
  content_sha256: row.contentSha256,
  message: row.message,
  base_version: row.baseVersion,
  origin: row.origin,
  labels: labelsAt(labels, row.version),
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
});

export const toVersionView = (row: PromptVersionEntity, labels: Labels): PromptVersionView => ({
  ...toVersionSummary(row, labels),
  prompt_content: row.promptContent,
  variables: normalizedVariables(row.variables),
  example_variables: row.exampleVariables,
});
