import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SystemPromptVersions1795478400004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE system_prompt_template_versions (
      template_id uuid NOT NULL,
      version integer NOT NULL,
      prompt_content text NOT NULL,
      syntax varchar(30) NOT NULL DEFAULT 'mustache-strict-1',
      variables jsonb NOT NULL DEFAULT '[]',
      example_variables jsonb NOT NULL DEFAULT '{}',
      content_sha256 char(64) NOT NULL,
      message varchar(500) NOT NULL DEFAULT '',
      base_version integer,
      origin varchar(20) NOT NULL DEFAULT 'edit',
      created_by varchar(64) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_system_prompt_template_versions PRIMARY KEY (template_id, version),
      CONSTRAINT fk_system_prompt_template_versions_template FOREIGN KEY (template_id)
        REFERENCES system_prompt_templates (id) ON DELETE RESTRICT,
      CONSTRAINT ck_system_prompt_template_versions_version CHECK (version >= 1),
      CONSTRAINT ck_system_prompt_template_versions_content CHECK (octet_length(prompt_content) BETWEEN 1 AND 262144),
      CONSTRAINT ck_system_prompt_template_versions_syntax CHECK (syntax IN ('plain', 'mustache-strict-1')),
      CONSTRAINT ck_system_prompt_template_versions_variables CHECK (jsonb_typeof(variables) = 'array'),
      CONSTRAINT ck_system_prompt_template_versions_examples CHECK (jsonb_typeof(example_variables) = 'object'),
      CONSTRAINT ck_system_prompt_template_versions_sha256 CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
      CONSTRAINT ck_system_prompt_template_versions_origin
        CHECK (origin IN ('edit', 'restore', 'import', 'duplicate', 'api')))`);
    await this.makeAppendOnly(runner);
    await runner.query(`CREATE TABLE system_prompt_template_labels (
      template_id uuid NOT NULL,
      label varchar(36) NOT NULL,
      version integer NOT NULL,
      moved_by varchar(64) NOT NULL,
      moved_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_system_prompt_template_labels PRIMARY KEY (template_id, label),
      CONSTRAINT fk_system_prompt_template_labels_version FOREIGN KEY (template_id, version)
        REFERENCES system_prompt_template_versions (template_id, version) ON DELETE RESTRICT,
      CONSTRAINT ck_system_prompt_template_labels_label
        CHECK (label ~ '^[a-z][a-z0-9._-]{0,35}$' AND label NOT IN ('latest', 'draft')))`);
    await runner.query(`CREATE TABLE protected_prompt_labels (
      label varchar(36) NOT NULL,
      CONSTRAINT pk_protected_prompt_labels PRIMARY KEY (label))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE protected_prompt_labels');
    await runner.query('DROP TABLE system_prompt_template_labels');
    await runner.query('DROP TABLE system_prompt_template_versions');
  }

  /** The function is the one of the change history. */
  private async makeAppendOnly(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON system_prompt_template_versions
      FOR EACH ROW EXECUTE FUNCTION refuse_change()`);
    await runner.query(`CREATE TRIGGER no_truncate BEFORE TRUNCATE ON system_prompt_template_versions
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`);
  }
}
