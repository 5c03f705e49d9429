import { Controller, Get, Headers, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { fromQueryInteger, IntegerField } from '../../contract/fields.js';
import { MODELS_PATH } from '../../contract/paths.js';
import { type Preset, PRESETS } from '../../contract/presets.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { RequireScope } from '../../platform/auth/require-scope.js';
import { type Language, languageOf } from '../../platform/http/accept-language.js';
import { isCallable } from '../calls/callable.js';
import { type HealthState, ModelHealth } from '../choosing/model-health.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { ApiOpenAiErrors } from '../openai-docs.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import { type HubModel, HubModelList, type PresetView, ProviderList, type ProviderView } from './hub-models.views.js';
import { PROVIDER_DESCRIPTIONS } from './provider-descriptions.js';

const DEFAULT_LIMIT = 100;

/** Query of `GET /api/v1/models`. */
export class HubModelsQuery {
  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: DEFAULT_LIMIT })
  limit?: number;
}

const toHubModel = (model: SnapshotModel, health: HealthState): HubModel => ({
  id: model.id,
  alias: model.alias,
  display_name: model.display_name,
  description: model.description,
  provider: model.provider,
  model_name: model.model_name,
  max_tokens: model.max_tokens,
  context_window: model.context_window,
  is_local: model.is_local,
  is_streaming_supported: model.is_streaming_supported,
  multimodal_capabilities: {
    supports_files: model.supports_files,
    supports_images: model.supports_images,
    supports_videos: model.supports_videos,
    supports_audio: model.supports_audio,
    supported_file_types: model.supported_file_types,
    max_file_size_mb: model.max_file_size_mb,
  },
  priority: model.priority,
  tags: model.tags,
  health,
});

const toProviderView = (provider: Provider, language: Language): ProviderView => {
  const { name, defaultApiBase, requiresApiKey } = PROVIDER_REGISTRY[provider];
  const { inputs, text } = PROVIDER_DESCRIPTIONS[provider];
  return {
    provider,
    name,
    description: text[language],
    default_api_base: defaultApiBase,
    requires_api_key: requiresApiKey,
    modalities: [...inputs],
  };
};

const toPresetView = (preset: Preset): PresetView => ({
  id: preset.id,
  names: preset.names,
  provider: preset.provider,
  api_base: preset.api_base,
  other_api_bases: [...preset.other_api_bases],
  key_url: preset.key_url,
  requires_api_key: preset.requires_api_key,
  is_local: preset.is_local,
});

/** What there is to call, in the hub's own words; from memory. */
@ApiTags('calling models')
@RequireScope('invoke', 'models:read')
@Controller(MODELS_PATH)
export class HubModelsController {
  constructor(
    private readonly directory: ModelDirectory,
    private readonly health: ModelHealth,
  ) {}

  /** Every model that can be called. */
  @Get()
  @ApiOkResponse({ type: HubModelList })
  @ApiOpenAiErrors()
  list(@Query() { skip = 0, limit = DEFAULT_LIMIT }: HubModelsQuery): HubModelList {
    const callable = this.directory.models().filter(isCallable);
    const page = callable.slice(skip, skip + limit);
    const models = page.map((model) => toHubModel(model, this.health.stateOf(model)));
    return { models, total: callable.length, skip, limit };
  }

  /** What each provider is, and known services that need no more than a key. */
  @Get('providers')
  @ApiOkResponse({ type: ProviderList })
  @ApiOpenAiErrors()
  providers(@Headers('accept-language') header?: string): ProviderList {
    const providers = PROVIDERS.map((provider) => toProviderView(provider, languageOf(header)));
    return { providers, total: providers.length, presets: PRESETS.map(toPresetView) };
  }
}
