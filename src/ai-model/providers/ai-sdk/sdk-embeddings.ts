import type { EmbeddingModelV3, SharedV3ProviderOptions } from '@ai-sdk/provider';
import { AppError } from '../../../platform/errors/app-error.js';
import { textsOf } from '../embedding-format.js';
import { ProviderError } from '../provider-error.js';
import type { EmbeddingRequest } from '../provider.js';
import { tellable } from './call-options.js';
import { type SdkWire, withOptions } from './sdk-wire.js';

/** A request for vectors as the library takes it, and what of the caller's request is not in it. */
export interface PreparedEmbedding {
  texts: string[];
  providerOptions: SharedV3ProviderOptions;
  ignored: string[];
}

/** What a list of texts came to. */
export interface Embedded {
  vectors: number[][];
  /** null: the provider did not say. */
  inputTokens: number | null;
}

const READ = new Set(['model', 'input', 'dimensions', 'encoding_format']);

const toSized = (dimensions: unknown, modelName: string, wire: SdkWire): Record<string, unknown> => {
  if (typeof dimensions !== 'number' || !wire.embeddings) return {};
  const lengths = wire.embeddings.lengths(modelName);
  if (lengths && !lengths.includes(dimensions)) {
    const detail = `${wire.name} makes vectors of ${lengths.join(', ')} numbers from this model.`;
    throw new AppError('parameter_not_supported', { detail, param: 'dimensions' });
  }
  return wire.embeddings.sized(dimensions, modelName);
};

/** Throws before anything is sent. */
export const toEmbedding = ({ model, parameters }: EmbeddingRequest, wire: SdkWire): PreparedEmbedding => ({
  texts: textsOf(parameters),
  providerOptions: withOptions(wire, toSized(parameters['dimensions'], model.model_name, wire)),
  ignored: tellable(Object.keys(parameters).filter((name) => !READ.has(name) && (parameters[name] ?? null) !== null)),
});

/** No text comes to nothing: a provider that says so did not count. */
const isCount = (tokens: number | undefined): tokens is number => Number.isInteger(tokens) && Number(tokens) > 0;

/** Makes vectors of texts, in as many requests as the provider needs for them, one after the other. */
export const embedTexts = async (
  model: EmbeddingModelV3,
  { texts, providerOptions }: PreparedEmbedding,
): Promise<Embedded> => {
  const atOnce = (await model.maxEmbeddingsPerCall) ?? texts.length;
  const vectors: number[][] = [];
  let inputTokens: number | null = 0;
  for (let from = 0; from < texts.length; from += atOnce) {
    const values = texts.slice(from, from + atOnce);
    const { embeddings, usage } = await model.doEmbed({ values, providerOptions });
    if (embeddings.length !== values.length) {
      const message = `the answer has ${embeddings.length} vectors for ${values.length} inputs`;
      throw new ProviderError('bad_answer', { message });
    }
    vectors.push(...embeddings);
    inputTokens = inputTokens !== null && isCount(usage?.tokens) ? inputTokens + usage.tokens : null;
  }
  return { vectors, inputTokens };
};
