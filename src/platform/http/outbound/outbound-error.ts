import type { OutboundRefusal } from './outbound-policy.js';

/** What went wrong with an outbound call. */
export type OutboundErrorKind =
  | 'refused' // our policy; nothing was sent
  | 'connect' // name, TCP or TLS, the connect timeout included
  | 'timeout' // no answer in time, or the caller's deadline
  | 'reset' // the connection broke after the request was sent
  | 'redirect'
  | 'too_large'
  | 'encoded' // compressed although we asked for identity
  | 'aborted' // by the caller, or by closing the client
  | 'protocol'; // the request cannot be sent as HTTP, or the answer is not HTTP

interface OutboundErrorDetails {
  readonly beforeBytesWereSent?: boolean;
  readonly refusal?: OutboundRefusal;
  readonly networkCode?: string;
  readonly location?: string;
  readonly status?: number;
}

/**
 * The one error of outbound calls. It has no `cause` and its messages are ours: the text of undici and Node can contain
 * header values and addresses.
 */
export class OutboundError extends Error {
  /** True when the other side cannot have seen any of the request. A `connect` error is then safe to retry. */
  readonly beforeBytesWereSent: boolean;
  /** Present for kind `refused`. */
  readonly refusal: OutboundRefusal | undefined;
  /** The system's code, for instance ECONNREFUSED. Not named `code`, because undici acts upon some codes. */
  readonly networkCode: string | undefined;
  /** Present for kind `redirect`: where the answer points, as it was sent. */
  readonly location: string | undefined;
  /** Present where an answer with this status is not taken as it came: kinds `redirect` and `encoded`. */
  readonly status: number | undefined;

  constructor(
    readonly kind: OutboundErrorKind,
    message: string,
    details: OutboundErrorDetails = {},
  ) {
    super(message);
    this.name = 'OutboundError';
    this.beforeBytesWereSent = details.beforeBytesWereSent ?? false;
    this.refusal = details.refusal;
    this.networkCode = details.networkCode;
    this.location = details.location;
    this.status = details.status;
  }
}

const INVALID_REQUEST = {
  kind: 'protocol',
  message: 'The path or a header of the request holds a character that HTTP does not allow.',
} as const;
const CLOSED_CLIENT = { kind: 'aborted', message: 'The outbound client is closed.' } as const;

const UNDICI_FAILURES: Partial<Record<string, { readonly kind: OutboundErrorKind; readonly message: string }>> = {
  UND_ERR_INVALID_ARG: INVALID_REQUEST,
  UND_ERR_NOT_SUPPORTED: INVALID_REQUEST,
  UND_ERR_HEADERS_OVERFLOW: { kind: 'too_large', message: 'The header of the answer is too large.' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { kind: 'protocol', message: 'The answer is not as long as it announced.' },
  UND_ERR_DESTROYED: CLOSED_CLIENT,
  UND_ERR_CLOSED: CLOSED_CLIENT,
};

/** The error for a refusal of the policy. */
export function refusedError(refusal: OutboundRefusal): OutboundError {
  return new OutboundError('refused', refusal.message, { refusal, beforeBytesWereSent: true });
}

/** The error for whatever happened while a connection was opened. */
export function connectError(failure: unknown): OutboundError {
  if (failure instanceof OutboundError) {
    return failure;
  }
  const networkCode = codeOf(failure);
  const message = `The connection could not be opened${networkCode ? ` (${networkCode})` : ''}.`;
  return new OutboundError('connect', message, { networkCode, beforeBytesWereSent: true });
}

/** The error for an abort; a reason of `AbortSignal.timeout()` is a `timeout`, an OutboundError is kept as it is. */
export function abortError(reason: unknown, beforeBytesWereSent: boolean): OutboundError {
  if (reason instanceof OutboundError) {
    return reason;
  }
  if (textOf(reason, 'name') === 'TimeoutError') {
    return new OutboundError('timeout', 'The deadline of the call passed.', { beforeBytesWereSent });
  }
  return new OutboundError('aborted', 'The call was aborted.', { beforeBytesWereSent });
}

/** Translates an error that undici reported for a request. */
export function exchangeError(failure: unknown, beforeBytesWereSent: boolean): OutboundError {
  if (failure instanceof OutboundError) {
    return failure;
  }
  const networkCode = codeOf(failure);
  const details = { networkCode, beforeBytesWereSent };
  const known = networkCode === undefined ? undefined : UNDICI_FAILURES[networkCode];
  if (known) {
    return new OutboundError(known.kind, known.message, details);
  }
  return textOf(failure, 'name') === 'HTTPParserError' // undici leaves its code empty
    ? new OutboundError('protocol', 'The answer is not valid HTTP.', details)
    : new OutboundError('reset', 'The connection broke before the answer was complete.', details);
}

/** Only what looks like a code: some errors put text there. */
function codeOf(failure: unknown): string | undefined {
  const code = textOf(failure, 'code');
  return code !== undefined && /^[A-Z][A-Z0-9_]*$/u.test(code) ? code : undefined;
}

/** Reads a property without `instanceof Error`, which is false for errors of another realm, as in a worker or a test. */
function textOf(failure: unknown, property: 'code' | 'name'): string | undefined {
  const value = (failure as Partial<Record<typeof property, unknown>> | null | undefined)?.[property];
  return typeof value === 'string' ? value : undefined;
}
