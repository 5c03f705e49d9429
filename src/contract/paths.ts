/** Paths of the HTTP interfaces, so that a client and its server cannot drift apart. */
export const STORAGE_PREFIX = 'api/v1/ai-models';
export const CONFIGS_PATH = `${STORAGE_PREFIX}/configs`;
export const EXPORT_PATH = `${STORAGE_PREFIX}/export`;
export const IMPORT_PATH = `${STORAGE_PREFIX}/import`;
export const PROMPTS_PATH = `${STORAGE_PREFIX}/prompts`;
export const HISTORY_PATH = 'api/v1/history';
export const TOKENS_PATH = 'api/v1/tokens';
export const ENCRYPTION_KEYS_PATH = 'api/v1/encryption-keys';
export const INSTANCES_PATH = 'api/v1/instances';
export const ALERTS_PATH = 'api/v1/alerts';
export const ALERT_RULES_PATH = `${ALERTS_PATH}/rules`;
export const ALERT_SILENCES_PATH = `${ALERTS_PATH}/silences`;
export const ALERT_CHANNELS_PATH = `${ALERTS_PATH}/channels`;
export const ALERT_NOTIFICATIONS_PATH = `${ALERTS_PATH}/notifications`;
export const BUDGETS_PATH = 'api/v1/budgets';
export const INTERNAL_PATH = 'internal/v1';
export const CHAT_PATHS = ['v1/chat/completions', 'api/v1/chat/completions'] as const;
export const EMBEDDINGS_PATH = 'v1/embeddings';
export const MESSAGES_PATH = 'v1/messages';
export const COUNT_TOKENS_PATH = `${MESSAGES_PATH}/count_tokens`;
export const RESPONSES_PATH = 'v1/responses';
/** Everything that calls a model: its body is large, and read by whoever answers. */
export const CALL_PATHS = [...CHAT_PATHS, EMBEDDINGS_PATH, MESSAGES_PATH, RESPONSES_PATH] as const;
export const MANAGEMENT_PATH = 'api/v1/models/management';
export const MODELS_PATH = 'api/v1/models';
export const MODEL_PROVIDERS_PATH = 'api/v1/models/providers';
export const STATUS_PATH = 'api/v1/status';

/** First path segments under which errors have OpenAI's shape instead of RFC 9457's. */
const OPENAI_SHAPED = ['/v1/', '/api/v1/chat/', '/api/v1/models', '/api/v1/status'];

/** Tells whether errors of this path are `{"error": {...}}` (OpenAI) rather than `application/problem+json`. */
export const hasOpenAiShape = (path: string): boolean =>
  OPENAI_SHAPED.some((prefix) => path.startsWith(prefix)) || path === '/v1';

/** Tells whether errors of this path are `{"type": "error", "error": {...}, "request_id"}` (Anthropic), before all else. */
export const hasAnthropicShape = (path: string): boolean =>
  path === `/${MESSAGES_PATH}` || path.startsWith(`/${MESSAGES_PATH}/`);
