import { isPlainObject } from '../../../contract/fields.js';
import type { TokenUsage } from '../../calls/wire/usage.js';
import type { DeltaUsage, Usage } from './message-events.js';

/** Nothing is known of it yet; the last event tells. */
const NOTHING: DeltaUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
  output_tokens_details: null,
  server_tool_use: null,
};

/** Tokens that were written into a cache, as OpenAI's `usage` tells it. */
export const cacheWritesIn = (usage: unknown): number => {
  const details = isPlainObject(usage) ? usage['prompt_tokens_details'] : null;
  const written = isPlainObject(details) ? details['cache_write_tokens'] : null;
  return typeof written === 'number' && Number.isInteger(written) && written > 0 ? written : 0;
};

/** OpenAI counts what a cache gave and took as part of the input, Anthropic beside it. */
export const toDeltaUsage = (usage: TokenUsage | null, cacheWrites: number): DeltaUsage => {
  if (usage === null) return NOTHING;
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = usage;
  const written = Math.min(cacheWrites, inputTokens - cachedTokens);
  return {
    input_tokens: inputTokens - cachedTokens - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens > 0 ? { thinking_tokens: reasoningTokens } : null,
    server_tool_use: null,
  };
};

export const toUsage = (usage: DeltaUsage): Usage => ({
  ...usage,
  cache_creation: null,
  inference_geo: null,
  service_tier: null,
  speed: null,
});
