import { isPlainObject } from '../../../contract/fields.js';
import type { CancelSignal } from '../../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { NO_FACTS } from '../../known-models/model-facts.js';
import type { ListedEntry } from '../listed-facts.js';
import { MAX_LIST_BYTES, parseList } from '../model-listing.js';
import { parseLoosely } from '../openai-errors.js';
import { MAX_LISTED_MODELS, type ModelListing } from '../provider.js';
import { ProviderError } from '../provider-error.js';
import type { ProviderTarget } from '../provider-target.js';
import type { ModelList } from './model-lists.js';
import type { SdkWire } from './sdk-wire.js';

/** Asks under the config's address; settles with the parsed answer. */
export type Get = (path: string) => Promise<unknown>;

/** Each of them holds a thousand entries. */
const MOST_PAGES = 5;

export const getter =
  (client: GuardedHttpClient, target: ProviderTarget, wire: SdkWire, signal: CancelSignal): Get =>
  async (path) => {
    const { status, headers, body } = await client.requestWhole(
      {
        url: new URL(`${target.base}/${path}`),
        method: 'GET',
        headers: { accept: 'application/json', ...wire.models?.headers, ...target.headers },
        signal,
      },
      MAX_LIST_BYTES,
    );
    const error = { headers, secrets: target.secrets };
    if (status >= 400) throw wire.readError({ ...error, status, body: parseLoosely(body) });
    const answer = parseList(body, status);
    if (isPlainObject(answer) && answer['error']) throw wire.readError({ ...error, status: null, body: answer });
    return answer;
  };

const readPage = (list: ModelList, answer: unknown): { entries: ListedEntry[]; next: string | null } => {
  const { entries, next } = isPlainObject(answer) ? list.read(answer) : { entries: null, next: null };
  if (!Array.isArray(entries)) throw new ProviderError('bad_answer', { message: 'the answer is no list of models' });
  const named = entries.filter((entry) => isPlainObject(entry) && list.nameOf(entry) !== null) as ListedEntry[];
  return { entries: named, next: typeof next === 'string' && next !== '' ? next : null };
};

const readAll = async (list: ModelList, get: Get): Promise<ListedEntry[]> => {
  const all: ListedEntry[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < MOST_PAGES && all.length < MAX_LISTED_MODELS; pages += 1) {
    const { entries, next } = readPage(list, await get(list.page(after)));
    all.push(...entries);
    if (next === null) break;
    after = next;
  }
  return all;
};

/** A list names no aliases, and need not name what can be called all the same: the provider is asked for the one, too. */
const askForOne = async (
  list: ModelList,
  get: Get,
  name: string,
): Promise<{ entry?: ListedEntry; isListed: boolean | null }> => {
  // No name, but a step up in the path.
  if (/^\.{1,2}$/.test(name)) return { isListed: false };
  try {
    const entry = await get(`models/${encodeURIComponent(name)}`);
    return isPlainObject(entry) && list.nameOf(entry) !== null ? { entry, isListed: true } : { isListed: false };
  } catch (error) {
    const saysNo = error instanceof ProviderError && ['not_found', 'bad_request'].includes(error.errorClass);
    return { isListed: saysNo ? false : null };
  }
};

/** The provider's models, and what it says of the config's one. */
export const listSdkModels = async (list: ModelList, get: Get, modelName: string): Promise<ModelListing> => {
  const entries = await readAll(list, get);
  const name = modelName.replace(/^models\//, '');
  const found = entries.find((entry) => list.nameOf(entry) === name);
  const { entry, isListed } = found ? { entry: found, isListed: true } : await askForOne(list, get, name);
  const names = entries.map((listed) => String(list.nameOf(listed))).slice(0, MAX_LISTED_MODELS);
  return { names, isListed, facts: entry ? list.factsOf(entry) : NO_FACTS };
};
