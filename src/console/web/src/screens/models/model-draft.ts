import type { Schemas } from '../../api/client';
import type { Model, ModelFields } from './use-models';

/** What the form holds. A secret is in it only from when it is typed until it is saved. */
export interface ModelDraft {
  provider: Schemas['Provider'];
  alias: string;
  model_name: string;
  api_base: string;
  display_name: string;
  description: string;
  is_enabled: boolean;
  is_streaming_supported: boolean;
  supports_files: boolean;
  supports_images: boolean;
  supports_videos: boolean;
  supports_audio: boolean;
  max_tokens: number | '';
  context_window: number | '';
  request_timeout: number | '';
  max_retries: number | '';
  rate_limit_per_minute: number | '';
  priority: number | '';
  fallback_aliases: string[];
  input_price_per_million: number | '';
  output_price_per_million: number | '';
}

export const NEW_DRAFT: ModelDraft = {
  provider: 'openai',
  alias: '',
  model_name: '',
  api_base: '',
  display_name: '',
  description: '',
  is_enabled: true,
  is_streaming_supported: true,
  supports_files: false,
  supports_images: false,
  supports_videos: false,
  supports_audio: false,
  max_tokens: 4096,
  context_window: '',
  request_timeout: '',
  max_retries: 3,
  rate_limit_per_minute: '',
  priority: 0,
  fallback_aliases: [],
  input_price_per_million: '',
  output_price_per_million: '',
};

const FIELDS = Object.keys(NEW_DRAFT) as (keyof ModelDraft)[];

export const draftOf = (model: Model): ModelDraft =>
  Object.fromEntries(FIELDS.map((field) => [field, model[field] ?? ''])) as unknown as ModelDraft;

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The fields in which two drafts differ. */
export const changedFields = (before: ModelDraft, after: ModelDraft): (keyof ModelDraft)[] =>
  FIELDS.filter((field) => !isSame(before[field], after[field]));

/** As the API takes them: what is empty is not set. */
export const toFields = (draft: ModelDraft, fields: readonly (keyof ModelDraft)[] = FIELDS): ModelFields =>
  Object.fromEntries(fields.map((field) => [field, draft[field] === '' ? null : draft[field]])) as ModelFields;

const originOf = (address: string): string => {
  try {
    return new URL(address).origin;
  } catch {
    return address;
  }
};

/** Whether the stored key would have to go elsewhere: then it has to be entered again. */
export const hasMoved = (before: ModelDraft, after: ModelDraft): boolean =>
  before.provider !== after.provider || originOf(before.api_base) !== originOf(after.api_base);
