/** Every code an answer of ours can carry. Stable: other programs test them, never the sentences beside them. */
export const ERROR_CODES = [
  // the request
  'validation_failed',
  'malformed_json',
  'malformed_request',
  'body_too_large',
  'unsupported_media_type',
  'route_not_found',
  'precondition_failed',
  'masked_api_key',
  'credential_required',
  'api_base_required',
  'api_base_not_allowed',
  // who asks
  'token_missing',
  'token_invalid',
  'token_check_unavailable',
  'scope_missing',
  'scope_not_grantable',
  // what is there
  'config_not_found',
  'token_not_found',
  'alias_taken',
  'conflict',
  // calling a model
  'model_not_found',
  'model_disabled',
  'model_directory_unavailable',
  'credential_missing',
  'credential_unavailable',
  'provider_not_supported',
  'streaming_not_supported',
  'destination_blocked',
  'provider_auth_failed',
  'provider_model_not_found',
  'insufficient_quota',
  'rate_limit_exceeded',
  'context_length_exceeded',
  'content_filter',
  'provider_rejected_request',
  'provider_overloaded',
  'provider_unreachable',
  'provider_timeout',
  'provider_bad_answer',
  'provider_error',
  'client_gone',
  // the hub itself
  'storage_unavailable',
  'shutting_down',
  'internal_error',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
