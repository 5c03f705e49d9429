import { isPlainObject } from '../../contract/fields.js';
import { scrubKnown } from '../../platform/logging/scrub.js';
import type { OutboundResponseHeaders } from '../../platform/http/outbound/outbound-exchange.js';
import type { OutboundError, OutboundErrorKind } from '../../platform/http/outbound/outbound-error.js';
import { classOfStatus, type ErrorClass, ProviderError } from './provider-error.js';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE = 500;
/** What is cut off before a text is scrubbed would not be shown anyway. */
const MAX_READ = 4;

interface ErrorBody {
  message: string | null;
  code: string;
  type: string;
  param: string | null;
  /** What Azure says more precisely inside the error. */
  innerCode: string;
  /** Names of the content filters that refused, by Azure. */
  filters: string[];
  /** OpenRouter's moderation refused, with a status that would speak of the key. */
  isModerated: boolean;
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
  if (!isPlainObject(inner)) return { ...NOTHING_SAID, message: textOf(inner) || null, code: outerCodeOf(body) };
  const { message, code, type, param, detail, metadata } = inner;
  return {
    message: textOf(message) || textOf(detail) || null,
    code: textOf(code),
    type: textOf(type),
    param: typeof param === 'string' ? param : null,
    ...readInnerError(inner['innererror']),
    isModerated: isPlainObject(metadata) && ('flagged_input' in metadata || Array.isArray(metadata['reasons'])),
  };
};

const NOTHING_SAID: ErrorBody = {
  message: null,
  code: '',
  type: '',
  param: null,
  innerCode: '',
  filters: [],
  isModerated: false,
};

/** xAI sets `code` beside an error that is a text. */
const outerCodeOf = (body: unknown): string => (isPlainObject(body) ? textOf(body['code']) : '');

/** Azure's `innererror: {code, content_filter_result: {hate: {filtered, severity}, …}}`. */
const readInnerError = (inner: unknown): Pick<ErrorBody, 'innerCode' | 'filters'> => {
  if (!isPlainObject(inner)) return { innerCode: '', filters: [] };
  const results = isPlainObject(inner['content_filter_result']) ? inner['content_filter_result'] : {};
  const filters = Object.entries(results).filter(([, result]) => isPlainObject(result) && result['filtered'] === true);
  return { innerCode: textOf(inner['code']), filters: filters.map(([name]) => name) };
};

/** MiniMax's `base_resp` in OpenAI's shape; null: it says that all went well, or nothing. Its failures are short. */
export const baseRespOf = (body: unknown): object | null => {
  const { base_resp: said } = isPlainObject(body) ? body : {};
  if (!isPlainObject(said) || !said['status_code']) return null;
  return { error: { message: textOf(said['status_msg']), code: textOf(said['status_code']) } };
};

const CLASS_OF_CODE: Partial<Record<string, ErrorClass>> = {
  invalid_api_key: 'auth',
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  context_length_exceeded: 'context_too_long',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  ResponsibleAIPolicyViolation: 'content_filter',
  model_not_found: 'not_found',
  exceed_context_size_error: 'context_too_long',
};

type ClassOfCode = Readonly<Partial<Record<string, ErrorClass>>>;

/** By code or type where the provider gives one of its own, else by status; by text only where servers have no code. */
const classify = (status: number, error: ErrorBody, own: ClassOfCode): ErrorClass => {
  const { code, type, innerCode, message, isModerated } = error;
  for (const name of [code, type, innerCode]) {
    // Doubao has more precise codes behind a dot.
    const byCode = own[name] ?? own[name.split('.')[0] ?? ''] ?? CLASS_OF_CODE[name];
    if (byCode) return byCode;
  }
  if (isModerated) return 'content_filter';
  if (status === 400 && TOO_LONG.test(message ?? '')) return 'context_too_long';
  // xAI answers a wrong key with 400 and no code of its own.
  if (status === 400 && /^incorrect api key provided/i.test(message ?? '')) return 'auth';
  return classOfStatus(status);
};

const TOO_LONG = /maximum context length|max_model_len|exceeds? the available context size/i;

const headerOf = (headers: OutboundResponseHeaders, name: string): string => textOf([headers[name]].flat()[0]);

const NUMBER = /^\d{1,9}(\.\d+)?$/;

/** `retry-after-ms`, Azure's `x-ms-retry-after-ms`, then `retry-after` in seconds or as a date. */
export const retryAfterOf = (headers: OutboundResponseHeaders, now = Date.now()): number | undefined => {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const milliseconds = headerOf(headers, name);
    if (NUMBER.test(milliseconds)) return Number(milliseconds);
  }
  const text = headerOf(headers, 'retry-after');
  if (NUMBER.test(text)) return Number(text) * 1000;
  // Without the name of a month, Date.parse makes a date of nearly anything.
  const date = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

/**
 * The provider answered with an error. `secrets`: what must not be in its words when they are handed on; `own`: what this
 * provider's codes mean.
 */
export const toProviderError = (
  status: number,
  body: unknown,
  headers: OutboundResponseHeaders,
  secrets: readonly string[],
  own: ClassOfCode = {},
): ProviderError => {
  const error = readErrorBody(body);
  const message = [error.message, error.filters.length > 0 ? `(filtered: ${error.filters.join(', ')})` : null];
  const retryAfterMilliseconds = retryAfterOf(headers);
  const clean = (text: string): string =>
    scrubKnown(text.slice(0, MAX_READ * MAX_MESSAGE), secrets).slice(0, MAX_MESSAGE);
  return new ProviderError(classify(status, error, own), {
    status,
    ...(error.message && { message: clean(message.filter(Boolean).join(' ')) }),
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
