import { ApiProperty, OmitType, PartialType, PickType } from '@nestjs/swagger';
import { IsIn, ValidateIf } from 'class-validator';
import {
  BooleanField,
  ChoiceField,
  IntegerField,
  NumberField,
  ObjectField,
  TextField,
  TextListField,
} from './fields.js';
import { TagsField } from './list-query.js';
import { LABEL_FORM, LABEL_PATTERN, PROMPT_NAME_PATTERN } from './prompt-names.js';
import { PRESET_IDS, presetOf } from './presets.js';
import { PROVIDERS, type Provider } from './providers.js';
import { ApiKeyField, AuthHeadersField } from './secret-fields.js';

export const ALIAS_PATTERN = /^(?!auto$)[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;
const ALIAS_FORM =
  'a letter or digit followed by up to 99 letters, digits, dots, underscores, colons, slashes or hyphens, and not "auto"';
const MIME_PATTERN = /^[a-z0-9][a-z0-9.+-]{0,60}\/(?:\*|[a-z0-9][a-z0-9.+-]{0,80})$/;

const MAX_TAGS = 50;
const MAX_PARAMETERS_CHARACTERS = 65_536;

/** What is wrong with additions to a request body; null: nothing. */
export const parametersProblem = (parameters: Record<string, unknown>): string | null => {
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

  @TagsField({ max: MAX_TAGS })
  tags?: Record<string, string>;

  @TextField({
    nullable: true,
    max: 100,
    pattern: PROMPT_NAME_PATTERN,
    form: 'the name of a system prompt',
    description: 'The system prompt of calls that name none; it must be usable without values for its variables',
  })
  system_prompt_name?: string | null;

  @TextField({
    nullable: true,
    max: 36,
    pattern: LABEL_PATTERN,
    form: LABEL_FORM,
    description: 'The label of the system prompt that is used; null: production',
  })
  system_prompt_label?: string | null;

  @IntegerField({ nullable: true, min: 1, max: 3600, description: 'Seconds; null: 60' })
  request_timeout?: number | null;

  @IntegerField({ min: 0, max: 10, default: 3 })
  max_retries?: number;

  @IntegerField({ nullable: true, min: 1, max: 10_000_000 })
  rate_limit_per_minute?: number | null;

  @NumberField({ nullable: true, min: 0, max: 1_000_000, description: 'US dollars per million tokens' })
  input_price_per_million?: number | null;

  @NumberField({
    nullable: true,
    min: 0,
    max: 1_000_000,
    description: 'US dollars per million input tokens that the provider had in its cache; null: as other input tokens',
  })
  cached_input_price_per_million?: number | null;

  @NumberField({ nullable: true, min: 0, max: 1_000_000, description: 'US dollars per million tokens' })
  output_price_per_million?: number | null;
}

/** A whole new config: `alias`, `provider` and `model_name` must be there, the others have defaults. */
export class ModelConfigCreate extends ModelConfigFields {}

/** Body of `POST /configs`: as {@link ModelConfigCreate}, or with a preset in the place of its provider and address. */
export class NewModelConfig extends OmitType(ModelConfigFields, ['provider']) {
  @ApiProperty({
    enum: [...PROVIDERS],
    enumName: 'Provider',
    required: false,
    description: 'May be left out when a preset is named',
  })
  @ValidateIf(({ preset }: NewModelConfig, value) => value !== undefined || preset === undefined)
  @IsIn(PROVIDERS, { message: `$property must be one of ${PROVIDERS.join(', ')}` })
  provider?: Provider;

  @ChoiceField(PRESET_IDS, {
    writeOnly: true,
    description:
      'A known service: gives provider, api_base and is_local where the body leaves them out. It is not kept: what it gave is.',
  })
  preset?: string;
}

/** The config that a body asks for, with what its preset gives. */
export const withPreset = ({ preset: id, ...body }: NewModelConfig): ModelConfigCreate => {
  const preset = id === undefined ? undefined : presetOf(id);
  // The check of the body has seen to it that one of the two is there.
  const provider = (body.provider ?? preset?.provider) as Provider;
  if (!preset) return { ...body, provider };
  return {
    ...body,
    provider,
    api_base: body.api_base === undefined ? preset.api_base : body.api_base,
    is_local: body.is_local ?? preset.is_local,
  };
};

/** Body of `PUT /configs/{id}`: absent fields keep their value, `null` clears. */
export class ModelConfigUpdate extends PartialType(ModelConfigFields, { skipNullProperties: false }) {}

/** Body of a restore: the secrets, where the version to restore has another destination than the stored ones. */
export class ModelConfigRestore extends PickType(ModelConfigUpdate, ['api_key', 'auth_headers']) {}
