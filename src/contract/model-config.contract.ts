import { ApiExtraModels, PartialType } from '@nestjs/swagger';
import {
  AnswerField,
  BooleanField,
  ChoiceField,
  fromQueryBoolean,
  fromQueryInteger,
  IntegerField,
  NumberField,
  ObjectField,
  satisfies,
  TextField,
  TextListField,
} from './fields.js';
import { MODEL_STATUSES, PROVIDERS, type ModelStatus, type Provider } from './providers.js';
import { ApiKeyField, AuthHeadersField } from './secret-fields.js';

export const ALIAS_PATTERN = /^(?!auto$)[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;
const ALIAS_FORM =
  'a letter or digit followed by up to 99 letters, digits, dots, underscores, colons, slashes or hyphens, and not "auto"';
const PROMPT_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;
const PROMPT_LABEL_PATTERN = /^[a-z][a-z0-9._-]{0,35}$/;
const MIME_PATTERN = /^[a-z0-9][a-z0-9.+-]{0,60}\/(?:\*|[a-z0-9][a-z0-9.+-]{0,80})$/;

const MAX_TAGS = 50;
const MAX_PARAMETERS_CHARACTERS = 65_536;

const tagsProblem = (tags: Record<string, unknown>): string | null => {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) return `must have at most ${MAX_TAGS} tags`;
  const good = entries.every(
    ([key, value]) => /^[^:\s][^:]{0,62}$/.test(key) && typeof value === 'string' && value.length <= 200,
  );
  return good ? null : 'must map names (1 to 63 characters, no colon) to strings of at most 200 characters';
};

const parametersProblem = (parameters: Record<string, unknown>): string | null => {
  if (JSON.stringify(parameters).length > MAX_PARAMETERS_CHARACTERS) {
    return `must not be longer than ${MAX_PARAMETERS_CHARACTERS} characters of JSON`;
  }
  const reserved = ['model', 'messages', 'stream'].filter((name) => Object.hasOwn(parameters, name));
  return reserved.length === 0 ? null : `must not set ${reserved.join(', ')}: a call sets these itself`;
};

/** The fields a caller may set, with the database's columns behind them. Times are seconds, sizes as named. */
class ModelConfigFields {
  @TextField({
    required: true,
    max: 100,
    pattern: ALIAS_PATTERN,
    form: ALIAS_FORM,
    description: 'The name callers use',
  })
  alias: string;

  @ChoiceField(PROVIDERS, { required: true, name: 'Provider' })
  provider: Provider;

  @TextField({ required: true, max: 200, description: "The provider's own name of the model", example: 'gpt-4o-mini' })
  model_name: string;

  @TextField({ nullable: true, max: 200 })
  display_name?: string | null;

  @TextField({ nullable: true, max: 10_000 })
  description?: string | null;

  @ApiKeyField()
  api_key?: string | null;

  @TextField({
    nullable: true,
    min: 8,
    max: 500,
    description: "The provider's address, such as https://api.openai.com/v1; null: the provider's default",
  })
  api_base?: string | null;

  @TextField({ nullable: true, max: 50, pattern: /^[A-Za-z0-9._-]+$/, form: 'letters, digits, dots and hyphens' })
  api_version?: string | null;

  @AuthHeadersField()
  auth_headers?: Record<string, string> | null;

  @IntegerField({ min: 1, max: 10_000_000, default: 4096, description: 'The most output tokens a call may ask for' })
  max_tokens?: number;

  @IntegerField({ nullable: true, min: 1, max: 100_000_000, description: 'Tokens' })
  context_window?: number | null;

  @NumberField({ nullable: true, min: 0, max: 2, description: 'Sent only when the caller gave none' })
  default_temperature?: number | null;

  @NumberField({ nullable: true, min: 0, max: 1, description: 'Sent only when the caller gave none' })
  default_top_p?: number | null;

  @BooleanField({ default: false, description: 'Needs no key' })
  is_local?: boolean;

  @BooleanField({ default: true })
  is_streaming_supported?: boolean;

  @BooleanField({ default: false })
  supports_files?: boolean;

  @BooleanField({ default: false })
  supports_images?: boolean;

  @BooleanField({ default: false })
  supports_videos?: boolean;

  @BooleanField({ default: false })
  supports_audio?: boolean;

  @TextListField({
    nullable: true,
    maxItems: 100,
    itemMax: 150,
    pattern: MIME_PATTERN,
    form: 'a MIME type such as application/pdf or image/*',
    description: 'MIME types, wildcards allowed; null: any',
  })
  supported_file_types?: string[] | null;

  @IntegerField({ nullable: true, min: 1, max: 10_000, description: 'Megabytes per attachment' })
  max_file_size_mb?: number | null;

  @ObjectField({
    nullable: true,
    check: parametersProblem,
    description:
      "Merged into the provider's request body; the caller's own values win; null under a name: never send it",
  })
  custom_parameters?: Record<string, unknown> | null;

