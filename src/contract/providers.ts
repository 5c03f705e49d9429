/** Every value of `ai_provider_enum`, oldest first. A new one is a migration and a line in the provider registry. */
export const PROVIDERS = [
  'openai',
  'gemini',
  'claude',
  'local',
  'azure_openai',
  'huggingface',
  'openai_compatible',
  'mistral',
  'groq',
  'xai',
  'deepseek',
  'cohere',
  'amazon_bedrock',
  'google_vertex',
] as const;

export type Provider = (typeof PROVIDERS)[number];

/** Providers without a default address: a config of theirs must name its own `api_base`. */
export const PROVIDERS_THAT_NEED_API_BASE: readonly Provider[] = ['azure_openai', 'openai_compatible'];

/** Every value of `model_status_enum`; the database computes it, see the column's expression in the migration. */
export const MODEL_STATUSES = ['configured', 'needs_api_key', 'disabled', 'error'] as const;

export type ModelStatus = (typeof MODEL_STATUSES)[number];
