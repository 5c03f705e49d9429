import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { newCallId } from './call-id.js';
import { readGoogleError } from './google-errors.js';
import { GOOGLE_MODELS } from './model-lists.js';
import type { ReasoningOptions, ReasoningRequest, SdkWire } from './sdk-wire.js';

const TAKEN = /^(?:image|audio|video|text)\/|^application\/(?:pdf|json)$/;

/** What Google fetches itself: files that were uploaded to it, and its own videos. */
const OWN_URLS =
  /^https:\/\/(?:generativelanguage\.googleapis\.com\/v1beta\/files\/|(?:www\.)?youtube\.com\/watch\?|youtu\.be\/)/;

/** Since 3, the result of a function can hold more than text. */
const HOLDS_MEDIA_IN_RESULTS = /(?:^|\/)gemini-(?![12](?:[.-]|$)|pro(?:-vision)?$|robotics-er-1\.5)/i;
const NEVER_THINKS = /(?:^|\/)gemini-(?:1|2\.0)|(?:^|\/)(?:gemma|learnlm)/;
const THINKS_IN_BUDGET = /(?:^|\/)gemini-2\.5/;

/** As Google's own OpenAI-compatible endpoint takes them. */
const BUDGETS: Readonly<Record<string, number>> = { minimal: 1024, low: 1024, medium: 8192, high: 24_576 };
const LEVELS: Readonly<Record<string, string>> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high' };

const inBudget = (effort: string, modelName: string): ReasoningOptions | null => {
  const isPro = modelName.includes('pro');
  if (effort === 'none') return isPro ? null : { options: { thinkingConfig: { thinkingBudget: 0 } } };
  const thinkingBudget = BUDGETS[effort] ?? BUDGETS['high'];
  return { options: { thinkingConfig: { thinkingBudget, includeThoughts: true } } };
};

/** How Gemini is told to think: a budget up to 2.5, a level since 3, which cannot be told not to. */
export const toThinkingConfig = ({ model, effort }: ReasoningRequest): ReasoningOptions | null => {
  const { model_name: name } = model;
  if (NEVER_THINKS.test(name)) return effort === 'none' ? { options: {} } : null;
  if (THINKS_IN_BUDGET.test(name)) return inBudget(effort, name);
  if (effort === 'none') return null;
  return { options: { thinkingConfig: { thinkingLevel: LEVELS[effort] ?? 'high', includeThoughts: true } } };
};

/** Google's generateContent. */
export const GEMINI: SdkWire = {
  name: 'Gemini',
  optionsName: 'google',
  keyHeader: (key) => ({ 'x-goog-api-key': key }),
  framing: 'events',
  requiresMaxTokens: false,
  languageModel: (settings, modelName) =>
    createGoogleGenerativeAI({ ...settings, apiKey: '', generateId: newCallId })(modelName),
  embeddings: {
    model: (settings, modelName) => createGoogleGenerativeAI({ ...settings, apiKey: '' }).embeddingModel(modelName),
    lengths: () => null,
    sized: (dimensions) => ({ outputDimensionality: dimensions }),
  },
  takes: (mediaType) => TAKEN.test(mediaType),
  takesUrl: (_mediaType, url) => OWN_URLS.test(url.href),
  takesMediaInResults: (modelName) => HOLDS_MEDIA_IN_RESULTS.test(modelName),
  reasoning: toThinkingConfig,
  optionOf: {},
  readError: readGoogleError,
  models: GOOGLE_MODELS,
};
