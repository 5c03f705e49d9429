import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much may be spent in a day or a month, and how far it has come in the period that is running. */
export class Budgets1795737600002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE budgets (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      name varchar(64) NOT NULL,
      description varchar(500),
      is_enabled boolean NOT NULL DEFAULT true,
      scope varchar(10) NOT NULL DEFAULT 'all',
      scope_value varchar(300),
      period varchar(10) NOT NULL DEFAULT 'month',
      time_zone varchar(64) NOT NULL DEFAULT 'UTC',
      limit_usd numeric(20,6) NOT NULL,
      thresholds integer[] NOT NULL DEFAULT '{80,100}',
      action varchar(10) NOT NULL DEFAULT 'notify',
      severity varchar(10) NOT NULL DEFAULT 'warning',
      language varchar(10),
      channels text[] NOT NULL DEFAULT '{}',
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_budgets PRIMARY KEY (id),
      CONSTRAINT uq_budgets_name UNIQUE (name))`);
    await runner.query(`CREATE TABLE budget_states (
      budget_id uuid NOT NULL,
      period_from timestamptz NOT NULL,
      period_to timestamptz NOT NULL,
      reached integer NOT NULL,
      told integer NOT NULL,
      is_exhausted boolean NOT NULL,
      CONSTRAINT pk_budget_states PRIMARY KEY (budget_id),
      CONSTRAINT fk_budget_states_budget FOREIGN KEY (budget_id) REFERENCES budgets (id) ON DELETE CASCADE)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE budget_states');
    await runner.query('DROP TABLE budgets');
  }
}
