import type { ErrorCode } from '../../contract/error-codes.js';

interface CatalogueEntry {
  status: number;
  /** The problem's title: the same for every occurrence. */
  title: string;
}

/** One line per code: a forgotten one does not compile. */
export const ERROR_CATALOGUE: Record<ErrorCode, CatalogueEntry> = {
  validation_failed: { status: 400, title: 'Some fields are not valid' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  malformed_request: { status: 400, title: 'The request is malformed' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json, not compressed' },
  route_not_found: { status: 404, title: 'There is nothing at this path' },
  precondition_failed: { status: 412, title: 'It was changed in the meantime' },
  masked_api_key: { status: 422, title: 'A masked key cannot be stored' },
  credential_required: { status: 422, title: 'The stored secrets must be sent again' },
  api_base_required: { status: 422, title: 'This provider needs an api_base' },
  api_base_not_allowed: { status: 400, title: 'This address is not allowed' },
  token_missing: { status: 401, title: 'A token is needed' },
  token_invalid: { status: 401, title: 'The token is not valid' },
  token_check_unavailable: { status: 503, title: 'The token cannot be checked right now' },
  scope_missing: { status: 403, title: 'The token lacks a scope' },
  scope_not_grantable: { status: 403, title: 'A token cannot give more than it has' },
  config_not_found: { status: 404, title: 'There is no such model configuration' },
  token_not_found: { status: 404, title: 'There is no such token' },
  alias_taken: { status: 409, title: 'The alias is taken' },
  conflict: { status: 409, title: 'Another change got in the way' },
  model_not_found: { status: 404, title: 'There is no such model' },
  model_disabled: { status: 404, title: 'The model is switched off' },
  model_directory_unavailable: { status: 503, title: 'The model cannot be looked up right now' },
  credential_missing: { status: 503, title: 'The model has no key yet' },
  credential_unavailable: { status: 503, title: "The model's key cannot be decrypted" },
  provider_not_supported: { status: 501, title: 'Models of this provider cannot be called yet' },
  streaming_not_supported: { status: 400, title: 'The model does not stream' },
  destination_blocked: { status: 502, title: "The model's address is not allowed" },
  provider_auth_failed: { status: 424, title: 'The provider refused the stored key' },
  provider_model_not_found: { status: 404, title: 'The provider does not know the model' },
  insufficient_quota: { status: 429, title: "The provider's quota is used up" },
  rate_limit_exceeded: { status: 429, title: "The provider's rate limit is reached" },
  context_length_exceeded: { status: 400, title: 'The request is too long for the model' },
  content_filter: { status: 400, title: "The provider's content filter refused it" },
  provider_rejected_request: { status: 400, title: 'The provider refused the request' },
  provider_overloaded: { status: 503, title: 'The provider is overloaded' },
  provider_unreachable: { status: 502, title: 'The provider cannot be reached' },
  provider_timeout: { status: 504, title: 'The provider did not answer in time' },
  provider_bad_answer: { status: 502, title: 'The provider gave an answer that cannot be read' },
  provider_error: { status: 502, title: 'The provider failed' },
  client_gone: { status: 499, title: 'The caller left before the answer was complete' },
  storage_unavailable: { status: 503, title: 'The storage cannot be reached right now' },
  shutting_down: { status: 503, title: 'This process is shutting down' },
  internal_error: { status: 500, title: 'Something went wrong inside the hub' },
};
