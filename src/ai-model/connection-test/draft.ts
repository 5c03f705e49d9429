import { randomUUID } from 'node:crypto';
import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { isSameDestination, secretsRequired } from '../../platform/secrets/destination.js';

type Defaults = Omit<SnapshotModel, 'id' | 'alias' | 'provider' | 'model_name'>;

/** What `POST /configs` gives a config that says no more than its required fields. */
const DEFAULTS: Defaults = {
  display_name: null,
  description: null,
  has_api_key: false,
  api_key_hint: null,
  api_base: null,
  api_version: null,
  auth_header_names: [],
  max_tokens: 4096,
  context_window: null,
  default_temperature: null,
  default_top_p: null,
  is_local: false,
  is_streaming_supported: true,
  supports_files: false,
  supports_images: false,
  supports_videos: false,
  supports_audio: false,
  supported_file_types: null,
  max_file_size_mb: null,
  custom_parameters: null,
  is_enabled: true,
  status: 'configured',
  priority: 0,
  fallback_aliases: [],
  tags: {},
  system_prompt_name: null,
  system_prompt_label: null,
  request_timeout: null,
  max_retries: 0,
  rate_limit_per_minute: null,
  input_price_per_million: null,
  cached_input_price_per_million: null,
  output_price_per_million: null,
  version: 1,
  created_at: '1970-01-01T00:00:00Z',
  updated_at: '1970-01-01T00:00:00Z',
  api_key: null,
  auth_headers: null,
  credential_readable: true,
};

type Identity = Pick<SnapshotModel, 'alias' | 'provider' | 'model_name'>;

/** Only what was sent, so that the rest stays as it is. */
const sentOf = (change: ModelConfigUpdate): Partial<SnapshotModel> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<SnapshotModel>;

/** A config that nobody saved. */
export const newModel = (fields: ModelConfigUpdate & Identity): SnapshotModel => ({
  ...DEFAULTS,
  ...sentOf(fields),
  id: randomUUID(),
  alias: fields.alias,
  provider: fields.provider,
  model_name: fields.model_name,
});

/**
 * A stored config as it would be after a change that nobody saved. Throws `credential_required` when a stored secret would
 * have to go to another place than it was entered for.
 */
export const changedModel = (stored: SnapshotModel, change: ModelConfigUpdate): SnapshotModel => {
  const model = { ...stored, ...sentOf(change), id: randomUUID() };
  const kept = keptSecrets(stored, change);
  const before = { provider: stored.provider, apiBase: stored.api_base };
  const after = { provider: model.provider, apiBase: model.api_base };
  if (kept.length > 0 && !isSameDestination(before, after)) throw secretsRequired(kept);
  return { ...model, credential_readable: stored.credential_readable || kept.length === 0 };
};

/** Secrets that are stored and not sent again. One that cannot be decrypted is one, too. */
const keptSecrets = (stored: SnapshotModel, change: ModelConfigUpdate): string[] => [
  ...(stored.has_api_key && change.api_key === undefined ? ['api_key'] : []),
  ...(stored.auth_header_names.length > 0 && change.auth_headers === undefined ? ['auth_headers'] : []),
];
