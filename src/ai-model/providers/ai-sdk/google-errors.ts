import { isPlainObject } from '../../../contract/fields.js';
import { retryAfterOf } from '../openai-errors.js';
import { classOfStatus, type ErrorClass, ProviderError } from '../provider-error.js';
import { cleanText, textIn } from './error-text.js';
import type { ErrorAnswer } from './sdk-wire.js';

type Fields = Readonly<Record<string, unknown>>;

/** Google's words for a status, and the number they come with. */
const STATUSES: Readonly<Record<string, readonly [ErrorClass, number]>> = {
  INVALID_ARGUMENT: ['bad_request', 400],
  FAILED_PRECONDITION: ['bad_request', 400],
  OUT_OF_RANGE: ['bad_request', 400],
  UNAUTHENTICATED: ['auth', 401],
  PERMISSION_DENIED: ['auth', 403],
  NOT_FOUND: ['not_found', 404],
  RESOURCE_EXHAUSTED: ['rate_limit', 429],
  INTERNAL: ['server', 500],
  UNKNOWN: ['server', 500],
  UNAVAILABLE: ['overloaded', 503],
  DEADLINE_EXCEEDED: ['timeout', 504],
};

const fieldsOf = (value: unknown): Fields => (isPlainObject(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** The details of one kind, such as `RetryInfo`. */
const detailsOf = (error: Fields, kind: string): Fields[] =>
  listOf(error['details'])
    .map(fieldsOf)
    .filter((detail) => textIn(detail['@type']).endsWith(kind));

/** `"45.837906927s"` in milliseconds. */
const delayIn = (error: Fields): number | undefined => {
  const [, seconds] = /^(\d{1,9}(?:\.\d+)?)s$/.exec(textIn(detailsOf(error, 'RetryInfo')[0]?.['retryDelay'])) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
};

/** Used up for the day, or nothing to begin with: waiting a minute changes nothing. */
const isUsedUp = (error: Fields): boolean =>
  detailsOf(error, 'QuotaFailure')
    .flatMap((detail) => listOf(detail['violations']))
    .map(fieldsOf)
    .some(({ quotaId, quotaValue }) => /per_?day/i.test(textIn(quotaId)) || quotaValue === '0' || quotaValue === 0);

/** Google says 400 of a key that is none. */
const isKeyRefused = (error: Fields): boolean =>
  detailsOf(error, 'ErrorInfo').some(({ reason }) => reason === 'API_KEY_INVALID') ||
  /^api key (?:not valid|expired)/i.test(textIn(error['message']));

const TOO_LONG = /input token count.*exceeds the maximum number of tokens/i;

const classify = (error: Fields, status: number): ErrorClass => {
  if (status === 400 && isKeyRefused(error)) return 'auth';
  if (status === 429 && isUsedUp(error)) return 'quota';
  if (status === 400 && TOO_LONG.test(textIn(error['message']))) return 'context_too_long';
  const [known] = STATUSES[textIn(error['status'])] ?? [];
  return known ?? classOfStatus(status);
};

const statusIn = (error: Fields): number => {
  const code = Number(error['code']);
  const isStatus = Number.isInteger(code) && code >= 400 && code < 600;
  return isStatus ? code : (STATUSES[textIn(error['status'])]?.[1] ?? 500);
};

/** Reads `{error: {code, message, status, details}}`, alone or as the only entry of a list. */
export const readGoogleError = ({ status, body, headers, secrets }: ErrorAnswer): ProviderError => {
  const outer: unknown = Array.isArray(body) ? (body as unknown[])[0] : body;
  const inner: unknown = isPlainObject(outer) ? outer['error'] : undefined;
  const error = isPlainObject(inner) ? inner : { message: inner ?? outer };
  const known = status ?? statusIn(error);
  const message = cleanText(error['message'], secrets);
  const retryAfterMilliseconds = retryAfterOf(headers) ?? delayIn(error);
  return new ProviderError(classify(error, known), {
    status: known,
    ...(message && { message }),
    ...(typeof error['status'] === 'string' && { type: cleanText(error['status'], secrets) }),
    ...(retryAfterMilliseconds !== undefined && { retryAfterMilliseconds }),
  });
};
