import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IdempotencyKeys1795478400005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE idempotency_keys (
      actor_id varchar(64) NOT NULL,
      key varchar(200) NOT NULL,
      request_sha256 char(64) NOT NULL,
      result json NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor_id, key))`);
    await runner.query('CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_keys');
  }
}
