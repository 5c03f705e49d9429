import type { ResponsesRequest, ResponsesTool } from './responses-request.js';
import { usageFromAnswer } from '../../calls/wire/usage.js';
import { isPlainObject } from '../../../contract/fields.js';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** What changes in a Response while it is made. */
export interface ResponseState {
  status: ResponseStatus;
  output: readonly object[];
  /** OpenAI's chat usage. */
  usage: unknown;
  /** The tier that the provider says it has used. */
  serviceTier: unknown;
  completedAt: number | null;
  incompleteReason: 'max_output_tokens' | 'content_filter' | null;
  error: { code: string; message: string } | null;
}

/** Who a Response is, and what was asked. */
export interface ResponseIdentity {
  id: string;
  /** Seconds since 1970. */
  createdAt: number;
  request: ResponsesRequest;
}

/** OpenAI's Response: all of its fields, with the parameters of the request told back. */
export const toResponseObject = (
  { id, createdAt, request }: ResponseIdentity,
  state: ResponseState,
): Readonly<Record<string, unknown>> => ({
  id,
  object: 'response',
  created_at: createdAt,
  status: state.status,
  background: false,
  completed_at: state.completedAt,
  error: state.error,
  incomplete_details: state.incompleteReason && { reason: state.incompleteReason },
  ...parametersOf(request),
  model: request.model,
  output: state.output,
  previous_response_id: null,
  service_tier: state.serviceTier ?? request.service_tier ?? null,
  // Nothing of a call is kept, whatever was asked for.
  store: false,
  usage: toResponsesUsage(state.usage),
});

const parametersOf = (request: ResponsesRequest): object => ({
  instructions: request.instructions ?? null,
  max_output_tokens: request.max_output_tokens ?? null,
  metadata: request.metadata ?? {},
  parallel_tool_calls: request.parallel_tool_calls ?? true,
  prompt_cache_key: request.prompt_cache_key ?? null,
  reasoning: {
    effort: request.reasoning?.effort ?? null,
    summary: request.reasoning?.summary ?? request.reasoning?.generate_summary ?? null,
  },
  safety_identifier: request.safety_identifier ?? null,
  // The defaults are the model's own, and not known here.
  temperature: request.temperature ?? null,
  text: { format: request.text?.format ?? { type: 'text' }, verbosity: request.text?.verbosity ?? null },
  tool_choice: request.tool_choice ?? 'auto',
  tools: (request.tools ?? []).map(withEveryField),
  top_logprobs: request.top_logprobs ?? 0,
  top_p: request.top_p ?? null,
  truncation: 'disabled',
  user: request.user ?? null,
});

const withEveryField = (tool: ResponsesTool): object =>
  tool.type === 'function' ? { description: null, parameters: null, strict: null, ...tool } : tool;

/** Null where the provider tells none. */
const toResponsesUsage = (sent: unknown): object | null => {
  const usage = usageFromAnswer(sent);
  if (usage === null) return null;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: cacheWritesIn(sent) },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
};

const cacheWritesIn = (sent: unknown): number => {
  const details = isPlainObject(sent) ? sent['prompt_tokens_details'] : null;
  const written = isPlainObject(details) ? details['cache_write_tokens'] : null;
  return typeof written === 'number' && Number.isInteger(written) && written >= 0 ? written : 0;
};
