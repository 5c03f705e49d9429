import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Usage1795392000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE usage_batches (
      id uuid NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_usage_batches PRIMARY KEY (id))`);
    await runner.query('CREATE INDEX ix_usage_batches_received_at ON usage_batches (received_at)');
    await runner.query(`CREATE TABLE usage_minutes (
      minute timestamptz NOT NULL,
      config_id uuid NOT NULL,
      alias varchar(100) NOT NULL,
      provider ai_provider_enum NOT NULL,
      source varchar(20) NOT NULL,
      outcome varchar(40) NOT NULL,
      calls bigint NOT NULL,
      estimated_calls bigint NOT NULL,
      input_tokens bigint NOT NULL,
      cached_tokens bigint NOT NULL,
      output_tokens bigint NOT NULL,
      reasoning_tokens bigint NOT NULL,
      first_byte_calls bigint NOT NULL,
      first_byte_ms bigint NOT NULL,
      total_ms bigint NOT NULL,
      CONSTRAINT pk_usage_minutes PRIMARY KEY (minute, config_id, alias, provider, source, outcome))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE usage_minutes');
    await runner.query('DROP TABLE usage_batches');
  }
}
