import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { ConfigCredentials } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { toModelConfigView } from '../model-config/model-config.mapper.js';

/** So many at a time: reading and opening them holds the event loop for some milliseconds, then others have their turn. */
const PAGE = 250;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

const selectModels = (manager: EntityManager): SelectQueryBuilder<ModelConfigEntity> =>
  manager.createQueryBuilder(ModelConfigEntity, 'config').addSelect(['config.apiKey', 'config.authHeaders']);

const toSnapshotModel = (row: ModelConfigEntity, credentials: ConfigCredentials): SnapshotModel => {
  const {
    usage_count: _uses,
    error_count: _errors,
    last_used_at: _used,
    last_error: _error,
    multimodal_capabilities: _media,
    ...view
  } = toModelConfigView(row);
  const { apiKey, authHeaders, readable } = credentials.open(row);
  return { ...view, api_key: apiKey, auth_headers: authHeaders, credential_readable: readable };
};

/** All configs, a page at a time. */
export async function* readAllModels(
  manager: EntityManager,
  credentials: ConfigCredentials,
): AsyncGenerator<SnapshotModel[]> {
  for (let last = BEFORE_ALL, isEnd = false; !isEnd;) {
    const rows = await selectModels(manager)
      .where('config.id > :last', { last })
      .orderBy('config.id')
      .take(PAGE)
      .getMany();
    yield rows.map((row) => toSnapshotModel(row, credentials));
    last = rows.at(-1)?.id ?? last;
    isEnd = rows.length < PAGE;
  }
}

/** The configs with these ids; one that is gone is missing. */
export async function readModels(
  manager: EntityManager,
  credentials: ConfigCredentials,
  ids: readonly string[],
): Promise<SnapshotModel[]> {
  const models: SnapshotModel[] = [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const rows = await selectModels(manager)
      .where('config.id = ANY (:ids)', { ids: ids.slice(at, at + PAGE) })
      .getMany();
    models.push(...rows.map((row) => toSnapshotModel(row, credentials)));
  }
  return models;
}
