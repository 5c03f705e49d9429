import { hasAnthropicShape, hasOpenAiShape } from '../../contract/paths.js';
import { scrub } from '../logging/scrub.js';
import type { AppError } from './app-error.js';
import { ERROR_CATALOGUE } from './error-catalogue.js';

export interface ErrorAnswer {
  contentType: string;
  body: Record<string, unknown>;
}

/**
 * RFC 9457: `type, title, status, detail, instance, code, request_id`, for validation `errors`, and what belongs to the
 * code alone.
 */
export const toProblem = (error: AppError, path: string, requestId: string): ErrorAnswer => ({
  contentType: 'application/problem+json; charset=utf-8',
  body: {
    ...error.extensions,
    type: `urn:ai-model-hub:problem:${error.code}`,
    title: ERROR_CATALOGUE[error.code].title,
    status: error.status,
    // A caller may have typed a key where an alias or a field's name belongs: it is not repeated.
    detail: scrub(error.detail),
    instance: scrub(path),
    code: error.code,
    request_id: requestId,
    ...(error.fields && {
      errors: error.fields.map(({ field, message }) => ({ field: scrub(field), message: scrub(message) })),
    }),
  },
});

const TYPE_OF_STATUS: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

const openAiType = (status: number): string =>
  TYPE_OF_STATUS[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');

const scrubOrNull = (text: string | null): string | null => text && scrub(text);

/** OpenAI's shape: `{"error": {message, type, param, code}}`. */
export const toOpenAiError = (error: AppError): { error: Record<string, unknown> } => ({
  error: {
    message: scrub(error.detail),
    type: error.type ?? openAiType(error.status),
    param: scrubOrNull(error.param ?? error.fields?.[0]?.field ?? null),
    code: error.code,
  },
});

const ANTHROPIC_TYPE_OF_STATUS: Record<number, string> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  // The provider's key is refused, not the caller's.
  424: 'api_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const anthropicType = (status: number): string =>
  ANTHROPIC_TYPE_OF_STATUS[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');

/**
 * Anthropic's shape: `{"type": "error", "error": {type, message}, "request_id"}`, with our code beside, and where
 * Anthropic's own clients look for one. An event of a stream has no `request_id`; its head has.
 */
export const toAnthropicError = (error: AppError, requestId?: string): { type: 'error' } & Record<string, unknown> => ({
  type: 'error',
  error: {
    type: anthropicType(error.status),
    message: scrub(error.detail),
    code: error.code,
    details: { error_code: error.code },
  },
  ...(requestId !== undefined && { request_id: requestId }),
});

const JSON_TYPE = 'application/json; charset=utf-8';

/** The shape that callers of this path expect. */
export const answerFor = (error: AppError, path: string, requestId: string): ErrorAnswer => {
  if (hasAnthropicShape(path)) return { contentType: JSON_TYPE, body: toAnthropicError(error, requestId) };
  if (hasOpenAiShape(path)) return { contentType: JSON_TYPE, body: toOpenAiError(error) };
  return toProblem(error, path, requestId);
};
