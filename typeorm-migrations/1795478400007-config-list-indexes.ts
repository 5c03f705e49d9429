import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a list is filtered by beside the leading column: in the index, so that counting reads no row. */
const FILTERS = 'is_local, supports_files, supports_images, supports_videos, supports_audio';

export class ConfigListIndexes1795478400007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The default order is priority downwards, then alias upwards: an index of both upwards does not serve it.
    await runner.query('DROP INDEX ix_ai_model_configs_order');
    await runner.query('DROP INDEX ix_ai_model_configs_provider');
    await runner.query(`CREATE INDEX ix_ai_model_configs_order ON ai_model_configs (priority DESC, alias)
      INCLUDE (provider, status, ${FILTERS})`);
    await runner.query(`CREATE INDEX ix_ai_model_configs_provider ON ai_model_configs (provider, priority DESC, alias)
      INCLUDE (status, ${FILTERS})`);
    await runner.query(`CREATE INDEX ix_ai_model_configs_status ON ai_model_configs (status, priority DESC, alias)
      INCLUDE (provider, ${FILTERS})`);
    await runner.query('CREATE INDEX ix_ai_model_configs_model_name ON ai_model_configs (model_name, alias)');
    await runner.query('CREATE INDEX ix_ai_model_configs_created_at ON ai_model_configs (created_at)');
    await runner.query('CREATE INDEX ix_ai_model_configs_tags ON ai_model_configs USING gin (tags jsonb_path_ops)');
    await this.indexTexts(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['texts', 'tags', 'created_at', 'model_name', 'status', 'provider', 'order']) {
      await runner.query(`DROP INDEX IF EXISTS ix_ai_model_configs_${name}`);
    }
    await runner.query('CREATE INDEX ix_ai_model_configs_order ON ai_model_configs (priority, alias)');
    await runner.query('CREATE INDEX ix_ai_model_configs_provider ON ai_model_configs (provider)');
  }

  /** Searching works without it, only slower: a server or a role that does not allow the extension is no obstacle. */
  private async indexTexts(runner: QueryRunner): Promise<void> {
    await runner.query(`DO $$
      BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX ix_ai_model_configs_texts ON ai_model_configs USING gin
          (alias gin_trgm_ops, model_name gin_trgm_ops, display_name gin_trgm_ops, description gin_trgm_ops);
      EXCEPTION WHEN insufficient_privilege OR undefined_file OR undefined_object OR feature_not_supported THEN
        RAISE NOTICE 'pg_trgm is not there: searching configs reads all of them';
      END $$`);
  }
}
