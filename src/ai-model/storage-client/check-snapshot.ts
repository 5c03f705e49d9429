import { isPlainObject } from '../../contract/fields.js';
import type { Snapshot } from '../../contract/snapshot.contract.js';
import { StorageUnavailable } from './storage-errors.js';

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

const isModel = (model: unknown): boolean =>
  isPlainObject(model) &&
  ['id', 'alias', 'provider', 'model_name'].every((name) => isText(model[name])) &&
  ['api_key', 'api_base'].every((name) => isTextOrNull(model[name])) &&
  (model['auth_headers'] === null || isPlainObject(model['auth_headers'])) &&
  typeof model['credential_readable'] === 'boolean' &&
  typeof model['is_enabled'] === 'boolean';

const isToken = (token: unknown): boolean =>
  isPlainObject(token) &&
  isText(token['id']) &&
  /^[0-9a-f]{64}$/.test(String(token['sha256'])) &&
  Array.isArray(token['scopes']) &&
  isTextOrNull(token['expires_at']);

/** A snapshot is believed whole or not at all: after a split the other side may be of another version, or not ours. */
export const checkSnapshot = (body: unknown): Snapshot => {
  const isComplete =
    isPlainObject(body) &&
    Number.isSafeInteger(body['revision']) &&
    Array.isArray(body['models']) &&
    Array.isArray(body['tokens']) &&
    body['models'].every(isModel) &&
    body['tokens'].every(isToken);
  if (!isComplete) throw new StorageUnavailable('The storage service answered with something that is no snapshot.');
  return body as unknown as Snapshot;
};
