import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';

/** Whether the secrets of a version of a config could be opened. */
export type Observation = Pick<SnapshotModel, 'id' | 'version' | 'credential_readable'>;

/**
 * Notes for the lists which configs have a secret that does not open, and which one opens again. An observation, not
 * a change of the config: its version stays.
 */
const AS_SEEN = '(id, version) IN (SELECT * FROM unnest($1::uuid[], $2::integer[]))';
const NOTE_UNREADABLE = `UPDATE ai_model_configs SET credential_error = 'undecryptable'
  WHERE ${AS_SEEN} AND credential_error IS DISTINCT FROM 'undecryptable'`;
const NOTE_READABLE = `UPDATE ai_model_configs SET credential_error = NULL
  WHERE ${AS_SEEN} AND credential_error = 'undecryptable'`;

@Injectable()
export class UnreadableSecrets {
  private readonly logger = new Logger('Snapshot');

  constructor(private readonly dataSource: DataSource) {}

  /** Said in the lists a moment later, or at the next snapshot: no reason to withhold one, so it never fails. */
  async note(observations: readonly Observation[]): Promise<void> {
    try {
      await this.write(observations);
    } catch (error) {
      this.logger.warn({ msg: 'Unreadable secrets could not be noted', err: error });
    }
  }

  private async write(observations: readonly Observation[]): Promise<void> {
    const columnsOf = (readable: boolean): [string[], number[]] => {
      const seen = observations.filter((observation) => observation.credential_readable === readable);
      return [seen.map(({ id }) => id), seen.map(({ version }) => version)];
    };
    const unreadable = columnsOf(false);
    await this.dataSource.query(NOTE_READABLE, columnsOf(true));
    const [, noted] = await this.dataSource.query<[unknown, number]>(NOTE_UNREADABLE, unreadable);
    if (noted > 0) {
      const msg = 'Stored secrets cannot be decrypted with this key ring; enter them again';
      this.logger.warn({ msg, config_ids: unreadable[0].slice(0, 20), count: unreadable[0].length });
    }
  }
}
