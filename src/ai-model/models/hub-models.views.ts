import { AnswerField } from '../../contract/fields.js';
import { MultimodalCapabilities } from '../../contract/model-config-view.contract.js';
import { PROVIDERS, type Provider } from '../../contract/providers.js';
import { HEALTH_STATES, type HealthState } from '../choosing/model-health.js';
import { INPUT_KINDS, type InputKind } from './provider-descriptions.js';

/** A model that can be called, for people who choose one. */
export class HubModel {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string', description: 'The name for `model` in a call' }) alias: string;
  @AnswerField({ type: 'string', nullable: true }) display_name: string | null;
  @AnswerField({ type: 'string', nullable: true }) description: string | null;
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'integer' }) max_tokens: number;
  @AnswerField({ type: 'integer', nullable: true }) context_window: number | null;
  @AnswerField({ type: 'boolean' }) is_local: boolean;
  @AnswerField({ type: 'boolean' }) is_streaming_supported: boolean;
  @AnswerField({ type: MultimodalCapabilities }) multimodal_capabilities: MultimodalCapabilities;
  @AnswerField({ type: 'integer' }) priority: number;
  @AnswerField({ type: 'object', additionalProperties: { type: 'string' } }) tags: Record<string, string>;
  @AnswerField({ enum: [...HEALTH_STATES], enumName: 'HealthState', description: 'See GET /api/v1/status/health' })
  health: HealthState;
}

/** By priority, then alias. */
export class HubModelList {
  @AnswerField({ type: [HubModel] }) models: HubModel[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}

/** What a provider is. */
export class ProviderView {
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'string' }) name: string;
  @AnswerField({ type: 'string', description: 'In the language of Accept-Language (zh-CN, en)' }) description: string;
  @AnswerField({ type: 'string', nullable: true, description: 'null: a config must name its own' })
  default_api_base: string | null;
  @AnswerField({ type: 'boolean' }) requires_api_key: boolean;
  @AnswerField({
    type: 'string',
    enum: [...INPUT_KINDS],
    isArray: true,
    description: 'What its models can be sent, as far as they take it themselves',
  })
  modalities: InputKind[];
}

/** A name in every language. */
export class PresetNames {
  @AnswerField({ type: 'string' }) 'zh-CN': string;
  @AnswerField({ type: 'string' }) en: string;
}

/** A known service, so that adding a model of it is choosing it and pasting a key. */
export class PresetView {
  @AnswerField({ type: 'string', description: 'For `preset` of POST /configs' }) id: string;
  @AnswerField({ type: PresetNames }) names: PresetNames;
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'string' }) api_base: string;
  @AnswerField({ type: [String], description: 'Of the same service, such as the one for the rest of the world' })
  other_api_bases: string[];
  @AnswerField({ type: 'string', nullable: true, description: 'The page where a key is made' }) key_url: string | null;
  @AnswerField({ type: 'boolean' }) requires_api_key: boolean;
  @AnswerField({ type: 'boolean' }) is_local: boolean;
}

export class ProviderList {
  @AnswerField({ type: [ProviderView] }) providers: ProviderView[];
  @AnswerField({ type: 'integer', description: 'Of providers' }) total: number;
  @AnswerField({ type: [PresetView] }) presets: PresetView[];
}
