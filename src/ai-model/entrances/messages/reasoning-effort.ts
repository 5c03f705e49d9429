import type { MessagesRequest } from './messages-request.js';

/** The most thinking tokens of an effort; more is `high`. */
const LOW_TOKENS = 4096;
const MEDIUM_TOKENS = 16_384;

/** Anthropic's efforts by OpenAI's names. */
const EFFORTS: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'xhigh',
};

type Asked = Pick<MessagesRequest, 'thinking' | 'output_config'>;

/**
 * `thinking` and `output_config.effort` as OpenAI's `reasoning_effort`; undefined: the model decides. A budget is up to
 * 4,096 tokens `low`, up to 16,384 `medium`, above `high`; an effort that is named counts before it. That a model should
 * not think cannot be said in a way that all of them know: its thoughts are kept from the caller then.
 */
export const toReasoningEffort = ({ thinking, output_config: config }: Asked): string | undefined => {
  if (thinking?.type === 'disabled') return undefined;
  if (typeof config?.effort === 'string') return EFFORTS[config.effort];
  if (thinking?.type !== 'enabled' || thinking.budget_tokens === undefined) return undefined;
  if (thinking.budget_tokens <= LOW_TOKENS) return 'low';
  return thinking.budget_tokens <= MEDIUM_TOKENS ? 'medium' : 'high';
};
