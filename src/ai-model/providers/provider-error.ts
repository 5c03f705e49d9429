import type { ErrorCode } from '../../contract/error-codes.js';
import type { CallOutcome } from '../../contract/usage.contract.js';
import { AppError } from '../../platform/errors/app-error.js';

export type ErrorClass = Exclude<CallOutcome, 'ok'>;

const CLASS_OF_STATUS: Readonly<Partial<Record<number, ErrorClass>>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  429: 'rate_limit',
  // Groq's, for its cheaper tier.
  498: 'overloaded',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/** What a status means when nothing else is known. */
export const classOfStatus = (status: number): ErrorClass =>
  CLASS_OF_STATUS[status] ?? (status >= 500 ? 'server' : 'bad_request');

interface ClassRule {
  code: ErrorCode;
  /** Whether another attempt can help, by the meaning of the class. */
  retryable: boolean;
  /** Whether another model may be asked instead: not when the request is to blame. */
  fallback: boolean;
}

/** What each class of failure is to the caller. */
const RULES: Record<ErrorClass, ClassRule> = {
  auth: { code: 'provider_auth_failed', retryable: false, fallback: true },
  quota: { code: 'insufficient_quota', retryable: false, fallback: true },
  rate_limit: { code: 'rate_limit_exceeded', retryable: true, fallback: true },
  overloaded: { code: 'provider_overloaded', retryable: true, fallback: true },
  context_too_long: { code: 'context_length_exceeded', retryable: false, fallback: true },
  content_filter: { code: 'content_filter', retryable: false, fallback: false },
  not_found: { code: 'provider_model_not_found', retryable: false, fallback: true },
  timeout: { code: 'provider_timeout', retryable: true, fallback: true },
  network: { code: 'provider_unreachable', retryable: true, fallback: true },
  server: { code: 'provider_error', retryable: true, fallback: true },
  bad_request: { code: 'provider_rejected_request', retryable: false, fallback: false },
  bad_answer: { code: 'provider_bad_answer', retryable: false, fallback: true },
  blocked_destination: { code: 'destination_blocked', retryable: false, fallback: true },
  credential_unavailable: { code: 'credential_unavailable', retryable: false, fallback: true },
  client_gone: { code: 'client_gone', retryable: false, fallback: false },
};

/** Longer waits than this are ignored by OpenAI's SDKs, and obeyed without limit by Anthropic's. */
const MAX_RETRY_AFTER_SECONDS = 60;

export interface ProviderErrorDetails {
  /** The provider's status; null when it gave none. */
  status?: number;
  /** The provider's own words, already scrubbed of the credential. */
  message?: string;
  /** OpenAI's `param` and `type` of the provider's error body. */
  param?: string | null;
  type?: string;
  retryAfterMilliseconds?: number;
}

/** A call of a provider failed. */
export class ProviderError extends Error {
  readonly retryable: boolean;
  readonly mayFallBack: boolean;

  constructor(
    readonly errorClass: ErrorClass,
    readonly details: ProviderErrorDetails = {},
  ) {
    super(`${errorClass}${details.status ? ` (${details.status})` : ''}: ${details.message ?? 'no message'}`);
    this.retryable = RULES[errorClass].retryable;
    this.mayFallBack = RULES[errorClass].fallback;
  }

  /**
   * For the caller: a status that speaks of the hub's doing, never of the caller's own token.
   * @param isFinal the hub has tried again already: a client need not
   */
  toAppError(alias: string, { isFinal = false } = {}): AppError {
    const { code } = RULES[this.errorClass];
    const { message, status, param, type } = this.details;
    const isCallersFault = this.errorClass === 'bad_request' && status !== undefined && status >= 400 && status < 500;
    return new AppError(code, {
      detail: message ? `${alias}: ${message}` : undefined,
      ...(isCallersFault && { status, ...(type !== undefined && { type }) }),
      param: param ?? null,
      headers: this.retryHeaders(isFinal),
      cause: this,
    });
  }

  private retryHeaders(isFinal: boolean): Record<string, string> {
    const { retryAfterMilliseconds } = this.details;
    const seconds = Math.ceil((retryAfterMilliseconds ?? 0) / 1000);
    return {
      ...((isFinal || !this.retryable || seconds > MAX_RETRY_AFTER_SECONDS) && { 'x-should-retry': 'false' }),
      ...(this.retryable && seconds > 0 && seconds <= MAX_RETRY_AFTER_SECONDS && { 'retry-after': String(seconds) }),
    };
  }
}
