import type { MigrationInterface, QueryRunner } from 'typeorm';

export class StorageProcesses1795478400006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE storage_processes (
      id uuid NOT NULL,
      started_at timestamptz NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now(),
      key_ids text[] NOT NULL,
      active_key_id varchar(32) NOT NULL,
      CONSTRAINT pk_storage_processes PRIMARY KEY (id))`);
    await runner.query('ALTER TABLE encryption_key_checks ADD COLUMN removed_at timestamptz');
    await this.refuseRemovedKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER key_in_ring ON ai_model_configs');
    await runner.query('DROP FUNCTION refuse_removed_key()');
    await runner.query('ALTER TABLE encryption_key_checks DROP COLUMN removed_at');
    await runner.query('DROP TABLE storage_processes');
  }

  /**
   * A process that slept through a rotation may still seal under a key that was removed: its row would be lost. The lock
   * makes a removal wait for the rows that are being written, and them for the removal. Its arguments are the sealed
   * columns of the table.
   */
  private async refuseRemovedKeys(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION refuse_removed_key() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        field text;
        used varchar;
        removed timestamptz;
      BEGIN
        FOREACH field IN ARRAY TG_ARGV LOOP
          used := split_part(to_jsonb(NEW) ->> field, '.', 2);
          SELECT removed_at INTO removed FROM encryption_key_checks WHERE key_id = used FOR SHARE;
          IF removed IS NOT NULL THEN
            RAISE EXCEPTION 'the encryption key % was removed', used
              USING ERRCODE = 'restrict_violation', CONSTRAINT = 'key_in_ring';
          END IF;
        END LOOP;
        RETURN NEW;
      END $$`);
    await runner.query(`CREATE TRIGGER key_in_ring BEFORE INSERT OR UPDATE OF api_key, auth_headers ON ai_model_configs
      FOR EACH ROW EXECUTE FUNCTION refuse_removed_key('api_key', 'auth_headers')`);
  }
}
