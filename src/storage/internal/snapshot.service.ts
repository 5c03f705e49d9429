import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import type {
  Snapshot,
  SnapshotModel,
  SnapshotPromptVersion,
  SnapshotToken,
} from '../../contract/snapshot.contract.js';
import { ChangeService } from '../database/change.service.js';
import { ConfigCredentials } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { toModelConfigView } from '../model-config/model-config.mapper.js';
import { readSnapshotPrompts, readSnapshotVersion } from '../prompt/snapshot-prompts.js';
import { KnownTokens } from '../token/known-tokens.js';
import { TokenEntity } from '../token/token.entity.js';

interface Observation {
  id: string;
  version: number;
  readable: boolean;
}

/**
 * Notes for the lists which configs have a secret that does not open, and which one opens again. An observation, not
 * a change of the config: its version stays.
 */
const AS_SEEN = '(id, version) IN (SELECT * FROM unnest($1::uuid[], $2::integer[]))';
const NOTE_UNREADABLE = `UPDATE ai_model_configs SET credential_error = 'undecryptable'
  WHERE ${AS_SEEN} AND credential_error IS DISTINCT FROM 'undecryptable'`;
const NOTE_READABLE = `UPDATE ai_model_configs SET credential_error = NULL
  WHERE ${AS_SEEN} AND credential_error = 'undecryptable'`;

/** Everything an AI model service needs, as of one revision. The only answer with secrets in clear. */
@Injectable()
export class SnapshotService {
  private readonly logger = new Logger('Snapshot');

  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly credentials: ConfigCredentials,
    private readonly known: KnownTokens,
  ) {}

  /** null when `revision` is still the newest one. */
  async newerThan(revision: number | null): Promise<Snapshot | null> {
    if (revision !== null && (await this.changes.currentRevision()) === revision) return null;
    const { snapshot, observations } = await this.dataSource.transaction('REPEATABLE READ', (manager) =>
      this.read(manager),
    );
    // Said in the lists a moment later, or at the next snapshot: no reason to withhold this one.
    await this.note(observations).catch((error: unknown) =>
      this.logger.warn({ msg: 'Unreadable secrets could not be noted', err: error }),
    );
    return snapshot;
  }

  /** A version that is not part of the snapshot. */
  promptVersion(name: string, version: number): Promise<SnapshotPromptVersion> {
    return readSnapshotVersion(this.dataSource.manager, name, version);
  }

  private async read(manager: EntityManager): Promise<{ snapshot: Snapshot; observations: Observation[] }> {
    const [row] = await manager.query<{ revision: string }[]>('SELECT revision FROM hub_revision');
    const rows = await manager
      .createQueryBuilder(ModelConfigEntity, 'config')
      .addSelect(['config.apiKey', 'config.authHeaders'])
      .getMany();
    const tokens = await manager.findBy(TokenEntity, { revokedAt: IsNull() });
    const models = rows.map((config) => this.toSnapshotModel(config));
    return {
      snapshot: {
        revision: Number(row?.revision),
        models,
        tokens: [this.adminToken(), ...tokens.map(toSnapshotToken)],
        prompts: await readSnapshotPrompts(manager),
      },
      observations: models.map((model) => ({
        id: model.id,
        version: model.version,
        readable: model.credential_readable,
      })),
    };
  }

  private toSnapshotModel(row: ModelConfigEntity): SnapshotModel {
    const {
      usage_count: _uses,
      error_count: _errors,
      last_used_at: _used,
      last_error: _error,
      multimodal_capabilities: _media,
      ...view
    } = toModelConfigView(row);
    const { apiKey, authHeaders, readable } = this.credentials.open(row);
    return { ...view, api_key: apiKey, auth_headers: authHeaders, credential_readable: readable };
  }

  private adminToken(): SnapshotToken {
    const { id, sha256, scopes } = this.known.admin;
    return { id, sha256, scopes: [...scopes], expires_at: null };
  }

  private async note(observations: Observation[]): Promise<void> {
    const columnsOf = (readable: boolean): [string[], number[]] => {
      const seen = observations.filter((observation) => observation.readable === readable);
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

const toSnapshotToken = (row: TokenEntity): SnapshotToken => ({
  id: row.id,
  sha256: row.tokenSha256,
  scopes: row.scopes,
  expires_at: row.expiresAt?.toISOString() ?? null,
});
