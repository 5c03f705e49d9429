import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ConsoleSessions1795737600003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE console_sessions (
      id_sha256 char(64) NOT NULL,
      key bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      last_seen_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      CONSTRAINT pk_console_sessions PRIMARY KEY (id_sha256))`);
    await runner.query('CREATE INDEX ix_console_sessions_expires_at ON console_sessions (expires_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE console_sessions');
  }
}
