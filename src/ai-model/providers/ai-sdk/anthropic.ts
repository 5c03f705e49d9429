import { createAnthropic } from '@ai-sdk/anthropic';
import type { OutboundResponseHeaders } from '../../../platform/http/outbound/outbound-exchange.js';
import { readAnthropicError } from './anthropic-errors.js';
import { ANTHROPIC_MODELS } from './model-lists.js';
import type { ReasoningOptions, ReasoningRequest, SdkWire } from './sdk-wire.js';

const TAKEN = /^(?:image\/(?:jpeg|png|gif|webp)|application\/pdf|text\/plain)$/;

/** Anthropic's smallest budget of thoughts, and the least that is left for the answer beside it. */
const LEAST_BUDGET = 1024;
const LEAST_ANSWER = 256;

/** Thinks within a budget of tokens; every later model decides on its own how much an effort is. */
const THINKS_IN_BUDGET = /claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:-[015])?(?:-\d{8})?$)/;
/** Does not think at all. */
const NEVER_THINKS = /claude-(?:instant|v?2|3-(?!7))/;
/** Knows no effort above high, and shows its thoughts without being asked. */
const FIRST_ADAPTIVE = /claude-(?:opus|sonnet)-4-6/;

const SHARE_OF_BUDGET: Readonly<Record<string, number>> = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8 };
const EFFORTS: Readonly<Record<string, string>> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high' };

/** The limit of a call holds for thoughts and answer together; the library adds the budget to what it is given. */
const inBudget = (effort: string, maxTokens: number | null): ReasoningOptions | null => {
  const most = maxTokens ?? 0;
  const wanted = Math.floor(most * (SHARE_OF_BUDGET[effort] ?? SHARE_OF_BUDGET['high'] ?? 0));
  const budgetTokens = Math.max(LEAST_BUDGET, wanted);
  if (budgetTokens + LEAST_ANSWER > most) return null;
  return { options: { thinking: { type: 'enabled', budgetTokens } }, maxTokens: most - budgetTokens };
};

const adaptive = (effort: string, modelName: string): ReasoningOptions => {
  const isFirst = FIRST_ADAPTIVE.test(modelName);
  const known = EFFORTS[effort] ?? (isFirst ? 'high' : effort === 'xhigh' ? 'xhigh' : 'max');
  return { options: { thinking: { type: 'adaptive', ...(!isFirst && { display: 'summarized' }) }, effort: known } };
};

/** How Claude is told to think. A loop of tool calls without its signed thoughts cannot be thought on. */
export const toThinking = ({ model, effort, maxTokens, lacksThoughts }: ReasoningRequest): ReasoningOptions | null => {
  const { model_name: name } = model;
  const isBudget = THINKS_IN_BUDGET.test(name);
  if (effort === 'none')
    return { options: isBudget || NEVER_THINKS.test(name) ? {} : { thinking: { type: 'disabled' } } };
  if (lacksThoughts || NEVER_THINKS.test(name)) return null;
  return isBudget ? inBudget(effort, maxTokens) : adaptive(effort, name);
};

const LIMIT = /^anthropic-ratelimit-(requests|tokens)-(limit|remaining|reset)$/;

/** Anthropic tells when a limit is lifted, OpenAI in how long. */
const inSeconds = (date: string): string => `${Math.max(0, Math.ceil((Date.parse(date) - Date.now()) / 1000))}s`;

/** Limits under OpenAI's names. */
const handOn = (headers: OutboundResponseHeaders): Record<string, string> => {
  const limits: Record<string, string> = {};
  for (const name in headers) {
    const [, what, which] = LIMIT.exec(name) ?? [];
    const value = headers[name];
    if (what === undefined || typeof value !== 'string') continue;
    limits[`x-ratelimit-${which}-${what}`] = which === 'reset' ? inSeconds(value) : value;
  }
  return limits;
};

const toUserId = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'string' ? { metadata: { userId: value } } : null;

/** Anthropic's Messages. */
export const ANTHROPIC: SdkWire = {
  name: 'Anthropic',
  optionsName: 'anthropic',
  keyHeader: (key) => ({ 'x-api-key': key }),
  framing: 'events',
  requiresMaxTokens: true,
  languageModel: (settings, modelName) => createAnthropic({ ...settings, apiKey: '' })(modelName),
  takes: (mediaType) => TAKEN.test(mediaType),
  takesUrl: (mediaType, { protocol }) =>
    /^https?:$/.test(protocol) && (mediaType.startsWith('image/') || mediaType === 'application/pdf'),
  takesMediaInResults: () => true,
  reasoning: toThinking,
  optionOf: {
    user: toUserId,
    safety_identifier: toUserId,
    parallel_tool_calls: (value) => (value === false ? { disableParallelToolUse: true } : null),
  },
  // One and the same body for tools, streamed or not, which its cache needs; compatible servers know no other.
  always: { toolStreaming: false },
  readError: readAnthropicError,
  handOn,
  models: ANTHROPIC_MODELS,
};
