import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What of a config's row is no field that somebody sets; its secrets never enter the history. */
const NOT_IN_HISTORY = `ARRAY['id', 'api_key', 'auth_headers', 'has_api_key', 'credential_error', 'status', 'usage_count',
  'error_count', 'last_used_at', 'last_error', 'version', 'created_at', 'updated_at', 'api_key_fingerprint',
  'auth_headers_fingerprint']`;
const STORED = (column: string): string => `CASE WHEN ${column} IS NULL THEN NULL ELSE 'stored before the history' END`;

export class ChangeHistory1795478400002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE ai_model_configs
      ADD COLUMN api_key_fingerprint varchar(64), ADD COLUMN auth_headers_fingerprint varchar(64)`);
    await runner.query(`CREATE TABLE change_history (
      id bigint GENERATED ALWAYS AS IDENTITY,
      revision bigint NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now(),
      actor_id varchar(64) NOT NULL,
      request_id varchar(64),
      kind varchar(30) NOT NULL,
      subject_id varchar(64) NOT NULL,
      subject_name varchar(200) NOT NULL,
      action varchar(30) NOT NULL,
      version integer,
      changes jsonb NOT NULL,
      state jsonb,
      CONSTRAINT pk_change_history PRIMARY KEY (id))`);
    await runner.query('CREATE INDEX ix_change_history_subject ON change_history (kind, subject_id, id)');
    await runner.query('CREATE INDEX ix_change_history_time ON change_history (changed_at)');
    await this.makeAppendOnly(runner);
    await this.recordWhatIsThere(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE change_history');
    await runner.query('DROP FUNCTION refuse_change()');
    await runner.query(
      'ALTER TABLE ai_model_configs DROP COLUMN api_key_fingerprint, DROP COLUMN auth_headers_fingerprint',
    );
  }

  private async makeAppendOnly(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
      END $$`);
    await runner.query(`CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON change_history
      FOR EACH ROW EXECUTE FUNCTION refuse_change()`);
    await runner.query(`CREATE TRIGGER no_truncate BEFORE TRUNCATE ON change_history
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`);
  }

  /** Configs and tokens that are older than the history begin theirs as they are now, so that they can be restored. */
  private async recordWhatIsThere(runner: QueryRunner): Promise<void> {
    await runner.query(`INSERT INTO change_history
        (revision, changed_at, actor_id, kind, subject_id, subject_name, action, version, changes, state)
      SELECT hub_revision.revision, config.updated_at, 'migration', 'config', config.id::text, config.alias, 'create',
        config.version, '[]', (to_jsonb(config) - ${NOT_IN_HISTORY})
          || jsonb_build_object('api_key', ${STORED('config.api_key')}, 'auth_headers', ${STORED('config.auth_headers')})
      FROM ai_model_configs AS config, hub_revision ORDER BY config.created_at, config.id`);
    await runner.query(`INSERT INTO change_history
        (revision, changed_at, actor_id, kind, subject_id, subject_name, action, changes, state)
      SELECT hub_revision.revision, token.created_at, token.created_by, 'token', token.id::text, token.name, 'create', '[]',
        jsonb_build_object('name', token.name, 'prefix', token.prefix, 'scopes', to_jsonb(token.scopes),
          'expires_at', token.expires_at, 'revoked_at', token.revoked_at)
      FROM api_tokens AS token, hub_revision ORDER BY token.created_at, token.id`);
  }
}
