import type { EntityManager } from 'typeorm';
import { MAX_DOCUMENT_OBJECTS } from '../../contract/declarative.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { allowedOriginOf } from '../../platform/secrets/destination.js';
import type { ConfigCredentials } from '../model-config/config-credentials.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { toHistoryState, toRestorable } from '../model-config/model-config.mapper.js';
import { inOrder, MODEL_FIELDS, type ModelEntry, type SecretStandIn, withSortedKeys } from './document.js';
import type { DocumentSeal } from './sealing.js';
import { variablePrefixes } from './variable-names.js';

interface StandIns {
  api_key: SecretStandIn;
  auth_headers: SecretStandIn;
}

/** Every config by alias; its sealed secrets only where they are to be opened. */
const readConfigs = async (manager: EntityManager, withSecrets: boolean): Promise<ModelConfigEntity[]> => {
  const builder = manager.createQueryBuilder(ModelConfigEntity, 'config').limit(MAX_DOCUMENT_OBJECTS + 1);
  if (withSecrets) builder.addSelect(['config.apiKey', 'config.authHeaders']);
  const rows = await builder.getMany();
  if (rows.length > MAX_DOCUMENT_OBJECTS) {
    throw new AppError('export_too_large', {
      detail: `There are more than ${MAX_DOCUMENT_OBJECTS} models, and no import takes so many.`,
    });
  }
  return rows.sort((one, other) => inOrder(one.alias, other.alias));
};

const toEntry = (row: ModelConfigEntity, standIns: StandIns): ModelEntry => {
  const fields = { ...toRestorable(toHistoryState(row)), ...standIns } as Record<string, unknown>;
  return Object.fromEntries(MODEL_FIELDS.map((field) => [field, withSortedKeys(fields[field] ?? null)])) as ModelEntry;
};

/** Models as a document has them: instead of each secret the variable that its value is to come from. */
export const exportModels = async (manager: EntityManager): Promise<ModelEntry[]> => {
  const rows = await readConfigs(manager, false);
  const prefixes = variablePrefixes(rows.map((row) => row.alias));
  return rows.map((row) => toEntry(row, referencesOf(row, prefixes)));
};

const referencesOf = (row: ModelConfigEntity, prefixes: Map<string, string>): StandIns => {
  const prefix = prefixes.get(row.alias) ?? '';
  return {
    api_key: row.hasApiKey ? { from_env: `${prefix}_API_KEY` } : null,
    auth_headers: row.authHeaderNames.length > 0 ? { from_env: `${prefix}_AUTH_HEADERS` } : null,
  };
};

export interface SealedModels {
  models: ModelEntry[];
  secrets: number;
  /** As `alias.field`: stored, but they do not open with this key ring. They are references here. */
  unreadable: string[];
}

/** The same with each secret sealed. */
export const exportSealedModels = async (
  manager: EntityManager,
  credentials: ConfigCredentials,
  seal: DocumentSeal,
): Promise<SealedModels> => {
  const rows = await readConfigs(manager, true);
  const prefixes = variablePrefixes(rows.map((row) => row.alias));
  const unreadable: string[] = [];
  let secrets = 0;
  const models = rows.map((row) => {
    const { readable, apiKey, authHeaders } = credentials.open(row);
    const plain = { api_key: apiKey, auth_headers: authHeaders && JSON.stringify(authHeaders) };
    const standIns = referencesOf(row, prefixes);
    for (const field of ['api_key', 'auth_headers'] as const) {
      if (standIns[field] === null) continue;
      const text = plain[field];
      if (!readable || text === null) unreadable.push(`${row.alias}.${field}`);
      else {
        const place = { alias: row.alias, field, allowedOrigin: allowedOriginOf(row) };
        standIns[field] = { sealed: seal.seal(text, place) };
        secrets += 1;
      }
    }
    return toEntry(row, standIns);
  });
  return { models, secrets, unreadable };
};
