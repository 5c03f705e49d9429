import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RevisionAndKeyChecks1795392000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE hub_revision (
      id smallint NOT NULL DEFAULT 1,
      revision bigint NOT NULL,
      CONSTRAINT pk_hub_revision PRIMARY KEY (id),
      CONSTRAINT ck_hub_revision_single CHECK (id = 1))`);
    await runner.query('INSERT INTO hub_revision (revision) VALUES (1)');
    await runner.query(`CREATE TABLE encryption_key_checks (
      key_id varchar(32) NOT NULL,
      sealed_constant text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_encryption_key_checks PRIMARY KEY (key_id))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE encryption_key_checks');
    await runner.query('DROP TABLE hub_revision');
  }
}
