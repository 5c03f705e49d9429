import type { Provider } from '../../contract/providers.js';
import { AppError } from '../errors/app-error.js';
import { canParseUrl } from '../http/can-parse-url.js';

/** What decides where a secret goes. */
export interface SecretDestination {
  provider: Provider;
  apiBase: string | null;
}

/** The origin that a secret of this config may be sent to. */
export const allowedOriginOf = ({ provider, apiBase }: SecretDestination): string => {
  if (apiBase === null) return `provider:${provider}`;
  // No writer of ours lets such an address in; in a row that was edited by hand it opens nothing.
  return canParseUrl(apiBase) ? new URL(apiBase).origin : 'no address';
};

/** Whether a secret that is stored for the one may stay for the other. */
export const isSameDestination = (before: SecretDestination, after: SecretDestination): boolean =>
  before.provider === after.provider && allowedOriginOf(before) === allowedOriginOf(after);

/** Stored secrets would have to go to another place than they were entered for: `fields` names them, at least one. */
export const secretsRequired = (fields: readonly string[]): AppError =>
  new AppError('credential_required', {
    detail: `provider or the origin of api_base changes, so ${fields.join(' and ')} must be sent again, or cleared with null, in the same request.`,
    fields: fields.map((field) => ({
      field,
      message: `${field} must be sent again for the new address, or cleared with null`,
    })),
  });
