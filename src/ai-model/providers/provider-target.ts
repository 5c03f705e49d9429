import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';
import { ProviderError } from './provider-error.js';

/** Where a model's provider is, and what it must be shown. */
export interface ProviderTarget {
  /** The address without a slash at its end. */
  base: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** What must never be in an answer of ours. */
  secrets: string[];
}

const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** How a server wants to be shown the key. */
export type KeyHeader = (key: string) => Record<string, string>;

const BEARER: KeyHeader = (key) => ({ authorization: `Bearer ${key}` });

/** The one place where a stored key meets an address. Throws `blocked_destination` when there is no address. */
export const targetOf = (
  model: SnapshotModel,
  defaultApiBase: string | null,
  keyHeader: KeyHeader = BEARER,
): ProviderTarget => {
  const base = model.api_base ?? defaultApiBase;
  if (!base) throw new ProviderError('blocked_destination', { message: 'the config has no api_base' });
  if (!canParseUrl(base)) throw new ProviderError('blocked_destination', { message: 'api_base is no address' });
  return {
    base: base.replace(/\/+$/, ''),
    headers: {
      ...(model.api_key && keyHeader(model.api_key)),
      ...lowerCased(model.auth_headers ?? {}),
    },
    secrets: [model.api_key ?? '', ...Object.values(model.auth_headers ?? {})].filter((text) => text !== ''),
  };
};
