import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { readPlainError } from './plain-errors.js';
import type { SdkWire } from './sdk-wire.js';

const TAKEN = /^image\/(?:jpeg|png|gif|webp)$|^(?:text\/|application\/(?:pdf|msword|vnd\.))/;

/** Nothing of the environment: address and key are the config's. The region is part of the address. */
const REGION = 'us-east-1';

/** Amazon Bedrock's Converse, by an API key of Bedrock. */
export const BEDROCK: SdkWire = {
  name: 'Amazon Bedrock',
  optionsName: 'bedrock',
  keyHeader: (key) => ({ authorization: `Bearer ${key}` }),
  framing: 'binary',
  requiresMaxTokens: false,
  languageModel: (settings, modelName) =>
    createAmazonBedrock({ ...settings, apiKey: 'of-the-target', region: REGION })(modelName),
  embeddingModel: (settings, modelName) =>
    createAmazonBedrock({ ...settings, apiKey: 'of-the-target', region: REGION }).embeddingModel(modelName),
  embeddingOptions: (dimensions) => ({ dimensions }),
  takes: (mediaType) => TAKEN.test(mediaType),
  takesUrl: () => false,
  takesMediaInResults: () => true,
  // How a model is told to think differs from maker to maker, and is `custom_parameters`' business.
  reasoning: ({ effort }) => (effort === 'none' ? { options: {} } : null),
  optionOf: {},
  readError: readPlainError,
};
