import { Injectable } from '@nestjs/common';
import type { ModelConfigCreate } from '../../contract/model-config.contract.js';
import type { ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { Language } from '../../platform/http/accept-language.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { StorageUnavailable } from '../storage-client/storage-errors.js';
import { type OnBehalfOf, StorageServiceClient } from '../storage-client/storage-service.client.js';
import { toConfigChange, toLegacyError } from './legacy-fields.js';
import type { ManagedModelCreate, ManagedModelUpdate } from './management.requests.js';
import { MESSAGES } from './management-texts.js';
import type { ManagedModel, ManagedModelChange, ManagedModelList, ManagedModelRemoval } from './management.views.js';

const PAGE = 1000;
const MAX_MODELS = 10_000;

type Listed = Pick<
  ModelConfigView,
  | 'id'
  | 'alias'
  | 'provider'
  | 'model_name'
  | 'has_api_key'
  | 'api_base'
  | 'max_tokens'
  | 'default_temperature'
  | 'is_local'
  | 'status'
  | 'created_at'
>;

/** Who asks, and in which language he is told. */
export interface ManagementCaller extends OnBehalfOf {
  language: Language;
}

const toManagedModel = (model: Listed): ManagedModel => ({
  id: model.id,
  alias: model.alias,
  provider: model.provider,
  model_name: model.model_name,
  has_api_key: model.has_api_key,
  api_base: model.api_base,
  max_tokens: model.max_tokens,
  temperature: model.default_temperature,
  is_local: model.is_local,
  status: model.status,
  created_at: model.created_at,
});

const toList = (models: readonly Listed[], degraded: boolean): ManagedModelList => ({
  models: models.map(toManagedModel),
  total: models.length,
  providers: [...new Set(models.map((model) => model.provider))],
  degraded,
});

/** The management API that existed before the database did, served by the storage service. */
@Injectable()
export class ManagementService {
  constructor(
    private readonly storage: StorageServiceClient,
    private readonly directory: ModelDirectory,
  ) {}

  /** When storage cannot be reached: the last known list, marked `degraded`. */
  async list(caller: OnBehalfOf): Promise<ManagedModelList> {
    if (this.directory.isStorageAway) return toList(this.directory.models(), true);
    try {
      return toList(await this.readAll(caller), false);
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      return toList(this.directory.models(), true);
    }
  }

  /** Failures are those of `POST /configs`. */
  async add(body: ManagedModelCreate, caller: ManagementCaller): Promise<ManagedModelChange> {
    const change = toConfigChange(body) as ModelConfigCreate;
    const saved = await inLegacyWords(caller, () => this.storage.createModelConfig(change, caller));
    return { message: MESSAGES.added[caller.language](saved.alias), model_id: saved.id, status: saved.status };
  }

  /** Absent fields keep their value. Failures are those of `PUT /configs/{id}`. */
  async update(id: string, body: ManagedModelUpdate, caller: ManagementCaller): Promise<ManagedModelChange> {
    const saved = await inLegacyWords(caller, () => this.storage.updateModelConfig(id, toConfigChange(body), caller));
    return { message: MESSAGES.updated[caller.language](saved.alias), model_id: saved.id, status: saved.status };
  }

  /** Throws `config_not_found`. */
  async remove(id: string, caller: ManagementCaller): Promise<ManagedModelRemoval> {
    await inLegacyWords(caller, () => this.storage.deleteModelConfig(id, caller));
    return { message: MESSAGES.removed[caller.language](id), model_id: id };
  }

  private async readAll(caller: OnBehalfOf): Promise<ModelConfigView[]> {
    const models: ModelConfigView[] = [];
    for (let skip = 0; skip < MAX_MODELS; skip += PAGE) {
      const page = await this.storage.getAllModels({ skip, limit: PAGE, sort: 'alias' }, caller);
      models.push(...page.models);
      if (models.length >= page.total || page.models.length === 0) break;
    }
    return models;
  }
}

const inLegacyWords = async <Answer>({ language }: ManagementCaller, work: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await work();
  } catch (error) {
    throw toLegacyError(error, language);
  }
};
