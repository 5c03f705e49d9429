import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { COUNTER } from '../database/column-types.js';

/** A template's identity; its text lives in append-only versions. */
@Entity('system_prompt_templates')
@Unique('uq_system_prompt_templates_name', ['name'])
export class SystemPromptTemplateEntity {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'pk_system_prompt_templates' })
  id: string;

  @Column({ type: 'varchar', length: 100 })
  name: string;

  @Column({ name: 'display_name', type: 'varchar', length: 120 })
  displayName: string;

  @Column({ type: 'text', nullable: true })
  description: string | null;

  @Column({ type: 'varchar', length: 35, default: 'zh-CN' })
  language: string;

  @Column({ type: 'varchar', length: 60, nullable: true })
  category: string | null;

  @Column({ type: 'jsonb', default: {} })
  tags: Record<string, string>;

  @Column({ name: 'is_active', type: 'boolean', default: true })
  isActive: boolean;

  @Column({ name: 'is_public', type: 'boolean', default: false })
  isPublic: boolean;

  @Column({ type: 'integer', default: 0 })
  priority: number;

  @Column({ name: 'usage_count', ...COUNTER })
  usageCount: number;

  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  /** Number of the newest text; the row's `version` is its ETag and another thing. */
  @Column({ name: 'latest_version', type: 'integer', default: 0 })
  latestVersion: number;

  @Column({ name: 'created_by', type: 'varchar', length: 64 })
  createdBy: string;

  @Column({ name: 'updated_by', type: 'varchar', length: 64 })
  updatedBy: string;

  @Column({ type: 'integer', default: 1 })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
