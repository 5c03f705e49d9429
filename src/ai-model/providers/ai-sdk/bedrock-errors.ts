import { isPlainObject } from '../../../contract/fields.js';
import { retryAfterOf } from '../openai-errors.js';
import { classOfStatus, type ErrorClass, ProviderError } from '../provider-error.js';
import { cleanText, textIn } from './error-text.js';
import type { ErrorAnswer } from './sdk-wire.js';

/** AWS's exceptions: what they mean, and the status they come with. */
const EXCEPTIONS: Readonly<Record<string, readonly [ErrorClass, number]>> = {
  AccessDeniedException: ['auth', 403],
  InternalServerException: ['server', 500],
  ModelErrorException: ['server', 424],
  ModelNotReadyException: ['overloaded', 429],
  ModelStreamErrorException: ['server', 424],
  ModelTimeoutException: ['timeout', 408],
  ResourceNotFoundException: ['not_found', 404],
  ServiceQuotaExceededException: ['quota', 400],
  ServiceUnavailableException: ['overloaded', 503],
  ThrottlingException: ['rate_limit', 429],
  ValidationException: ['bad_request', 400],
};

const TOO_LONG = /input is too long|too many input tokens|prompt is too long|maximum context length/i;
const UNKNOWN_MODEL = /model identifier is invalid/i;

/** `com.amazon.coral.service#ThrottlingException:http://…`, or as a stream names it, with a small letter. */
const nameOf = (text: string): string => {
  const name = (text.split(':')[0] ?? '').replace(/^.*#/, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
};

/** By exception, then by status; by text only where AWS has no exception of its own for it. */
const classify = (exception: string, status: number, message: string): ErrorClass => {
  const [known] = EXCEPTIONS[exception] ?? [classOfStatus(status)];
  if (known !== 'bad_request') return known;
  if (TOO_LONG.test(message)) return 'context_too_long';
  return UNKNOWN_MODEL.test(message) ? 'not_found' : known;
};

/** Reads `{message}` with the exception in a header, beside it, or in the frame of a stream. */
export const readBedrockError = ({ status, body, headers, secrets }: ErrorAnswer): ProviderError => {
  const outer = isPlainObject(body) ? body : { message: body };
  const error = isPlainObject(outer['error']) ? outer['error'] : outer;
  const type = textIn(headers['x-amzn-errortype']) || textIn(error['__type']) || textIn(error['type']);
  const exception = nameOf(type);
  const known = status ?? EXCEPTIONS[exception]?.[1] ?? 500;
  const message = cleanText(error['message'] ?? error['Message'], secrets);
  const retryAfterMilliseconds = retryAfterOf(headers);
  return new ProviderError(classify(exception, known, message), {
    status: known,
    ...(message && { message }),
    ...(exception && { type: cleanText(exception, secrets) }),
    ...(retryAfterMilliseconds !== undefined && { retryAfterMilliseconds }),
  });
};
