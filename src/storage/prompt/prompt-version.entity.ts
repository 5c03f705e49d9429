import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import type { PromptValue } from '../../contract/prompt-values.js';
import type { PromptSyntax, PromptVariable } from '../../contract/prompt-variables.js';
import type { PromptOrigin } from '../../contract/prompt-view.contract.js';
import { SystemPromptTemplateEntity } from './system-prompt-template.entity.js';

const TABLE = 'system_prompt_template_versions';
const KEY = { primaryKeyConstraintName: `pk_${TABLE}` } as const;

/** A text of a template. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE. */
@Entity(TABLE)
@Check(`ck_${TABLE}_version`, 'version >= 1')
@Check(`ck_${TABLE}_content`, 'octet_length(prompt_content) BETWEEN 1 AND 262144')
@Check(`ck_${TABLE}_syntax`, `syntax IN ('plain', 'mustache-strict-1')`)
@Check(`ck_${TABLE}_variables`, `jsonb_typeof(variables) = 'array'`)
@Check(`ck_${TABLE}_examples`, `jsonb_typeof(example_variables) = 'object'`)
@Check(`ck_${TABLE}_sha256`, `content_sha256 ~ '^[0-9a-f]{64}$'`)
@Check(`ck_${TABLE}_origin`, `origin IN ('edit', 'restore', 'import', 'duplicate', 'api')`)
@ForeignKey(() => SystemPromptTemplateEntity, ['templateId'], ['id'], {
  name: `fk_${TABLE}_template`,
  onDelete: 'RESTRICT',
})
export class PromptVersionEntity {
  @PrimaryColumn({ name: 'template_id', type: 'uuid', ...KEY })
  templateId: string;

  @PrimaryColumn({ type: 'integer', ...KEY })
  version: number;

  @Column({ name: 'prompt_content', type: 'text' })
  promptContent: string;

  @Column({ type: 'varchar', length: 30, default: 'mustache-strict-1' })
  syntax: PromptSyntax;

  /** As `normalizedVariables` writes them, but for the order of their fields, which jsonb does not keep. */
  @Column({ type: 'jsonb', default: [] })
  variables: PromptVariable[];

  @Column({ name: 'example_variables', type: 'jsonb', default: {} })
  exampleVariables: Record<string, PromptValue>;

  @Column({ name: 'content_sha256', type: 'char', length: 64 })
  contentSha256: string;

  @Column({ type: 'varchar', length: 500, default: '' })
  message: string;

  /** The version it was made from; null: it is the first. */
  @Column({ name: 'base_version', type: 'integer', nullable: true })
  baseVersion: number | null;

  @Column({ type: 'varchar', length: 20, default: 'edit' })
  origin: PromptOrigin;

  @Column({ name: 'created_by', type: 'varchar', length: 64 })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}
