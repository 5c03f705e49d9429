import { BUDGET_SCOPES } from '../../contract/budget.contract.js';
import { isPlainObject } from '../../contract/fields.js';
import type {
  Snapshot,
  SnapshotBudget,
  SnapshotDifference,
  SnapshotPrompt,
  SnapshotPromptVersion,
} from '../../contract/snapshot.contract.js';
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

const isListOf = (list: unknown, check: (value: unknown) => boolean): boolean =>
  Array.isArray(list) && list.every(check);

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isPromptVersion = (version: unknown): boolean =>
  isPlainObject(version) &&
  isWhole(version['version']) &&
  ['prompt_content', 'syntax', 'content_sha256'].every((name) => isText(version[name])) &&
  // What is in it is looked at when the prompt is used: one of a kind unknown here must not cost us the others.
  Array.isArray(version['variables']);

const isPrompt = (prompt: unknown): boolean =>
  isPlainObject(prompt) &&
  isText(prompt['id']) &&
  isText(prompt['name']) &&
  typeof prompt['is_active'] === 'boolean' &&
  typeof prompt['is_public'] === 'boolean' &&
  isWhole(prompt['latest_version']) &&
  isPlainObject(prompt['labels']) &&
  Object.values(prompt['labels']).every(isWhole) &&
  Array.isArray(prompt['versions']) &&
  prompt['versions'].every(isPromptVersion);

const isBudget = (budget: unknown): boolean =>
  isPlainObject(budget) &&
  isText(budget['name']) &&
  BUDGET_SCOPES.some((scope) => scope === budget['scope']) &&
  isTextOrNull(budget['scope_value']) &&
  Number.isFinite(Date.parse(String(budget['until'])));

/** A version of a prompt that was asked for by its number. */
export const checkPromptVersion = (body: unknown, version: number): SnapshotPromptVersion => {
  if (isPromptVersion(body) && (body as SnapshotPromptVersion).version === version)
    return body as SnapshotPromptVersion;
  throw new StorageUnavailable('The storage service answered with something that is no version of a prompt.');
};

/** A snapshot is believed whole or not at all: after a split the other side may be of another version, or not ours. */
export const checkSnapshot = (body: unknown): Snapshot => {
  // A storage service from before there were prompts sends none, and one from before there were budgets none of those.
  const { prompts = [], budgets = [] } = isPlainObject(body) ? body : {};
  const isComplete =
    isPlainObject(body) &&
    Number.isSafeInteger(body['revision']) &&
    Array.isArray(body['models']) &&
    Array.isArray(body['tokens']) &&
    body['models'].every(isModel) &&
    body['tokens'].every(isToken) &&
    isListOf(prompts, isPrompt) &&
    isListOf(budgets, isBudget);
  if (!isComplete) throw new StorageUnavailable('The storage service answered with something that is no snapshot.');
  return {
    ...(body as unknown as Snapshot),
    prompts: prompts as SnapshotPrompt[],
    budgets: budgets as SnapshotBudget[],
  };
};

/** A difference to the snapshot of `since`: like a snapshot, believed whole or not at all. */
export const checkDifference = (body: unknown, since: number): SnapshotDifference => {
  const { budgets = [] } = isPlainObject(body) ? body : {};
  const isDifference =
    isPlainObject(body) &&
    body['since'] === since &&
    Number.isSafeInteger(body['revision']) &&
    (body['revision'] as number) > since &&
    isListOf(body['models'], isModel) &&
    isListOf(body['tokens'], isToken) &&
    isListOf(body['prompts'], isPrompt) &&
    isListOf(budgets, isBudget) &&
    isForEach(body['removed'], (ids) => isListOf(ids, isText)) &&
    isForEach(body['totals'], isWhole);
  if (!isDifference) throw new StorageUnavailable('The storage service answered with something that is no difference.');
  return { ...(body as unknown as SnapshotDifference), budgets: budgets as SnapshotBudget[] };
};

const isForEach = (value: unknown, check: (part: unknown) => boolean): boolean =>
  isPlainObject(value) && ['models', 'tokens', 'prompts'].every((kind) => check(value[kind]));
