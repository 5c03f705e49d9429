import { AppError } from '../../platform/errors/app-error.js';
import type { ErrorCode } from '../../contract/error-codes.js';
import { ProviderError } from '../providers/provider-error.js';

const BASE_MILLISECONDS = 250;
const MAX_BACKOFF_MILLISECONDS = 8000;
/** A provider that limits without saying for how long: full jitter alone could fall to nothing. */
const RATE_LIMIT_FLOOR_MILLISECONDS = 250;

/** What the config or the hub is to blame for, before a provider was asked: another model may still answer. */
const FALL_BACK_CODES: ReadonlySet<ErrorCode> = new Set([
  'credential_missing',
  'credential_unavailable',
  'rate_limit_exceeded',
  'budget_exceeded',
  'default_prompt_not_usable',
]);

/**
 * How long to wait before the next attempt at the same model: what the provider asks for, else a random time that doubles
 * its bound with every attempt (full jitter).
 * @param attempt the one that failed, from 1
 */
export const backoffMilliseconds = (attempt: number, failure: ProviderError, random = Math.random): number => {
  const { retryAfterMilliseconds } = failure.details;
  if (retryAfterMilliseconds !== undefined) return retryAfterMilliseconds * (1 + random() / 10);
  const bound = Math.min(MAX_BACKOFF_MILLISECONDS, BASE_MILLISECONDS * 2 ** (attempt - 1));
  const floor = failure.errorClass === 'rate_limit' ? RATE_LIMIT_FLOOR_MILLISECONDS : 0;
  return floor + random() * bound;
};

/** Whether another model may be asked: not when the request itself is to blame, or nobody waits any more. */
export const mayFallBack = (failure: ProviderError | AppError): boolean =>
  failure instanceof ProviderError ? failure.mayFallBack : FALL_BACK_CODES.has(failure.code);
