/** What went wrong, for code; the message says it to a human in one line (a log's tail may follow). */
export type EmbeddedPostgresErrorCode =
  | 'unsupported_platform'
  | 'no_server_user'
  | 'not_executable'
  | 'directory_not_accessible'
  | 'database_missing'
  | 'data_directory_in_use'
  | 'foreign_server'
  | 'version_mismatch'
  | 'unsafe_settings'
  | 'start_failed';

/** Every failure of the embedded database; nothing else is thrown by its public functions. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Turns anything thrown by Node or `pg` into this class and leaves its own errors alone. */
  static from(error: unknown): EmbeddedPostgresError {
    if (error instanceof EmbeddedPostgresError) return error;
    const code = hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS') ? 'directory_not_accessible' : 'start_failed';
    return new EmbeddedPostgresError(code, `The embedded database cannot start: ${messageOf(error)}`, { cause: error });
  }
}

/** True for a Node error with one of these codes, such as `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: string[]): boolean {
  // Not `instanceof Error`: under Jest, Node's own errors are of another realm.
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && codes.includes(code);
}

/** What an error says, in one line. */
export function messageOf(error: unknown): string {
  const isMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(isMessage ? error.message : error)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** The value, or `undefined` where the failure is one of the expected ones (a missing file, most of the time). */
export async function unlessError<Value>(promise: Promise<Value>, ...codes: string[]): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (hasErrorCode(error, ...codes)) return undefined;
    throw error;
  }
}
