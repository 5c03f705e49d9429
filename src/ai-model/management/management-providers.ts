import { Injectable } from '@nestjs/common';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import type { Language } from '../../platform/http/accept-language.js';
import { ModelCatalogue } from '../known-models/model-catalogue.js';
import { PROVIDER_DESCRIPTIONS } from '../models/provider-descriptions.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import type { ManagedProvider, ManagedProviders } from './management.views.js';

const MAX_NAMES = 200;

/** The providers, as the management API has always listed them. */
@Injectable()
export class ManagementProviders {
  constructor(private readonly catalogue: ModelCatalogue) {}

  async list(language: Language): Promise<ManagedProviders> {
    const entries = await Promise.all(
      PROVIDERS.map(async (provider) => [provider, await this.view(provider, language)] as const),
    );
    return { providers: Object.fromEntries(entries), total: entries.length };
  }

  private async view(provider: Provider, language: Language): Promise<ManagedProvider> {
    const { name, defaultApiBase, requiresApiKey } = PROVIDER_REGISTRY[provider];
    const known = await this.catalogue.list(provider, null);
    return {
      name,
      api_base: defaultApiBase,
      supported_models: known.slice(0, MAX_NAMES).map(({ model_name }) => model_name),
      requires_api_key: requiresApiKey,
      description: PROVIDER_DESCRIPTIONS[provider].text[language],
    };
  }
}
