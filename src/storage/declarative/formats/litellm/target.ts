import type { Source } from '../report.js';
import { counterpartOf, splitModel, type Counterpart } from './providers.js';
import { isReference, toReference } from './values.js';

/** Kinds of calls that an alias can be called with here. */
const CALLABLE_MODES = new Set(['chat', 'completion', 'responses', 'embedding']);

const isOpenAi = (apiBase: unknown): boolean =>
  typeof apiBase === 'string' && /^https:\/\/api\.openai\.com(?:\/|$)/.test(apiBase);

/** Where a deployment's calls go. */
export interface Target {
  fields: Record<string, unknown>;
  /** At an address of one's own, where a key may not be needed. */
  isOwnServer: boolean;
}

/** null: there is no counterpart, as reported. */
export const readTarget = (entry: Source, params: Source, info: Source): Target | null => {
  const refuse = (message: string): null => {
    entry.report.add('unsupported', entry.path, message);
    return null;
  };
  const model = params.takeText('model');
  const customProvider = params.takeText('custom_llm_provider');
  if (model === undefined || model === '') return refuse('is left out: litellm_params.model is missing');
  if (isReference(model))
    return refuse('is left out: litellm_params.model is a variable, so its provider is not known');
  if (model.includes('*')) return refuse('is left out: wildcards have no counterpart here; name each model');
  const mode = info.takeText('mode');
  if (mode !== undefined && !CALLABLE_MODES.has(mode))
    return refuse(`is left out: models of mode ${mode} cannot be called here`);
  const { prefix, name } = splitModel(model, customProvider);
  if (prefix === null)
    return refuse('is left out: litellm_params.model has no provider before it, and its name does not tell one');
  const counterpart = counterpartOf(prefix);
  if (!counterpart) return refuse(`is left out: the provider ${prefix} has no counterpart here yet`);
  return placeOf(params, prefix, name, counterpart, refuse);
};

const placeOf = (
  params: Source,
  prefix: string,
  name: string,
  counterpart: Counterpart,
  refuse: (message: string) => null,
): Target | null => {
  const key = params.has('api_base') ? 'api_base' : 'base_url';
  const named = toReference(params.take(key));
  const apiBase = named === undefined ? counterpart.apiBase : withPath(params, key, named, counterpart.path);
  if (apiBase === null && counterpart.needsApiBase) return refuse(`is left out: ${prefix} needs an api_base`);
  const isElsewhere = prefix === 'openai' && apiBase !== null && !isOpenAi(apiBase);
  const provider = isElsewhere ? 'openai_compatible' : counterpart.provider;
  const fields = {
    provider,
    model_name: prefix === 'huggingface' ? huggingFaceName(params, name) : name,
    api_base: apiBase,
    api_version: toReference(params.takeText('api_version')),
  };
  return { fields, isOwnServer: provider === 'local' || (provider === 'openai_compatible' && named !== undefined) };
};

/** LiteLLM writes `huggingface/<provider>/<owner>/<model>`, Hugging Face's router `<owner>/<model>:<provider>`. */
const huggingFaceName = (params: Source, name: string): string => {
  const [host, owner, model] = name.split('/');
  if (model === undefined) return name;
  params.say('adapted', 'model', 'is written as Hugging Face does, with the provider behind the model');
  return `${owner}/${model}:${host}`;
};

const withPath = (params: Source, key: string, apiBase: unknown, path: string | undefined): unknown => {
  if (path === undefined) return apiBase;
  if (typeof apiBase !== 'string') {
    params.say('adapted', key, `must end in ${path}: the server is called by its OpenAI-compatible API`);
    return apiBase;
  }
  const trimmed = apiBase.replace(/\/+$/, '').replace(/\/api$/, '');
  if (trimmed.endsWith(path)) return trimmed;
  params.say('adapted', key, `ends in ${path} here: the server is called by its OpenAI-compatible API`);
  return trimmed + path;
};
