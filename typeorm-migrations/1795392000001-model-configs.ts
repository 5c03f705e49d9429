import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATUS_EXPRESSION =
  "CASE WHEN NOT is_enabled THEN 'disabled'::model_status_enum " +
  "WHEN api_key IS NULL AND NOT is_local THEN 'needs_api_key'::model_status_enum " +
  "WHEN credential_error IS NOT NULL THEN 'error'::model_status_enum " +
  "ELSE 'configured'::model_status_enum END";

const HAS_KEY_EXPRESSION = 'api_key IS NOT NULL';

export class ModelConfigs1795392000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TYPE ai_provider_enum AS ENUM
      ('openai', 'gemini', 'claude', 'local', 'azure_openai', 'huggingface', 'openai_compatible')`);
    await runner.query(`CREATE TYPE model_status_enum AS ENUM ('configured', 'needs_api_key', 'disabled', 'error')`);
    await runner.query(`CREATE TABLE ai_model_configs (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      alias varchar(100) NOT NULL,
      provider ai_provider_enum NOT NULL,
      model_name varchar(200) NOT NULL,
      display_name varchar(200),
      description text,
      api_key text,
      has_api_key boolean GENERATED ALWAYS AS (${HAS_KEY_EXPRESSION}) STORED NOT NULL,
      api_key_hint varchar(16),
      api_base varchar(500),
      api_version varchar(50),
      auth_headers text,
      auth_header_names text[] NOT NULL DEFAULT '{}',
      credential_error varchar(30),
      max_tokens integer NOT NULL DEFAULT 4096,
      context_window integer,
      default_temperature double precision,
      default_top_p double precision,
      is_local boolean NOT NULL DEFAULT false,
      is_streaming_supported boolean NOT NULL DEFAULT true,
      supports_files boolean NOT NULL DEFAULT false,
      supports_images boolean NOT NULL DEFAULT false,
      supports_videos boolean NOT NULL DEFAULT false,
      supports_audio boolean NOT NULL DEFAULT false,
      supported_file_types jsonb,
      max_file_size_mb integer,
      custom_parameters jsonb,
      is_enabled boolean NOT NULL DEFAULT true,
      status model_status_enum GENERATED ALWAYS AS (${STATUS_EXPRESSION}) STORED NOT NULL,
      priority integer NOT NULL DEFAULT 0,
      fallback_aliases text[] NOT NULL DEFAULT '{}',
      tags jsonb NOT NULL DEFAULT '{}',
      system_prompt_name varchar(100),
      system_prompt_label varchar(36),
      usage_count bigint NOT NULL DEFAULT 0,
      error_count bigint NOT NULL DEFAULT 0,
      last_used_at timestamptz,
      last_error text,
      request_timeout integer,
      max_retries integer NOT NULL DEFAULT 3,
      rate_limit_per_minute integer,
      input_price_per_million numeric(14,6),
      output_price_per_million numeric(14,6),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_ai_model_configs PRIMARY KEY (id),
      CONSTRAINT uq_ai_model_configs_alias UNIQUE (alias))`);
    await runner.query('CREATE INDEX ix_ai_model_configs_order ON ai_model_configs (priority, alias)');
    await runner.query('CREATE INDEX ix_ai_model_configs_provider ON ai_model_configs (provider)');
    await this.describeGeneratedColumns(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM typeorm_metadata WHERE "table" = 'ai_model_configs'`);
    await runner.query('DROP TABLE ai_model_configs');
    await runner.query('DROP TYPE model_status_enum');
    await runner.query('DROP TYPE ai_provider_enum');
  }

  /** TypeORM compares generated columns with this table of its own: without it every drift check fails. */
  private async describeGeneratedColumns(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS typeorm_metadata (
      type varchar NOT NULL, database varchar, schema varchar, "table" varchar, name varchar, value text)`);
    for (const [name, value] of [
      ['status', STATUS_EXPRESSION],
      ['has_api_key', HAS_KEY_EXPRESSION],
    ]) {
      await runner.query(
        `INSERT INTO typeorm_metadata (type, database, schema, "table", name, value)
         VALUES ('GENERATED_COLUMN', current_database(), current_schema(), 'ai_model_configs', $1, $2)`,
        [name, value],
      );
    }
  }
}
