import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who runs this hub, which revision each of them has, and what a revision changed. */
export class Instances1795651200001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE ai_model_instances (
      id uuid NOT NULL,
      role varchar(20) NOT NULL,
      version varchar(50) NOT NULL,
      host varchar(255) NOT NULL,
      started_at timestamptz NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now(),
      applied_revision bigint,
      source varchar(20),
      confirmed_at timestamptz,
      CONSTRAINT pk_ai_model_instances PRIMARY KEY (id))`);
    await runner.query(`ALTER TABLE storage_processes
      ADD COLUMN version varchar(50) NOT NULL DEFAULT '', ADD COLUMN host varchar(255) NOT NULL DEFAULT ''`);
    await runner.query('ALTER TABLE hub_revision ADD COLUMN whole_revision bigint NOT NULL DEFAULT 0');
    await runner.query('ALTER TABLE ai_model_configs ADD COLUMN observed_revision bigint');
    await runner.query(`CREATE INDEX ix_ai_model_configs_observed ON ai_model_configs (observed_revision)
      WHERE observed_revision IS NOT NULL`);
    await runner.query('CREATE INDEX ix_change_history_revision ON change_history (revision)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_change_history_revision');
    await runner.query('DROP INDEX ix_ai_model_configs_observed');
    await runner.query('ALTER TABLE ai_model_configs DROP COLUMN observed_revision');
    await runner.query('ALTER TABLE hub_revision DROP COLUMN whole_revision');
    await runner.query('ALTER TABLE storage_processes DROP COLUMN version, DROP COLUMN host');
    await runner.query('DROP TABLE ai_model_instances');
  }
}
