import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigEntity } from './model-config.entity.js';

type PlainField = Exclude<keyof ModelConfigUpdate, 'api_key' | 'auth_headers'>;

/** Wire name of each writable column that is stored as it comes: the only place that knows both names. */
const COLUMN_OF = {
  alias: 'alias',
  provider: 'provider',
  model_name: 'modelName',
  display_name: 'displayName',
  description: 'description',
  api_base: 'apiBase',
  api_version: 'apiVersion',
  max_tokens: 'maxTokens',
  context_window: 'contextWindow',
  default_temperature: 'defaultTemperature',
  default_top_p: 'defaultTopP',
  is_local: 'isLocal',
  is_streaming_supported: 'isStreamingSupported',
  supports_files: 'supportsFiles',
  supports_images: 'supportsImages',
  supports_videos: 'supportsVideos',
  supports_audio: 'supportsAudio',
  supported_file_types: 'supportedFileTypes',
  max_file_size_mb: 'maxFileSizeMb',
  custom_parameters: 'customParameters',
  is_enabled: 'isEnabled',
  priority: 'priority',
  fallback_aliases: 'fallbackAliases',
  tags: 'tags',
  system_prompt_name: 'systemPromptName',
  system_prompt_label: 'systemPromptLabel',
  request_timeout: 'requestTimeout',
  max_retries: 'maxRetries',
  rate_limit_per_minute: 'rateLimitPerMinute',
  input_price_per_million: 'inputPricePerMillion',
  cached_input_price_per_million: 'cachedInputPricePerMillion',
  output_price_per_million: 'outputPricePerMillion',
} as const satisfies Record<PlainField, keyof ModelConfigEntity>;

/** The columns of the fields that were sent: absent ones are left out, `null` stays `null`. */
export const toColumns = (change: ModelConfigUpdate): Partial<ModelConfigEntity> =>
  Object.fromEntries(
    (Object.keys(COLUMN_OF) as PlainField[])
      .filter((field) => change[field] !== undefined)
      .map((field) => [COLUMN_OF[field], asStored(field, change[field])]),
  );

/** Numbers as the database gives them back, so that the same one sent again is no change: six decimals, and no -0. */
const asStored = (field: PlainField, value: unknown): unknown => {
  if (typeof value !== 'number') return value;
  return (field.endsWith('_per_million') ? Math.round(value * 1e6) / 1e6 : value) + 0;
};

const WITHOUT_FINGERPRINT = 'stored before the history';

/** What the history keeps of a config: every field somebody sets, secrets as fingerprints. */
export const toHistoryState = (row: ModelConfigEntity): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(COLUMN_OF).map(([field, column]) => [field, row[column]])),
  api_key: row.hasApiKey ? (row.apiKeyFingerprint ?? WITHOUT_FINGERPRINT) : null,
  api_key_hint: row.apiKeyHint,
  auth_headers: row.authHeaderNames.length > 0 ? (row.authHeadersFingerprint ?? WITHOUT_FINGERPRINT) : null,
  auth_header_names: row.authHeaderNames,
});

/** The fields of a kept state that can be written again; secrets are not among them. */
export const toRestorable = (state: Readonly<Record<string, unknown>>): ModelConfigUpdate =>
  Object.fromEntries(Object.keys(COLUMN_OF).flatMap((field) => (field in state ? [[field, state[field]]] : [])));

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Lists what leaves the house. */
export const toModelConfigView = (row: ModelConfigEntity): ModelConfigView => ({
  id: row.id,
  alias: row.alias,
  provider: row.provider,
  model_name: row.modelName,
  display_name: row.displayName,
  description: row.description,
  has_api_key: row.hasApiKey,
  api_key_hint: row.apiKeyHint,
  api_base: row.apiBase,
  api_version: row.apiVersion,
  auth_header_names: row.authHeaderNames,
  max_tokens: row.maxTokens,
  context_window: row.contextWindow,
  default_temperature: row.defaultTemperature,
  default_top_p: row.defaultTopP,
  is_local: row.isLocal,
  is_streaming_supported: row.isStreamingSupported,
  ...capabilitiesOf(row),
  multimodal_capabilities: capabilitiesOf(row),
  custom_parameters: row.customParameters as Record<string, unknown> | null,
  is_enabled: row.isEnabled,
  status: row.status,
  priority: row.priority,
  fallback_aliases: row.fallbackAliases,
  tags: row.tags,
  system_prompt_name: row.systemPromptName,
  system_prompt_label: row.systemPromptLabel,
  usage_count: row.usageCount,
  error_count: row.errorCount,
  last_used_at: time(row.lastUsedAt),
  last_error: row.lastError,
  request_timeout: row.requestTimeout,
  max_retries: row.maxRetries,
  rate_limit_per_minute: row.rateLimitPerMinute,
  input_price_per_million: row.inputPricePerMillion,
  cached_input_price_per_million: row.cachedInputPricePerMillion,
  output_price_per_million: row.outputPricePerMillion,
  version: row.version,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

const capabilitiesOf = (row: ModelConfigEntity): ModelConfigView['multimodal_capabilities'] => ({
  supports_files: row.supportsFiles,
  supports_images: row.supportsImages,
  supports_videos: row.supportsVideos,
  supports_audio: row.supportsAudio,
  supported_file_types: row.supportedFileTypes,
  max_file_size_mb: row.maxFileSizeMb,
});
