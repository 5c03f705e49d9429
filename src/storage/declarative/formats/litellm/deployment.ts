import { isAllowedHeader } from '../../../../contract/secret-fields.js';
import { isPlainObject } from '../../../../contract/fields.js';
import type { Source } from '../report.js';
import { reportRest } from './remarks.js';
import { readTarget } from './target.js';
import { isPlaceholder, isReference, perMillion, toReference } from './values.js';

type Fields = Record<string, unknown>;

/** Settings of the whole file that hold where a deployment says nothing. */
export interface Defaults {
  max_retries?: number | undefined;
  request_timeout?: number | undefined;
}

/** What LiteLLM hands on to the provider when it stands in litellm_params. */
const PARAMETERS = [
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'top_k',
  'min_p',
  'n',
  'seed',
  'stop',
  'user',
  'safety_identifier',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'thinking',
  'service_tier',
  'store',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'modalities',
  'prediction',
  'web_search_options',
] as const;
const SET_BY_CALLS = ['model', 'messages', 'stream'];

const LONGEST_TIMEOUT = 3600;
const MOST_TOKENS = 10_000_000;
const MOST_RETRIES = 10;
const HIGHEST_PRICE = 1_000_000;
/** Behind all that say where they come. */
const LAST = 1_000_000;

/** Fields without those that were not given. */
const given = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** An entry of `model_list`: the fields of a config without its alias, and its place in its group; lower comes first. */
export interface Deployment {
  fields: Fields;
  order: number;
}

/** null: it has no counterpart, as reported. */
export const readDeployment = (
  entry: Source,
  credentials: Map<string, Fields>,
  defaults: Defaults,
): Deployment | null => {
  const params = withCredential(entry.takeObject('litellm_params'), credentials);
  const info = entry.takeObject('model_info');
  const target = readTarget(entry, params, info);
  if (!target) return null;
  const order = params.takeNumber('order', { min: 0, max: LAST }) ?? LAST;
  const fields = {
    ...target.fields,
    ...readKey(params, target.isOwnServer),
    ...readHeaders(params),
    ...readLimits(params, info, defaults),
    ...readPrices(params, info),
    ...readCapabilities(info),
    ...readParameters(params),
  };
  reportRest(params, 'litellm_params');
  reportRest(info, 'model_info');
  reportRest(entry, 'model');
  return { fields: given(fields), order };
};

/** A deployment may name a credential of `credential_list`; what it says itself counts more. */
const withCredential = (params: Source, credentials: Map<string, Fields>): Source => {
  const name = params.takeText('litellm_credential_name');
  if (name === undefined) return params;
  const credential = credentials.get(name);
  if (credential) return params.withDefaults(credential);
  params.say('unsupported', 'litellm_credential_name', 'is not in credential_list');
  return params;
};

const readKey = (params: Source, isOwnServer: boolean): Fields => {
  const value = toReference(params.take('api_key'));
  if (value === undefined) {
    if (isOwnServer) return { is_local: true };
    params.say('unsupported', 'api_key', 'is missing: LiteLLM takes it from its environment, here the model needs one');
    return {};
  }
  if (typeof value !== 'string') return { api_key: value };
  if (!isPlaceholder(value)) return { api_key: value };
  params.say(
    'adapted',
    'api_key',
    isOwnServer ? 'is a placeholder: the model needs no key' : 'is a placeholder, and is left out',
  );
  return isOwnServer ? { is_local: true } : {};
};

const readHeaders = (params: Source): Fields => {
  const headers: Fields = {};
  const organization = params.take('organization');
  if (typeof organization === 'string') headers['OpenAI-Organization'] = toReference(organization);
  else if (organization !== undefined)
    params.say('unsupported', 'organization', 'has several values; save a model for each');
  for (const key of ['headers', 'extra_headers']) {
    const source = params.takeObject(key);
    for (const name of source.rest) {
      const value = source.take(name);
      if (!isAllowedHeader(name)) source.say('unsupported', name, 'is no header that a model may add here');
      else if (typeof value === 'string') headers[name] = toReference(value);
      else source.say('unsupported', name, 'is not a text');
    }
  }
  return Object.keys(headers).length > 0 ? { auth_headers: headers } : {};
};

const readLimits = (params: Source, info: Source, defaults: Defaults): Fields => {
  const tokens = { min: 1, max: MOST_TOKENS, whole: true };
  const asked = [params.takeNumber('max_tokens', tokens), params.takeNumber('max_completion_tokens', tokens)];
  const known = [info.takeNumber('max_output_tokens', tokens), info.takeNumber('max_tokens', tokens)];
  const retries = { min: 0, max: MOST_RETRIES, whole: true };
  const ownRetries = [params.takeNumber('num_retries', retries), params.takeNumber('max_retries', retries)];
  const timeout = params.takeNumber('timeout', { min: 0.001, max: LONGEST_TIMEOUT });
  return {
    max_tokens: [...asked, ...known].find((value) => value !== undefined),
    context_window: info.takeNumber('max_input_tokens', { min: 1, max: 100_000_000, whole: true }),
    max_retries: [...ownRetries, defaults.max_retries].find((value) => value !== undefined),
    request_timeout: timeout === undefined ? defaults.request_timeout : Math.ceil(timeout),
    rate_limit_per_minute: params.takeNumber('rpm', { min: 1, max: 10_000_000, whole: true }),
  };
};

const readPrices = (params: Source, info: Source): Fields => {
  const price = (name: string): number | undefined => {
    const bounds = { min: 0, max: HIGHEST_PRICE / 1_000_000 };
    const inParams = params.takeNumber(name, bounds);
    const inInfo = info.takeNumber(name, bounds);
    const perToken = inParams ?? inInfo;
    return perToken === undefined ? undefined : perMillion(perToken);
  };
  return {
    input_price_per_million: price('input_cost_per_token'),
    cached_input_price_per_million: price('cache_read_input_token_cost'),
    output_price_per_million: price('output_cost_per_token'),
  };
};

const readCapabilities = (info: Source): Fields => ({
  supports_images: info.takeFlag('supports_vision'),
  supports_audio: info.takeFlag('supports_audio_input'),
  supports_videos: info.takeFlag('supports_video_input'),
  supports_files: info.takeFlag('supports_pdf_input'),
  is_streaming_supported: info.takeFlag('supports_native_streaming'),
});

const readParameters = (params: Source): Fields => {
  const parameters: Fields = {};
  for (const name of PARAMETERS) {
    const value = params.take(name);
    if (isReference(value))
      params.say('unsupported', name, 'is a variable, which only keys, headers and addresses can be here');
    else if (value !== undefined) parameters[name] = value;
  }
  const extra = params.take('extra_body');
  if (extra !== undefined && !isPlainObject(extra)) params.say('unsupported', 'extra_body', 'is not an object');
  for (const [name, value] of Object.entries(isPlainObject(extra) ? extra : {})) {
    if (SET_BY_CALLS.includes(name)) params.say('unsupported', `extra_body.${name}`, 'is set by each call itself');
    else parameters[name] = value;
  }
  return {
    default_temperature: params.takeNumber('temperature', { min: 0, max: 2 }),
    default_top_p: params.takeNumber('top_p', { min: 0, max: 1 }),
    custom_parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
  };
};