  @BooleanField({ default: true })
  is_enabled?: boolean;

  @IntegerField({ min: -1_000_000, max: 1_000_000, default: 0, description: 'Higher is tried first' })
  priority?: number;

  @TextListField({
    maxItems: 20,
    itemMax: 100,
    pattern: ALIAS_PATTERN,
    form: 'an alias',
    default: [],
    description: 'Aliases tried in order when a call fails in a retryable way',
  })
  fallback_aliases?: string[];

  @ObjectField({
    check: tagsProblem,
    default: {},
    schema: { additionalProperties: { type: 'string' } },
    description: 'Names and values of your own',
  })
  tags?: Record<string, string>;

  @TextField({ nullable: true, max: 100, pattern: PROMPT_NAME_PATTERN, form: 'the name of a system prompt' })
  system_prompt_name?: string | null;

  @TextField({ nullable: true, max: 36, pattern: PROMPT_LABEL_PATTERN, form: 'a label such as production' })
  system_prompt_label?: string | null;

  @IntegerField({ nullable: true, min: 1, max: 3600, description: 'Seconds; null: 60' })
  request_timeout?: number | null;

  @IntegerField({ min: 0, max: 10, default: 3 })
  max_retries?: number;

  @IntegerField({ nullable: true, min: 1, max: 10_000_000 })
  rate_limit_per_minute?: number | null;

  @NumberField({ nullable: true, min: 0, max: 1_000_000, description: 'US dollars per million tokens' })
  input_price_per_million?: number | null;

  @NumberField({ nullable: true, min: 0, max: 1_000_000, description: 'US dollars per million tokens' })
  output_price_per_million?: number | null;
}

/** Body of `POST /configs`: `alias`, `provider` and `model_name` must be sent, the others have defaults. */
export class ModelConfigCreate extends ModelConfigFields {}

/** Body of `PUT /configs/{id}`: absent fields keep their value, `null` clears. */
export class ModelConfigUpdate extends PartialType(ModelConfigFields, { skipNullProperties: false }) {}

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
  @AnswerField({ type: 'number', nullable: true }) output_price_per_million: number | null;
  @AnswerField({ type: 'integer', description: 'Goes up by one with every change: the ETag' }) version: number;
  @AnswerField({ type: 'string', format: 'date-time' }) created_at: string;
  @AnswerField({ type: 'string', format: 'date-time' }) updated_at: string;
}

/** Columns a list can be sorted by, on the wire and in SQL alike. */
export const SORTABLE_FIELDS = [
  'alias',
  'provider',
  'model_name',
  'display_name',
  'status',
  'priority',
  'usage_count',
  'error_count',
  'last_used_at',
  'created_at',
  'updated_at',
] as const;

const sortProblem = (value: unknown): string | null => {
  const known = new Set<string>(SORTABLE_FIELDS);
  const parts = typeof value === 'string' ? value.split(',') : [''];
  return parts.length <= 5 && parts.every((part) => known.has(part.replace(/^-/, '')))
    ? null
    : `must be up to five of ${SORTABLE_FIELDS.join(', ')}, separated by commas, each with - in front for descending`;
};

const tagFilterProblem = (value: unknown): string | null => {
  const filters: unknown[] = Array.isArray(value) ? value : [value];
  return filters.length <= 10 &&
    filters.every((filter) => typeof filter === 'string' && filter.length <= 300 && /^[^:]+:/.test(filter))
    ? null
    : 'must be of the form key:value (at most ten of them)';
};

/** Query of `GET /configs`; all filters can be combined. */
export class ModelConfigQuery {
  @ChoiceField(PROVIDERS, { name: 'Provider' })
  provider?: Provider;

  @ChoiceField(MODEL_STATUSES, { name: 'ModelStatus' })
  status?: ModelStatus;

  @fromQueryBoolean()
  @BooleanField({})
  is_local?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_files?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_images?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_videos?: boolean;

  @fromQueryBoolean()
  @BooleanField({})
  supports_audio?: boolean;

  @AnswerField({ type: 'string', required: false, description: 'key:value; repeat it to ask for several' })
  @OptionalFilter('tagFilter', tagFilterProblem)
  tag?: string | string[];

  @TextField({ max: 200, description: 'Found in alias, names or description' })
  q?: string;

  @AnswerField({ type: 'string', required: false, default: '-priority,alias', example: '-priority,alias' })
  @OptionalFilter('sort', sortProblem)
  sort?: string;

  @fromQueryInteger()
  @IntegerField({ min: 0, max: 1_000_000_000, default: 0 })
  skip?: number;

  @fromQueryInteger()
  @IntegerField({ min: 1, max: 1000, default: 100 })
  limit?: number;
}

function OptionalFilter(name: string, problem: (value: unknown) => string | null): PropertyDecorator {
  return satisfies(name, (value) => (value === undefined ? null : problem(value)));
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
