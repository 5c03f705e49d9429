import { isPlainObject } from '../../contract/fields.js';
import { asMaxTokens, type ModelFacts } from './model-facts.js';

/** What does not change once a model is out: what it takes besides text, and how much it can answer. */
export type MediaFacts = Pick<
  ModelFacts,
  'max_tokens' | 'supports_images' | 'supports_files' | 'supports_audio' | 'supports_videos'
>;

const mediaFactsOf = (model: Record<string, unknown>): MediaFacts | null => {
  const { modalities, limit } = model;
  const inputs: unknown = isPlainObject(modalities) ? modalities['input'] : null;
  if (!Array.isArray(inputs)) return null;
  return {
    max_tokens: isPlainObject(limit) ? asMaxTokens(limit['output']) : null,
    supports_images: inputs.includes('image'),
    supports_audio: inputs.includes('audio'),
    supports_videos: inputs.includes('video'),
    // The list says which models take PDFs, but not of all that do.
    supports_files: inputs.includes('pdf') ? true : null,
  };
};

/** Reads a file of the package: facts by the provider's names of its models. */
export const mediaListOf = (file: unknown): ReadonlyMap<string, MediaFacts> => {
  const models = isPlainObject(file) && isPlainObject(file['models']) ? file['models'] : {};
  const facts = new Map<string, MediaFacts>();
  for (const [name, model] of Object.entries(models)) {
    const known = isPlainObject(model) ? mediaFactsOf(model) : null;
    if (known) facts.set(name, known);
  }
  return facts;
};
