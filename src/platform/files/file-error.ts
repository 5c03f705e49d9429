/** What the file system says of a failure, such as `ENOSPC`. */
export const fileErrorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';
