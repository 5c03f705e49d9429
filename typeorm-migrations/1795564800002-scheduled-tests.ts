import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ScheduledTests1795564800002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE scheduled_tests (
      id smallint NOT NULL DEFAULT 1,
      holder uuid,
      held_until timestamptz,
      day date NOT NULL DEFAULT '1970-01-01',
      used integer NOT NULL DEFAULT 0,
      CONSTRAINT pk_scheduled_tests PRIMARY KEY (id),
      CONSTRAINT ck_scheduled_tests_one_row CHECK (id = 1))`);
    await runner.query('INSERT INTO scheduled_tests DEFAULT VALUES');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE scheduled_tests');
  }
}
