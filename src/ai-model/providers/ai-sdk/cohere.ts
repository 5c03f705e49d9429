import { createCohere } from '@ai-sdk/cohere';
import { newCallId } from './call-id.js';
import { readCohereError } from './cohere-errors.js';
import type { ReasoningOptions, ReasoningRequest, SdkWire } from './sdk-wire.js';

/** Its models that think do so unless they are told not to, or within a budget. */
const THINKS = /reasoning/;
const BUDGETS: Readonly<Record<string, number>> = { minimal: 1024, low: 1024, medium: 8192 };

const toThinking = ({ model, effort }: ReasoningRequest): ReasoningOptions | null => {
  if (!THINKS.test(model.model_name)) return effort === 'none' ? { options: {} } : null;
  if (effort === 'none') return { options: { thinking: { type: 'disabled' } } };
  const tokenBudget = BUDGETS[effort];
  return { options: { thinking: { type: 'enabled', ...(tokenBudget !== undefined && { tokenBudget }) } } };
};

/** Cohere's chat, version 2. */
export const COHERE: SdkWire = {
  name: 'Cohere',
  optionsName: 'cohere',
  keyHeader: (key) => ({ authorization: `Bearer ${key}` }),
  framing: 'events',
  requiresMaxTokens: false,
  languageModel: (settings, modelName) =>
    createCohere({ ...settings, apiKey: 'of-the-target', generateId: newCallId })(modelName),
  embeddings: {
    model: (settings, modelName) => createCohere({ ...settings, apiKey: 'of-the-target' }).embeddingModel(modelName),
    lengths: () => [256, 512, 1024, 1536],
    sized: (dimensions) => ({ outputDimension: dimensions }),
  },
  takes: (mediaType) => mediaType.startsWith('image/') || mediaType.startsWith('text/'),
  takesUrl: () => false,
  takesMediaInResults: () => false,
  reasoning: toThinking,
  optionOf: {},
  readError: readCohereError,
};
