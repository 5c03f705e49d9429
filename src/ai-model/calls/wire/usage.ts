import { CHARACTERS_PER_TOKEN, toTokens, weighText } from '../../../platform/text/text-weight.js';

/** What a call used. Cached tokens are part of the input, reasoning tokens part of the output. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly estimated: boolean;
}

/** No call uses more; a larger number is a broken server, and would spoil every sum it enters. */
const MOST_TOKENS = 1_000_000_000;

/** What an answer or a chunk says of its usage: OpenAI's place, Groq's, or Moonshot's; undefined: nothing. */
export const findUsage = (answer: unknown): unknown =>
  field(answer, 'usage') ??
  field(field(answer, 'x_groq'), 'usage') ??
  field(firstOf(field(answer, 'choices')), 'usage');

const firstOf = (list: unknown): unknown => (Array.isArray(list) ? (list as unknown[])[0] : undefined);

/**
 * Reads the `usage` of an OpenAI answer. A value that cannot be a count is treated as missing; null when neither
 * `prompt_tokens` nor `completion_tokens` is left. An embedding has no `completion_tokens`.
 */
export const usageFromAnswer = (usage: unknown): TokenUsage | null => {
  const input = count(usage, 'prompt_tokens');
  const output = count(usage, 'completion_tokens');
  if (input === null && output === null) return null;
  const inputTokens = input ?? 0;
  const cached = cachedIn(usage) ?? 0;
  const reasoning = count(field(usage, 'completion_tokens_details'), 'reasoning_tokens') ?? 0;
  // xAI counts its reasoning beside the output; only the sum tells.
  const isBeside = reasoning > 0 && count(usage, 'total_tokens') === inputTokens + (output ?? 0) + reasoning;
  const outputTokens = (output ?? 0) + (isBeside ? reasoning : 0);
  return {
    inputTokens,
    cachedTokens: Math.min(cached, inputTokens),
    outputTokens,
    reasoningTokens: Math.min(reasoning, outputTokens),
    estimated: false,
  };
};

/** Under OpenAI's name, DeepSeek's or Moonshot's. */
const cachedIn = (usage: unknown): number | null =>
  count(field(usage, 'prompt_tokens_details'), 'cached_tokens') ??
  count(usage, 'prompt_cache_hit_tokens') ??
  count(usage, 'cached_tokens');

/**
 * A guess for a provider that reports nothing: four characters are a token, a CJK character is one. Only text parts
 * count; what an image costs differs too much between models to guess.
 * @param outputCharacters weighed as in text-weight.ts, see ChatStreamTap.outputCharacters and weighText
 */
export const estimateUsage = (requestMessages: unknown, outputCharacters: number): TokenUsage => {
  const messages = Array.isArray(requestMessages) ? requestMessages : [];
  const inputCharacters = messages.reduce<number>((sum, message) => sum + weighContent(field(message, 'content')), 0);
  return {
    inputTokens: toTokens(inputCharacters),
    cachedTokens: 0,
    outputTokens: toTokens(outputCharacters),
    reasoningTokens: 0,
    estimated: true,
  };
};

/** The same for vectors: a token that is sent as one counts as one. */
export const estimateEmbeddingUsage = (input: unknown): TokenUsage => ({
  inputTokens: toTokens(weighInput(input)),
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: true,
});

const weighInput = (input: unknown): number => {
  if (typeof input === 'string') return weighText(input);
  if (typeof input === 'number') return CHARACTERS_PER_TOKEN;
  return Array.isArray(input) ? input.reduce<number>((sum, entry) => sum + weighInput(entry), 0) : 0;
};

const weighContent = (content: unknown): number => {
  if (typeof content === 'string') return weighText(content);
  if (!Array.isArray(content)) return 0;
  return content.reduce<number>((sum, part) => sum + weighPart(part), 0);
};

const weighPart = (part: unknown): number => {
  const text = field(part, 'type') === 'text' ? field(part, 'text') : undefined;
  return typeof text === 'string' ? weighText(text) : 0;
};

const count = (record: unknown, name: string): number | null => {
  const value = field(record, name);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS ? value : null;
};

const field = (record: unknown, name: string): unknown =>
  typeof record === 'object' && record !== null ? (record as Record<string, unknown>)[name] : undefined;
