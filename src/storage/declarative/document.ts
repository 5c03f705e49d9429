import type { AlertRuleCreate } from '../../contract/alert-rule.contract.js';
import type { DocumentFormat, ReportEntry } from '../../contract/declarative.contract.js';
import { isPlainObject } from '../../contract/fields.js';
import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { Sealing } from './sealing.js';

export const DOCUMENT_KIND = 'ai-model-hub';
export const DOCUMENT_VERSION = 1;

/** The place of a secret's value in the environment of whoever imports. */
export interface VariableReference {
  from_env: string;
}

/** A secret, sealed to the passphrase of the document it stands in. */
export interface SealedValue {
  sealed: string;
}

/** What stands in a document instead of a secret. */
export type SecretStandIn = VariableReference | SealedValue | null;

/** A model in an export: every field somebody sets, in this order, whatever its value. */
export type ModelEntry = Record<keyof ModelConfigUpdate, unknown>;

/**
 * The order of a model's fields in a document. A new field does not compile until it has its place here, and goes to
 * the end: what is exported twice must be the same text.
 */
const MODEL_FIELD_PLACES: Record<keyof ModelConfigUpdate, true> = {
  alias: true,
  provider: true,
  model_name: true,
  api_base: true,
  api_version: true,
  api_key: true,
  auth_headers: true,
  display_name: true,
  description: true,
  tags: true,
  is_enabled: true,
  is_local: true,
  priority: true,
  fallback_aliases: true,
  system_prompt_name: true,
  system_prompt_label: true,
  max_tokens: true,
  context_window: true,
  default_temperature: true,
  default_top_p: true,
  custom_parameters: true,
  is_streaming_supported: true,
  supports_files: true,
  supports_images: true,
  supports_videos: true,
  supports_audio: true,
  supported_file_types: true,
  max_file_size_mb: true,
  request_timeout: true,
  max_retries: true,
  rate_limit_per_minute: true,
  input_price_per_million: true,
  cached_input_price_per_million: true,
  output_price_per_million: true,
};
export const MODEL_FIELDS = Object.keys(MODEL_FIELD_PLACES) as (keyof ModelConfigUpdate)[];

/** The same of an alert rule. */
const RULE_FIELD_PLACES: Record<keyof AlertRuleCreate, true> = {
  name: true,
  kind: true,
  description: true,
  is_enabled: true,
  severity: true,
  scope: true,
  scope_value: true,
  threshold: true,
  window_minutes: true,
  min_calls: true,
  for_minutes: true,
  keep_firing_minutes: true,
  reminder_minutes: true,
  language: true,
  channels: true,
};
export const RULE_FIELDS = Object.keys(RULE_FIELD_PLACES) as (keyof AlertRuleCreate)[];

/** The hub's own document. A section that is left out is not spoken of; an empty one says that there is nothing. */
export interface HubDocument {
  version: typeof DOCUMENT_VERSION;
  kind: typeof DOCUMENT_KIND;
  sealing?: Sealing;
  models?: readonly object[];
  prompts?: readonly object[];
  alert_rules?: readonly object[];
}

/** One model, prompt or alert rule of a document that was read, not yet checked. */
export interface Entry {
  /** Where it stands, such as `models[3]`, for messages. */
  path: string;
  fields: Record<string, unknown>;
}

/** The alias or name of an entry; empty when it has none, which its contract will tell. */
export const nameOf = ({ fields }: Entry, field: 'alias' | 'name'): string => {
  const name = fields[field];
  return typeof name === 'string' ? name : '';
};

/** A document of any format as the import takes it. */
export interface ReadDocument {
  format: DocumentFormat;
  sealing: Sealing | null;
  /** null: the document does not speak of them. */
  models: Entry[] | null;
  prompts: Entry[] | null;
  alert_rules: Entry[] | null;
  /** Values of variables that the document brings along itself. */
  variables: ReadonlyMap<string, string>;
  report: ReportEntry[];
}

export const isVariableReference = (value: unknown): value is VariableReference =>
  isPlainObject(value) && Object.keys(value).length === 1 && typeof value['from_env'] === 'string';

export const isSealedValue = (value: unknown): value is SealedValue =>
  isPlainObject(value) && Object.keys(value).length === 1 && typeof value['sealed'] === 'string';

/** By code units: the same in every locale and on every machine. */
export const inOrder = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The same value with the keys of its objects in order; PostgreSQL has an order of its own. */
export const withSortedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (!isPlainObject(value)) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => inOrder(one, other))
      .map(([key, entry]) => [key, withSortedKeys(entry)]),
  );
};
