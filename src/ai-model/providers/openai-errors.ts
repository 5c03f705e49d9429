import { isPlainObject } from '../../contract/fields.js';
import { scrubKnown } from '../../platform/logging/scrub.js';
import type { OutboundResponseHeaders } from '../../platform/http/outbound/outbound-exchange.js';
import type { OutboundError, OutboundErrorKind } from '../../platform/http/outbound/outbound-error.js';
import { type ErrorClass, ProviderError } from './provider-error.js';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE = 500;
/** What is cut off before a text is scrubbed would not be shown anyway. */
const MAX_READ = 4;

interface ErrorBody {
  message: string | null;
  code: string;
  type: string;
  param: string | null;
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** The body of an error: JSON where it is, else its text; a page of a proxy says nothing to a caller. */
export const parseLoosely = (bytes: Buffer): unknown => {
  const text = bytes.subarray(0, MAX_ERROR_BYTES).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return /^\s*</.test(text) ? '' : text;
  }
};

/** A failure after a good status has none of its own; some servers put one into the error. */
export const statusIn = (error: unknown): number => {
  const status = isPlainObject(error) ? Number(error['status'] ?? error['code']) : Number.NaN;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
};

/** Reads OpenAI's `{error: {…}}`, `{error: "…"}`, a flat body as older vLLM servers send it, or plain text. */
const readErrorBody = (body: unknown): ErrorBody => {
  const inner = isPlainObject(body) ? (body['error'] ?? body) : body;
  if (!isPlainObject(inner)) return { message: textOf(inner) || null, code: '', type: '', param: null };
  const { message, code, type, param, detail } = inner;
  return {
    message: textOf(message) || textOf(detail) || null,
    code: textOf(code),
    type: textOf(type),
    param: typeof param === 'string' ? param : null,
  };
};

const CLASS_OF_CODE: Partial<Record<string, ErrorClass>> = {
  invalid_api_key: 'auth',
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  context_length_exceeded: 'context_too_long',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  model_not_found: 'not_found',
};

const CLASS_OF_STATUS: Partial<Record<number, ErrorClass>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  429: 'rate_limit',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/** By code or type where the provider gives one of its own, else by status; by text only where servers have no code. */
const classify = (status: number, { code, type, message }: ErrorBody): ErrorClass => {
  const byCode = CLASS_OF_CODE[code] ?? CLASS_OF_CODE[type];
  if (byCode) return byCode;
  if (
    status === 400 &&
    /maximum context length|max_model_len|exceeds? the available context size/i.test(message ?? '')
  ) {
    return 'context_too_long';
  }
  return CLASS_OF_STATUS[status] ?? (status >= 500 ? 'server' : 'bad_request');
};

const headerOf = (headers: OutboundResponseHeaders, name: string): string => textOf([headers[name]].flat()[0]);

/** `retry-after-ms`, then `retry-after` in seconds or as a date. */
export const retryAfterOf = (headers: OutboundResponseHeaders, now = Date.now()): number | undefined => {
  const milliseconds = headerOf(headers, 'retry-after-ms');
  if (/^\d{1,9}(\.\d+)?$/.test(milliseconds)) return Number(milliseconds);
  const text = headerOf(headers, 'retry-after');
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

/** The provider answered with an error. `secrets`: what must not be in its words when they are handed on. */
export const toProviderError = (
  status: number,
  body: unknown,
  headers: OutboundResponseHeaders,
  secrets: readonly string[],
): ProviderError => {
  const error = readErrorBody(body);
  const retryAfterMilliseconds = retryAfterOf(headers);
  const clean = (text: string): string =>
    scrubKnown(text.slice(0, MAX_READ * MAX_MESSAGE), secrets).slice(0, MAX_MESSAGE);
  return new ProviderError(classify(status, error), {
    status,
    ...(error.message && { message: clean(error.message) }),
    param: error.param && clean(error.param),
    ...(error.type && { type: clean(error.type) }),
    ...(retryAfterMilliseconds !== undefined && { retryAfterMilliseconds }),
  });
};

const CLASS_OF_KIND: Record<OutboundErrorKind, ErrorClass> = {
  refused: 'blocked_destination',
  connect: 'network',
  timeout: 'timeout',
  reset: 'network',
  redirect: 'bad_answer',
  too_large: 'bad_answer',
  encoded: 'bad_answer',
  aborted: 'client_gone',
  protocol: 'bad_answer',
};

/** The provider was not reached, or did not answer properly. */
export const fromOutboundError = (error: OutboundError): ProviderError =>
  new ProviderError(CLASS_OF_KIND[error.kind], { message: error.message });
