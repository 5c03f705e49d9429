import type { EmbeddingModelV3, SharedV3ProviderOptions } from '@ai-sdk/provider';
import { ProviderError } from '../provider-error.js';

/** What a list of texts came to. */
export interface Embedded {
  vectors: number[][];
  /** null: the provider did not say. */
  inputTokens: number | null;
}

/** Makes vectors of texts, in as many requests as the provider needs for them, one after the other. */
export const embedTexts = async (
  model: EmbeddingModelV3,
  texts: readonly string[],
  providerOptions: SharedV3ProviderOptions,
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
    inputTokens = usage && inputTokens !== null ? inputTokens + usage.tokens : null;
  }
  return { vectors, inputTokens };
};
