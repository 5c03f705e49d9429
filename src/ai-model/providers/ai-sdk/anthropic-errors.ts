import { isPlainObject } from '../../../contract/fields.js';
import { retryAfterOf } from '../openai-errors.js';
import { classOfStatus, type ErrorClass, ProviderError } from '../provider-error.js';
import { cleanText, textIn } from './error-text.js';
import type { ErrorAnswer } from './sdk-wire.js';

/** Anthropic's types of errors: what they mean, and the status they come with. */
const TYPES: Readonly<Record<string, readonly [ErrorClass, number]>> = {
  invalid_request_error: ['bad_request', 400],
  authentication_error: ['auth', 401],
  billing_error: ['quota', 402],
  permission_error: ['auth', 403],
  not_found_error: ['not_found', 404],
  request_too_large: ['bad_request', 413],
  rate_limit_error: ['rate_limit', 429],
  api_error: ['server', 500],
  timeout_error: ['timeout', 504],
  overloaded_error: ['overloaded', 529],
};

/** By type, then by status; by text only where Anthropic has no type of its own for it. */
const classify = (type: string, status: number, message: string): ErrorClass => {
  const [known] = TYPES[type] ?? [classOfStatus(status)];
  if (known !== 'bad_request' || status >= 500) return known;
  if (/credit balance is too low/i.test(message)) return 'quota';
  return /prompt is too long|exceed context limit/i.test(message) ? 'context_too_long' : known;
};

/** Reads `{type: "error", error: {type, message}, request_id}`. */
export const readAnthropicError = ({ status, body, headers, secrets }: ErrorAnswer): ProviderError => {
  const error = isPlainObject(body) ? body['error'] : body;
  const { type: typeText, message: text } = isPlainObject(error) ? error : { type: '', message: error };
  const type = textIn(typeText);
  const message = cleanText(text, secrets);
  const known = status ?? TYPES[type]?.[1] ?? 500;
  const retryAfterMilliseconds = retryAfterOf(headers);
  return new ProviderError(classify(type, known, message), {
    status: known,
    ...(message && { message }),
    ...(type && { type: cleanText(type, secrets) }),
    ...(retryAfterMilliseconds !== undefined && { retryAfterMilliseconds }),
  });
};
