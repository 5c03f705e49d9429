import { ERROR_CODES, type ErrorCode } from '../../contract/error-codes.js';
import { AppError, type FieldProblem } from '../../platform/errors/app-error.js';

/** What the storage service said, as far as it said it in its own shape. */
export interface StorageProblem {
  status: number;
  code: ErrorCode;
  detail: string;
  errors?: FieldProblem[] | undefined;
}

/** A call of the storage service failed. */
export abstract class StorageError extends Error {
  constructor(readonly problem: StorageProblem) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

/** Not reached, not in time, or it cannot do its work right now: says nothing about what is stored. */
export class StorageUnavailable extends StorageError {
  constructor(detail: string) {
    super({ status: 503, code: 'storage_unavailable', detail });
  }
}

/** So much is waiting here already that it was not even asked. */
export class StorageBusy extends StorageUnavailable {}

/** It failed so often that it was not even asked. */
export class StorageLeftAlone extends StorageUnavailable {}

export class StorageNotFound extends StorageError {}
/** Somebody else was first: alias taken, stale ETag. */
export class StorageConflict extends StorageError {}
/** The request is wrong; `problem.errors` names the fields. */
export class StorageInvalid extends StorageError {}
/** The token is not known there or lacks a scope. */
export class StorageRefused extends StorageError {}

const CLASSES: Record<number, new (problem: StorageProblem) => StorageError> = {
  401: StorageRefused,
  403: StorageRefused,
  404: StorageNotFound,
  409: StorageConflict,
  412: StorageConflict,
};

const isKnownCode = (code: unknown): code is ErrorCode => ERROR_CODES.includes(code as ErrorCode);

/** The error for an answer that is no success. The body is checked: after a split it may be another version's. */
export const toStorageError = (status: number, body: unknown): StorageError => {
  const { code, detail, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = typeof detail === 'string' ? detail : `The storage service answered ${status}.`;
  if (status >= 500 || status === 429 || status < 400 || !isKnownCode(code)) return new StorageUnavailable(text);
  const fields = Array.isArray(errors) ? (errors as FieldProblem[]) : undefined;
  return new (CLASSES[status] ?? StorageInvalid)({ status, code, detail: text, errors: fields });
};

/** Nothing was sent, so even a write may be tried again. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The code of a failed connection, such as `ECONNREFUSED`; empty: it has none. */
export const codeOf = (error: unknown): string => {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

export const wasNeverSent = (error: unknown): boolean => NEVER_SENT.has(codeOf(error));

/** axios' errors carry the request with its headers: only the code survives. */
export const toClientError = (error: unknown): Error => {
  if (error instanceof StorageUnavailable) return error;
  const code = codeOf(error);
  const isLate = code === 'ERR_CANCELED' || code === 'ETIMEDOUT' || code === 'ECONNABORTED';
  const detail = isLate ? 'The storage service did not answer in time.' : 'The storage service cannot be reached';
  return new StorageUnavailable(isLate || code === '' ? detail : `${detail} (${code}).`);
};

/** Hands a failure of the storage service on to the caller of this one, code and fields included. */
export const translateStorageError = (error: unknown): AppError | null => {
  if (!(error instanceof StorageError)) return null;
  const { status, code, detail, errors } = error.problem;
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '2' } : {};
  return new AppError(code, { status, detail, headers, ...(errors && { fields: errors }), cause: error });
};
