import { Injectable } from '@nestjs/common';
import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { etagOf } from '../../platform/http/etag.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import type { ModelListing } from '../providers/provider.js';
import { ProviderError } from '../providers/provider-error.js';
import { ProviderLoader } from '../providers/provider-loader.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import { type OnBehalfOf, StorageServiceClient } from '../storage-client/storage-service.client.js';
import type { DiscoveredFact, Discovery, DiscoveryFailure } from './discover.views.js';
import { ModelCatalogue } from './model-catalogue.js';
import { FACT_FIELDS, type FactField, type ModelFacts, NO_FACTS } from './model-facts.js';

/** For all questions together: a list is no long answer. */
const MAX_SECONDS = 10;

const NOTHING_LISTED: ModelListing = { names: [], isListed: null, facts: NO_FACTS };

interface Told {
  listing: ModelListing;
  failure: DiscoveryFailure | null;
}

/** Finds out what is known of a config's model, and shows where the config says something else. */
@Injectable()
export class DiscoverService {
  constructor(
    private readonly directory: ModelDirectory,
    private readonly providers: ProviderLoader,
    private readonly catalogue: ModelCatalogue,
    private readonly storage: StorageServiceClient,
  ) {}

  /** Changes the fields named in `apply` alone, and only if nobody changed the config meanwhile. */
  async discover(id: string, apply: readonly FactField[], caller: OnBehalfOf): Promise<Discovery> {
    const model = await this.directory.readById(id, caller.span);
    const [{ listing, failure }, known] = await Promise.all([
      this.ask(model),
      this.catalogue.find(model.provider, model.api_base, model.model_name),
    ]);
    const facts = compare(model, listing.facts, known);
    const changes = facts.filter(({ field, differs }) => differs && apply.includes(field));
    return {
      config_id: id,
      version: await this.save(model, changes, caller),
      model_name: model.model_name,
      listed: listing.isListed,
      available_models: listing.names,
      facts,
      applied: changes.map(({ field }) => field),
      provider_error: failure,
    };
  }

  /** Never fails: a provider that cannot tell is an answer too. */
  private async ask(model: SnapshotModel): Promise<Told> {
    const refusal = refusalOf(model);
    if (refusal) return { listing: NOTHING_LISTED, failure: refusal };
    const seconds = Math.min(model.request_timeout ?? MAX_SECONDS, MAX_SECONDS);
    try {
      const provider = await this.providers.chatProvider(model.provider);
      const listing = await provider.listModels?.(model, AbortSignal.timeout(seconds * 1000));
      return listing ? { listing, failure: null } : { listing: NOTHING_LISTED, failure: unsupported(model) };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { status, message = status ? `The provider answered ${status}.` : 'The provider failed.' } = error.details;
      return { listing: NOTHING_LISTED, failure: { class: error.errorClass, message } };
    }
  }

  /** Answers the version the config has then. */
  private async save(model: SnapshotModel, changes: DiscoveredFact[], caller: OnBehalfOf): Promise<number> {
    if (changes.length === 0) return model.version;
    const body = Object.fromEntries(changes.map(({ field, value }) => [field, value])) as ModelConfigUpdate;
    const saved = await this.storage.updateModelConfig(model.id, body, caller, etagOf(model.version));
    return saved.version;
  }
}

const unsupported = ({ provider }: SnapshotModel): DiscoveryFailure => ({
  class: 'unsupported',
  message: `${PROVIDER_REGISTRY[provider].name} has no list of models that can be asked for; the facts are those of the catalogue.`,
});

/** What keeps the provider from being asked, as it would keep a call from being made. */
const refusalOf = (model: SnapshotModel): DiscoveryFailure | null => {
  if (!model.credential_readable) {
    const message =
      "The stored key cannot be decrypted with the hub's present encryption keys; it must be entered again.";
    return { class: 'credential_unavailable', message };
  }
  if (!model.is_local && model.api_key === null) {
    return { class: 'credential_unavailable', message: 'No key is stored yet.' };
  }
  return null;
};

/** One fact for each field of which something is known: what the provider says itself, else what the catalogue says. */
const compare = (model: SnapshotModel, told: ModelFacts, known: ModelFacts): DiscoveredFact[] =>
  FACT_FIELDS.flatMap((field) => {
    const value = told[field] ?? known[field];
    if (value === null) return [];
    const source = told[field] === null ? ('catalogue' as const) : ('provider' as const);
    return [{ field, value, source, current: model[field], differs: value !== model[field] }];
  });
