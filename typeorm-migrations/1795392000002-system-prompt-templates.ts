import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SystemPromptTemplates1795392000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE system_prompt_templates (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      name varchar(100) NOT NULL,
      display_name varchar(120) NOT NULL,
      description text,
      language varchar(35) NOT NULL DEFAULT 'zh-CN',
      category varchar(60),
      tags jsonb NOT NULL DEFAULT '{}',
      is_active boolean NOT NULL DEFAULT true,
      is_public boolean NOT NULL DEFAULT false,
      priority integer NOT NULL DEFAULT 0,
      usage_count bigint NOT NULL DEFAULT 0,
      last_used_at timestamptz,
      latest_version integer NOT NULL DEFAULT 0,
      created_by varchar(64) NOT NULL,
      updated_by varchar(64) NOT NULL,
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_system_prompt_templates PRIMARY KEY (id),
      CONSTRAINT uq_system_prompt_templates_name UNIQUE (name))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE system_prompt_templates');
  }
}
