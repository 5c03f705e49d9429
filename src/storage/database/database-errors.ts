import { types } from 'node:util';
import {
  EntityMetadataNotFoundError,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TypeORMError,
} from 'typeorm';
import { StartupError } from '../../platform/errors/startup-error.js';
import { AppError } from '../../platform/errors/app-error.js';

const { isNativeError } = types;

const UNIQUE_VIOLATION = '23505';
const RESTRICT_VIOLATION = '23001';
/**
 * Lost or refused connections, too many of them, a server that starts or stops, that may only be read from (a standby
 * after a failover) or whose disk fails, a lock, statement or transaction that took too long, a deadlock.
 */
const UNAVAILABLE =
  /^(?:08\w{3}|53\d{3}|57P0\d|57014|58030|55P03|25006|25P0[234]|40P01|40001|ECONN\w+|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EACCES)$/;
const UNAVAILABLE_TEXT =
  /connection terminated|connection ended|timeout exceeded|timeout expired|query read timeout|client was closed|cannot use a pool|not connected|not queryable|driver not connected/i;

/** TypeORM has one for whoever asks the runner, and another one for whoever asks its manager. */
const GIVEN_BACK = [QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError];

const CONNECTION_CALLS = new Set(['connect', 'read', 'write', 'getaddrinfo']);

interface Failure {
  syscall?: string;
  code?: string;
  constraint?: string;
  message?: string;
}

const failureOf = (error: unknown): Failure =>
  error instanceof QueryFailedError ? ((error.driverError as Failure | undefined) ?? error) : (error as Failure);

/** True when the failure says that the database is away, not that a statement is wrong. */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  // Not `instanceof`: an error that Node makes itself may be of another realm than this code.
  if (!isNativeError(error)) return false;
  const { code, message, syscall } = failureOf(error);
  // The connection was never there yet, so TypeORM does not know its entities.
  if (error instanceof EntityMetadataNotFoundError) return true;
  // The connection broke between two statements of a transaction, and TypeORM gave it back.
  if (GIVEN_BACK.some((GivenBack) => error instanceof GivenBack)) return true;
  // Files have such codes too: only what was said of a connection counts.
  const isOfFile = syscall !== undefined && !CONNECTION_CALLS.has(syscall);
  if (typeof code === 'string' && UNAVAILABLE.test(code) && !isOfFile) return true;
  const { errors } = error as Partial<AggregateError>;
  if (Array.isArray(errors)) return errors.some(isDatabaseUnavailable);
  const isDriverError = error instanceof TypeORMError || typeof code !== 'string';
  return isDriverError && UNAVAILABLE_TEXT.test(message ?? '');
};

const REFUSALS: Partial<Record<string, string>> = {
  '28P01': 'is refused by the server: the password is wrong',
  '28000': 'is refused by the server: this user may not connect',
  '3D000': 'names a database that does not exist',
  '42501': 'names a user who may not change the schema',
};

/** What the server says of the settings themselves: waiting does not mend it. Null: something else. */
export const databaseRefusal = (error: unknown): StartupError | null => {
  const problem = REFUSALS[failureOf(error)?.code ?? ''];
  return problem ? new StartupError(`DATABASE_URL ${problem}.`) : null;
};

const LOCK_TIMEOUT = '55P03';

/** True when a statement waited for a lock until `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean =>
  error instanceof QueryFailedError && failureOf(error).code === LOCK_TIMEOUT;

/** True when an insert or update broke the unique constraint of this name. */
export const violatesUnique = (error: unknown, constraint: string): boolean => {
  const failure = failureOf(error);
  return error instanceof QueryFailedError && failure.code === UNIQUE_VIOLATION && failure.constraint === constraint;
};

/** True when a row was to be sealed under a key that was removed meanwhile. */
const usesRemovedKey = (error: unknown): boolean => {
  const failure = failureOf(error);
  return (
    error instanceof QueryFailedError && failure.code === RESTRICT_VIOLATION && failure.constraint === 'key_in_ring'
  );
};

/** Turns a lost database into 503 with `Retry-After`, a removed key into 409; anything else is not its business. */
export const translateDatabaseError = (error: unknown): AppError | null => {
  if (usesRemovedKey(error)) {
    return new AppError('conflict', {
      headers: { 'retry-after': '2' },
      cause: error,
      detail: 'This process has not noticed yet that its encryption key was removed; try again shortly.',
    });
  }
  if (!isDatabaseUnavailable(error)) return null;
  return new AppError('storage_unavailable', {
    headers: { 'retry-after': '2' },
    cause: error,
    detail: 'The database cannot be reached right now; try again shortly.',
  });
};
