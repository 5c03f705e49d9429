import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient, OutboundRequest } from '../../platform/http/outbound/guarded-client.js';
import { asName, hasFacts, type ModelFacts, NO_FACTS } from '../known-models/model-facts.js';
import { type ListedEntry, readListedFacts, readOllamaFacts } from './listed-facts.js';
import { MAX_LIST_BYTES, parseList, withoutSecrets } from './model-listing.js';
import { parseLoosely, statusIn, toProviderError } from './openai-errors.js';
import { ProviderError } from './provider-error.js';
import type { ProviderTarget } from './provider-target.js';
import { MAX_LISTED_MODELS, type ModelListing } from './provider.js';

type Ask = (path: string, body?: object) => Promise<unknown>;

/** Asks under the config's address; a path that begins with a slash is taken from the server's own root instead. */
const asker =
  (client: GuardedHttpClient, target: ProviderTarget, signal: CancelSignal): Ask =>
  async (path, body) => {
    const root = target.base.replace(/\/v1$/, '');
    const call: OutboundRequest = {
      url: new URL(path.startsWith('/') ? `${root}${path}` : `${target.base}/${path}`),
      method: body ? 'POST' : 'GET',
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...target.headers },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    };
    const { status, headers, body: bytes } = await client.requestWhole(call, MAX_LIST_BYTES);
    if (status >= 400) throw toProviderError(status, parseLoosely(bytes), headers, target.secrets);
    const answer = parseList(bytes, status);
    const error = isPlainObject(answer) ? answer['error'] : undefined;
    if (error) throw toProviderError(statusIn(error), answer, {}, target.secrets);
    return answer;
  };

/** `{data: […]}`, or the bare list that Together answers with. */
const entriesOf = (answer: unknown): ListedEntry[] => {
  const list = isPlainObject(answer) ? answer['data'] : answer;
  if (!Array.isArray(list)) throw new ProviderError('bad_answer', { message: 'the answer is no list of models' });
  return list.filter((entry) => isPlainObject(entry) && asName(entry['id']) !== null) as ListedEntry[];
};

/** Under its name, Ollama's default tag, one of llama.cpp's other names, or as Hugging Face's router lists it. */
const findEntry = (entries: ListedEntry[], name: string): ListedEntry | undefined => {
  const unrouted = name.replace(/:[^:/]+$/, '');
  return (
    entries.find(({ id }) => id === name) ??
    entries.find(({ id }) => id === `${name}:latest`) ??
    entries.find(({ aliases }) => Array.isArray(aliases) && aliases.includes(name)) ??
    entries.find(({ id, providers }) => id === unrouted && Array.isArray(providers))
  );
};

/** A list may leave out what can be called all the same: the server is asked for the one model too. */
const askForOne = async (ask: Ask, name: string): Promise<{ entry?: ListedEntry; isListed: boolean | null }> => {
  // No name, but a step up in the path.
  if (/^\.{1,2}$/.test(name)) return { isListed: false };
  try {
    const entry = await ask(`models/${encodeURIComponent(name)}`);
    return isPlainObject(entry) && asName(entry['id']) !== null ? { entry, isListed: true } : { isListed: false };
  } catch (error) {
    const saysNo =
      error instanceof ProviderError && ['not_found', 'bad_request', 'bad_answer'].includes(error.errorClass);
    return { isListed: saysNo ? false : null };
  }
};

/** Ollama and LM Studio tell more on paths of their own; any other server does not know them, which is no failure. */
const askNatively = async (ask: Ask, entry: ListedEntry): Promise<ModelFacts> => {
  const id = String(entry['id']);
  const isLmStudio = entry['owned_by'] === 'organization_owner';
  try {
    const shown = isLmStudio
      ? await ask(`/api/v0/models/${encodeURIComponent(id)}`)
      : await ask('/api/show', { model: id });
    if (!isPlainObject(shown)) return NO_FACTS;
    return isLmStudio ? readListedFacts(shown, id) : readOllamaFacts(shown);
  } catch {
    return NO_FACTS;
  }
};

/** Asks a server that speaks OpenAI's wire format for its models, and for what it knows of the config's one. */
export const listOpenAiModels = async (
  client: GuardedHttpClient,
  target: ProviderTarget,
  { provider, model_name: name }: Pick<SnapshotModel, 'provider' | 'model_name'>,
  signal: CancelSignal,
): Promise<ModelListing> => {
  const ask = asker(client, target, signal);
  const entries = entriesOf(await ask('models'));
  const found = findEntry(entries, name);
  const { entry, isListed } = found ? { entry: found, isListed: true } : await askForOne(ask, name);
  const listed = entry ? readListedFacts(entry, name) : NO_FACTS;
  const facts = entry && provider === 'local' && !hasFacts(listed) ? await askNatively(ask, entry) : listed;
  const names = entries.slice(0, MAX_LISTED_MODELS).map(({ id }) => String(id));
  return withoutSecrets({ names, isListed, facts }, target.secrets);
};
