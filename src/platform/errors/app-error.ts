import type { ErrorCode } from '../../contract/error-codes.js';
import { ERROR_CATALOGUE } from './error-catalogue.js';

export interface FieldProblem {
  field: string;
  message: string;
}

export interface AppErrorOptions {
  /** Says what happened and what would be right; shown to the caller, so never a secret in it. */
  detail?: string;
  fields?: FieldProblem[] | undefined;
  headers?: Record<string, string>;
  /** Further members of the problem, for programs; shown to the caller as they are. */
  extensions?: Record<string, unknown>;
  /** Another status than the catalogue's, where the provider's own is passed on. */
  status?: number;
  /** OpenAI's `param`: the field of a call that is meant. */
  param?: string | null;
  /** OpenAI's `type`, where the provider's own is passed on. */
  type?: string | undefined;
  cause?: unknown;
}

/** The one class of expected failures. Its `code` decides the status; the filter decides the shape. */
export class AppError extends Error {
  readonly status: number;
  readonly detail: string;
  readonly fields: FieldProblem[] | undefined;
  readonly headers: Record<string, string>;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly param: string | null;
  readonly type: string | undefined;

  constructor(
    readonly code: ErrorCode,
    options: AppErrorOptions = {},
  ) {
    const { status, title } = ERROR_CATALOGUE[code];
    const detail = options.detail ?? title;
    super(`${code}: ${detail}`, { cause: options.cause });
    this.status = options.status ?? status;
    this.detail = detail;
    this.fields = options.fields;
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
    this.param = options.param ?? null;
    this.type = options.type;
  }

  /** The same failure, told otherwise. */
  withDetail(detail: string): AppError {
    const { code, status, fields, headers, extensions, param, type, cause } = this;
    return new AppError(code, { detail, status, fields, headers, extensions, param, type, cause });
  }
}

/** Refusal of one or more fields. */
export const invalidFields = (...fields: FieldProblem[]): AppError =>
  new AppError('validation_failed', { detail: fields.map((problem) => problem.message).join('; '), fields });
