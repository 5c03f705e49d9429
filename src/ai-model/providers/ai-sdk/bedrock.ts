import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { readBedrockError } from './bedrock-errors.js';
import type { SdkWire } from './sdk-wire.js';

const TAKEN = /^image\/(?:jpeg|png|gif|webp)$|^(?:text\/|application\/(?:pdf|msword|vnd\.))/;

/** Nothing of the environment: address and key are the config's. The region is part of the address. */
const REGION = 'us-east-1';

/** What each maker's models call the length of a vector, and which there are. */
const SIZES = {
  cohere: { option: 'outputDimension', lengths: [256, 512, 1024, 1536] },
  nova: { option: 'embeddingDimension', lengths: [256, 384, 1024, 3072] },
  titan: { option: 'dimensions', lengths: [256, 512, 1024] },
} as const;

/** As the library tells them apart. */
const makerOf = (modelName: string): keyof typeof SIZES => {
  if (modelName.includes('cohere.embed-')) return 'cohere';
  return modelName.includes('amazon.nova-') ? 'nova' : 'titan';
};

/** Amazon Bedrock's Converse, by an API key of Bedrock. */
export const BEDROCK: SdkWire = {
  name: 'Amazon Bedrock',
  optionsName: 'bedrock',
  keyHeader: (key) => ({ authorization: `Bearer ${key}` }),
  framing: 'binary',
  requiresMaxTokens: false,
  languageModel: (settings, modelName) =>
    createAmazonBedrock({ ...settings, apiKey: 'of-the-target', region: REGION })(modelName),
  embeddings: {
    model: (settings, modelName) =>
      createAmazonBedrock({ ...settings, apiKey: 'of-the-target', region: REGION }).embeddingModel(modelName),
    lengths: (modelName) => SIZES[makerOf(modelName)].lengths,
    sized: (dimensions, modelName) => ({ [SIZES[makerOf(modelName)].option]: dimensions }),
  },
  takes: (mediaType) => TAKEN.test(mediaType),
  takesUrl: () => false,
  takesMediaInResults: () => true,
  // How a model is told to think differs from maker to maker, and is `custom_parameters`' business.
  reasoning: ({ effort }) => (effort === 'none' ? { options: {} } : null),
  optionOf: {},
  // Each maker has a name of its own for it, or none: `additionalModelRequestFields` in `custom_parameters`.
  lacks: ['top_k', 'json_object'],
  readError: readBedrockError,
};
