import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApiTokens1795392000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE api_tokens (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      name varchar(100) NOT NULL,
      prefix varchar(32) NOT NULL,
      token_sha256 char(64) NOT NULL,
      scopes text[] NOT NULL,
      created_by varchar(64) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz,
      CONSTRAINT pk_api_tokens PRIMARY KEY (id),
      CONSTRAINT uq_api_tokens_sha256 UNIQUE (token_sha256))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_tokens');
  }
}
