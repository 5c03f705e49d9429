import { isPlainObject } from '../../contract/fields.js';
import {
  asContextWindow,
  asMaxTokens,
  asName,
  asPrice,
  factsFrom,
  type ModelFacts,
} from '../known-models/model-facts.js';

/** A model as some server lists it: an id, and whatever else it cares to tell. */
export type ListedEntry = Readonly<Record<string, unknown>>;

const objectIn = (value: unknown): ListedEntry => (isPlainObject(value) ? value : {});
const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];

const firstKnown = <Value>(values: (Value | null)[]): Value | null => values.find((value) => value !== null) ?? null;

/** What the server really gives comes before what the model was trained for. */
const contextWindowIn = (entry: ListedEntry): number | null => {
  const meta = objectIn(entry['meta']);
  return firstKnown(
    [
      entry['max_model_len'], // vLLM
      entry['context_window'], // Groq
      entry['context_length'], // OpenRouter, Together, Hugging Face
      entry['loaded_context_length'], // LM Studio, of a model in memory
      entry['max_context_length'], // Mistral, LM Studio
      meta['n_ctx'], // llama.cpp; 0 when the model is not loaded
      meta['n_ctx_train'],
    ].map(asContextWindow),
  );
};

type Prices = Pick<
  ModelFacts,
  'input_price_per_million' | 'cached_input_price_per_million' | 'output_price_per_million'
>;

/** Together lists 0 for what it does not sell by the token, so 0 says nothing there. */
const unlessZero = (price: number | null): number | null => price || null;

const pricesIn = (pricing: ListedEntry): Partial<Prices> => {
  // OpenRouter: dollars per token, as text, 0 for free and -1 for "depends".
  if ('prompt' in pricing) {
    return {
      input_price_per_million: asPrice(pricing['prompt'], 1),
      cached_input_price_per_million: asPrice(pricing['input_cache_read'], 1),
      output_price_per_million: asPrice(pricing['completion'], 1),
    };
  }
  // Together, Hugging Face: dollars per million tokens.
  return {
    input_price_per_million: unlessZero(asPrice(pricing['input'])),
    output_price_per_million: unlessZero(asPrice(pricing['output'])),
  };
};

type Media = Pick<ModelFacts, 'supports_images' | 'supports_files' | 'supports_audio' | 'supports_videos'>;

const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

const mediaIn = (entry: ListedEntry): Partial<Media> => {
  // OpenRouter, llama.cpp, Hugging Face: everything it takes is listed.
  const inputs = textsIn(objectIn(entry['architecture'])['input_modalities']);
  if (inputs.length > 0) {
    return {
      supports_images: inputs.includes('image'),
      supports_files: inputs.includes('file'),
      supports_audio: inputs.includes('audio'),
      supports_videos: inputs.includes('video'),
    };
  }
  // LM Studio tells models that see from those that do not.
  if (entry['type'] === 'vlm' || entry['type'] === 'llm') return { supports_images: entry['type'] === 'vlm' };
  // Mistral.
  const capabilities = objectIn(entry['capabilities']);
  return { supports_images: flag(capabilities['vision']), supports_audio: flag(capabilities['audio']) };
};

/** Hugging Face's router: who serves the model is the suffix of its name, such as `org/model:groq`. */
const servedBy = (entry: ListedEntry, modelName: string): ListedEntry => {
  const servers = Array.isArray(entry['providers']) ? entry['providers'].filter(isPlainObject) : [];
  const suffix = modelName.slice(modelName.lastIndexOf(':') + 1);
  return servers.find((server) => server['provider'] === suffix) ?? (servers.length === 1 ? objectIn(servers[0]) : {});
};

/**
 * What a model list says of one model beyond its name. Servers have extended OpenAI's list each in its own way; they do not
 * contradict each other, so one reader knows them all. `modelName` is the config's.
 */
export const readListedFacts = (listed: ListedEntry, modelName: string): ModelFacts => {
  const entry = { ...listed, ...servedBy(listed, modelName) };
  const name = asName(entry['display_name']) ?? asName(entry['name']);
  return factsFrom({
    display_name: name === entry['id'] ? null : name,
    context_window: contextWindowIn(entry),
    max_tokens:
      asMaxTokens(entry['max_completion_tokens']) ?? // Groq
      asMaxTokens(objectIn(entry['top_provider'])['max_completion_tokens']), // OpenRouter
    ...pricesIn(objectIn(entry['pricing'])),
    ...mediaIn(entry),
  });
};

/** Ollama's own `POST /api/show`: its list tells names only. */
export const readOllamaFacts = (shown: ListedEntry): ModelFacts => {
  const info = objectIn(shown['model_info']);
  const architecture = info['general.architecture'];
  // Set in the Modelfile, it is less than what the model could take.
  const set = /^num_ctx\s+(\d{1,9})$/m.exec(typeof shown['parameters'] === 'string' ? shown['parameters'] : '')?.[1];
  const capabilities = textsIn(shown['capabilities']);
  return factsFrom({
    context_window:
      asContextWindow(set === undefined ? null : Number(set)) ??
      (typeof architecture === 'string' ? asContextWindow(info[`${architecture}.context_length`]) : null),
    // Older versions do not tell.
    supports_images: capabilities.length > 0 ? capabilities.includes('vision') : null,
  });
};
