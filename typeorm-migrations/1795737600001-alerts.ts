import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Name, kind, severity and, where they are repeated, the minutes until then. Their kinds say what they are, in every language. */
const FIRST_RULES: readonly [string, string, string, number?][] = [
  ['error-rate', 'error_rate', 'critical'],
  ['slow-answers', 'latency_p95', 'warning'],
  ['rate-limited', 'rate_limited', 'warning'],
  ['bad-credential', 'bad_credential', 'critical', 1440],
  ['failing-test', 'failing_test', 'warning'],
  ['undecryptable-secret', 'undecryptable_secret', 'critical', 1440],
  ['stale-instance', 'stale_instance', 'warning'],
  ['storage-degraded', 'storage_degraded', 'critical'],
];

/** What is watched, what is wrong now or was, where people are told, and the messages on their way there. */
export class Alerts1795737600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.createRules(runner);
    await this.createAlerts(runner);
    await this.createChannels(runner);
    await this.createNotifications(runner);
    await runner.query('ALTER TABLE ai_model_instances ADD COLUMN behind_since timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE ai_model_instances DROP COLUMN behind_since');
    for (const table of ['notifications', 'channels', 'silences', 'evaluation']) {
      await runner.query(`DROP TABLE alert_${table}`);
    }
    await runner.query('DROP TABLE alerts');
    await runner.query('DROP TABLE alert_rules');
  }

  private async createRules(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE alert_rules (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      name varchar(64) NOT NULL,
      description varchar(500),
      kind varchar(40) NOT NULL,
      is_enabled boolean NOT NULL DEFAULT true,
      severity varchar(10) NOT NULL DEFAULT 'warning',
      scope varchar(10) NOT NULL DEFAULT 'all',
      scope_value varchar(100),
      threshold double precision,
      window_minutes integer,
      min_calls integer,
      for_minutes integer,
      keep_firing_minutes integer,
      reminder_minutes integer NOT NULL DEFAULT 0,
      language varchar(10),
      channels text[] NOT NULL DEFAULT '{}',
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_alert_rules PRIMARY KEY (id),
      CONSTRAINT uq_alert_rules_name UNIQUE (name))`);
    for (const [name, kind, severity, reminderMinutes = 0] of FIRST_RULES) {
      await runner.query('INSERT INTO alert_rules (name, kind, severity, reminder_minutes) VALUES ($1, $2, $3, $4)', [
        name,
        kind,
        severity,
        reminderMinutes,
      ]);
    }
  }

  private async createAlerts(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE alerts (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      rule_id uuid NOT NULL,
      rule_name varchar(64) NOT NULL,
      kind varchar(40) NOT NULL,
      severity varchar(10) NOT NULL,
      subject varchar(300) NOT NULL,
      state varchar(10) NOT NULL,
      value double precision,
      threshold double precision,
      calls bigint,
      since timestamptz NOT NULL,
      last_bad_at timestamptz NOT NULL,
      fired_at timestamptz,
      resolved_at timestamptz,
      resolved_reason varchar(20),
      notified_at timestamptz,
      last_notified_at timestamptz,
      acknowledged_at timestamptz,
      acknowledged_by varchar(64),
      CONSTRAINT pk_alerts PRIMARY KEY (id))`);
    await runner.query('CREATE UNIQUE INDEX uq_alerts_open ON alerts (rule_id, subject) WHERE resolved_at IS NULL');
    await runner.query('CREATE INDEX ix_alerts_since ON alerts (since)');
    await runner.query(`CREATE TABLE alert_evaluation (
      id smallint NOT NULL DEFAULT 1,
      evaluated_to timestamptz,
      CONSTRAINT pk_alert_evaluation PRIMARY KEY (id),
      CONSTRAINT ck_alert_evaluation_one_row CHECK (id = 1))`);
    await runner.query('INSERT INTO alert_evaluation DEFAULT VALUES');
    await runner.query(`CREATE TABLE alert_silences (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      rule_name varchar(64),
      subject varchar(300),
      starts_at timestamptz NOT NULL,
      ends_at timestamptz NOT NULL,
      comment varchar(500) NOT NULL,
      created_by varchar(64) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_alert_silences PRIMARY KEY (id))`);
  }

  private async createChannels(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE alert_channels (
      id uuid NOT NULL,
      name varchar(64) NOT NULL,
      kind varchar(20) NOT NULL,
      is_enabled boolean NOT NULL DEFAULT true,
      min_severity varchar(10) NOT NULL DEFAULT 'info',
      language varchar(10) NOT NULL DEFAULT 'zh-CN',
      url text,
      url_origin varchar(300),
      url_fingerprint varchar(64),
      secret text,
      secret_fingerprint varchar(64),
      smtp_host varchar(253),
      smtp_port integer,
      smtp_security varchar(10),
      smtp_user varchar(200),
      mail_from varchar(320),
      mail_to text[] NOT NULL DEFAULT '{}',
      last_delivered_at timestamptz,
      last_failed_at timestamptz,
      last_error varchar(500),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_alert_channels PRIMARY KEY (id),
      CONSTRAINT uq_alert_channels_name UNIQUE (name))`);
    await runner.query(`CREATE TRIGGER key_in_ring BEFORE INSERT OR UPDATE OF url, secret ON alert_channels
      FOR EACH ROW EXECUTE FUNCTION refuse_removed_key('url', 'secret')`);
  }

  private async createNotifications(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE alert_notifications (
      sequence bigint GENERATED ALWAYS AS IDENTITY,
      id uuid NOT NULL,
      channel_id uuid NOT NULL,
      channel_name varchar(64) NOT NULL,
      channel_kind varchar(20) NOT NULL,
      order_key varchar(80) NOT NULL,
      notice jsonb NOT NULL,
      state varchar(10) NOT NULL DEFAULT 'queued',
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz NOT NULL DEFAULT now(),
      give_up_at timestamptz NOT NULL,
      leased_until timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      settled_at timestamptz,
      last_error varchar(500),
      CONSTRAINT pk_alert_notifications PRIMARY KEY (sequence),
      CONSTRAINT uq_alert_notifications_id UNIQUE (id))`);
    await runner.query(`CREATE INDEX ix_alert_notifications_queue ON alert_notifications (channel_id, order_key, sequence)
      WHERE state = 'queued'`);
    await runner.query('CREATE INDEX ix_alert_notifications_created_at ON alert_notifications (created_at)');
  }
}
