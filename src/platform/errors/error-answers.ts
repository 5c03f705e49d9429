import { hasOpenAiShape } from '../../contract/paths.js';
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

/** The shape that callers of this path expect. */
export const answerFor = (error: AppError, path: string, requestId: string): ErrorAnswer =>
  hasOpenAiShape(path)
    ? { contentType: 'application/json; charset=utf-8', body: toOpenAiError(error) }
    : toProblem(error, path, requestId);
