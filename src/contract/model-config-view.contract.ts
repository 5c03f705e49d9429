import { ApiExtraModels } from '@nestjs/swagger';
import { AnswerField } from './fields.js';
import { MODEL_STATUSES, PROVIDERS, type ModelStatus, type Provider } from './providers.js';

/** What a model takes besides text. */
export class MultimodalCapabilities {
  @AnswerField({ type: 'boolean' }) supports_files: boolean;
  @AnswerField({ type: 'boolean' }) supports_images: boolean;
  @AnswerField({ type: 'boolean' }) supports_videos: boolean;
  @AnswerField({ type: 'boolean' }) supports_audio: boolean;
  @AnswerField({ type: [String], nullable: true }) supported_file_types: string[] | null;
  @AnswerField({ type: 'integer', nullable: true }) max_file_size_mb: number | null;
}

/** A config on the wire: every column but the two secrets. Fields that are not set are `null`, never missing. */
@ApiExtraModels(MultimodalCapabilities)
export class ModelConfigView {
  @AnswerField({ type: 'string', format: 'uuid' }) id: string;
  @AnswerField({ type: 'string' }) alias: string;
  @AnswerField({ enum: [...PROVIDERS], enumName: 'Provider' }) provider: Provider;
  @AnswerField({ type: 'string' }) model_name: string;
  @AnswerField({ type: 'string', nullable: true }) display_name: string | null;
  @AnswerField({ type: 'string', nullable: true }) description: string | null;
  @AnswerField({ type: 'boolean' }) has_api_key: boolean;
  @AnswerField({ type: 'string', nullable: true, description: 'At most the last 4 characters' })
  api_key_hint: string | null;
  @AnswerField({ type: 'string', nullable: true }) api_base: string | null;
  @AnswerField({ type: 'string', nullable: true }) api_version: string | null;
  @AnswerField({ type: [String] }) auth_header_names: string[];
  @AnswerField({ type: 'integer' }) max_tokens: number;
  @AnswerField({ type: 'integer', nullable: true }) context_window: number | null;
  @AnswerField({ type: 'number', nullable: true }) default_temperature: number | null;
  @AnswerField({ type: 'number', nullable: true }) default_top_p: number | null;
  @AnswerField({ type: 'boolean' }) is_local: boolean;
  @AnswerField({ type: 'boolean' }) is_streaming_supported: boolean;
  @AnswerField({ type: 'boolean' }) supports_files: boolean;
  @AnswerField({ type: 'boolean' }) supports_images: boolean;
  @AnswerField({ type: 'boolean' }) supports_videos: boolean;
  @AnswerField({ type: 'boolean' }) supports_audio: boolean;
  @AnswerField({ type: [String], nullable: true }) supported_file_types: string[] | null;
  @AnswerField({ type: 'integer', nullable: true }) max_file_size_mb: number | null;
  @AnswerField({ type: MultimodalCapabilities }) multimodal_capabilities: MultimodalCapabilities;
  @AnswerField({ type: 'object', additionalProperties: true, nullable: true })
  custom_parameters: Record<string, unknown> | null;
  @AnswerField({ type: 'boolean' }) is_enabled: boolean;
  @AnswerField({ enum: [...MODEL_STATUSES], enumName: 'ModelStatus', description: 'Computed by the database' })
  status: ModelStatus;
  @AnswerField({ type: 'integer' }) priority: number;
  @AnswerField({ type: [String] }) fallback_aliases: string[];
  @AnswerField({ type: 'object', additionalProperties: { type: 'string' } }) tags: Record<string, string>;
  @AnswerField({ type: 'string', nullable: true }) system_prompt_name: string | null;
  @AnswerField({ type: 'string', nullable: true }) system_prompt_label: string | null;
  @AnswerField({ type: 'integer' }) usage_count: number;
  @AnswerField({ type: 'integer' }) error_count: number;
  @AnswerField({ type: 'string', format: 'date-time', nullable: true }) last_used_at: string | null;
  @AnswerField({ type: 'string', nullable: true }) last_error: string | null;
  @AnswerField({ type: 'integer', nullable: true }) request_timeout: number | null;
  @AnswerField({ type: 'integer' }) max_retries: number;
  @AnswerField({ type: 'integer', nullable: true }) rate_limit_per_minute: number | null;
  @AnswerField({ type: 'number', nullable: true }) input_price_per_million: number | null;
  @AnswerField({ type: 'number', nullable: true }) cached_input_price_per_million: number | null;
  @AnswerField({ type: 'number', nullable: true }) output_price_per_million: number | null;
  @AnswerField({ type: 'integer', description: 'Goes up by one with every change: the ETag' }) version: number;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) updated_at: string;
}

/** Answer of `GET /configs`; `total` counts what the filter matches. */
export class ModelConfigList {
  @AnswerField({ type: [ModelConfigView] }) models: ModelConfigView[];
  @AnswerField({ type: 'integer' }) total: number;
  @AnswerField({ type: 'integer' }) skip: number;
  @AnswerField({ type: 'integer' }) limit: number;
}

/** Answer of `GET /active`: status `configured`, by priority, then alias. */
export class ActiveModelList {
  @AnswerField({ type: [ModelConfigView] }) models: ModelConfigView[];
  @AnswerField({ type: 'integer' }) total: number;
}
