import { AppError } from '../../platform/errors/app-error.js';
import { etagOf } from '../../platform/http/etag.js';

/** Tells whether an ETag is still acceptable to the writer; null: any is. */
export type Precondition = ((etag: string) => boolean) | null;

/** Throws `precondition_failed` when what is now at `version` is not what the writer has read. `what`: `config`, … */
export const requireCurrent = (precondition: Precondition, version: number, what: string): void => {
  if (!precondition || precondition(etagOf(version))) return;
  throw new AppError('precondition_failed', {
    detail: `The ${what} is at version ${version} now. Read it again and repeat the change.`,
    headers: { etag: etagOf(version) },
  });
};
