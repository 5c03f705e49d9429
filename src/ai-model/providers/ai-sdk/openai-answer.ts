import { randomUUID } from 'node:crypto';
import type {
  LanguageModelV3Content,
  LanguageModelV3FinishReason,
  LanguageModelV3GenerateResult,
  LanguageModelV3Usage,
  SharedV3ProviderMetadata,
  SharedV3Warning,
} from '@ai-sdk/provider';
import { isPlainObject } from '../../../contract/fields.js';
import { ProviderError } from '../provider-error.js';

type Json = Record<string, unknown>;

/** OpenAI's `usage`; null when the provider told nothing. */
export const toUsage = ({ inputTokens, outputTokens, raw }: LanguageModelV3Usage): Json | null => {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return null;
  // Gemini counts what its tools read apart.
  const toolUse = Number(isPlainObject(raw) ? (raw['toolUsePromptTokenCount'] ?? 0) : 0);
  const prompt = (inputTokens.total ?? 0) + toolUse;
  const completion = outputTokens.total ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: inputTokens.cacheRead ?? 0,
      ...(inputTokens.cacheWrite !== undefined && { cache_write_tokens: inputTokens.cacheWrite }),
    },
    completion_tokens_details: { reasoning_tokens: outputTokens.reasoning ?? 0 },
  };
};

const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: null,
  other: 'stop',
} as const;

/** Gemini's word for an answer in a language that it does not write. */
const FILTERED = new Set(['LANGUAGE']);

/** OpenAI's `finish_reason`. Throws when the provider did not say that the answer is complete, or that it is none. */
export const toFinishReason = ({ unified, raw }: LanguageModelV3FinishReason, hasToolCalls: boolean): string => {
  if (raw === 'model_context_window_exceeded')
    throw new ProviderError('context_too_long', { message: 'the answer did not fit into the context window' });
  if (unified === 'other' && raw === undefined)
    throw new ProviderError('bad_answer', { message: 'the answer ended without a reason' });
  const reason = FILTERED.has(raw ?? '') ? 'content_filter' : FINISH_REASONS[unified];
  if (reason === null)
    throw new ProviderError('bad_answer', { message: `the provider ended its answer with ${raw ?? 'an error'}` });
  return reason === 'stop' && hasToolCalls ? 'tool_calls' : reason;
};

const ownMetadata = (metadata: SharedV3ProviderMetadata | undefined, name: string): unknown =>
  Object.values(metadata ?? {})
    .map((own) => own?.[name])
    .find((value) => value !== undefined);

/** A thought that goes back to the provider as it came: signed, or sealed; null: it need not. */
export const thoughtDetail = (text: string, metadata: SharedV3ProviderMetadata | undefined): Json | null => {
  const sealed = ownMetadata(metadata, 'redactedData');
  if (typeof sealed === 'string') return { type: 'reasoning.encrypted', data: sealed };
  const signature = ownMetadata(metadata, 'signature');
  return typeof signature === 'string' ? { type: 'reasoning.text', text, signature } : null;
};

/** Where Google's OpenAI format has the signature of the thought behind a tool call. */
export const signatureOf = (metadata: SharedV3ProviderMetadata | undefined): Json => {
  const signature = ownMetadata(metadata, 'thoughtSignature');
  return typeof signature === 'string' ? { extra_content: { google: { thought_signature: signature } } } : {};
};

/** Gemini also draws what it only thinks of: a draft, and no answer. */
export const isDraft = ({ providerMetadata }: Pick<LanguageModelV3Content, 'providerMetadata'>): boolean =>
  ownMetadata(providerMetadata, 'thought') === true;

/** An image the model made, as others write it beside OpenAI's text. */
export const toImage = ({ mediaType, data }: { mediaType: string; data: string | Uint8Array }): Json => {
  const base64 = typeof data === 'string' ? data : Buffer.from(data).toString('base64');
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${base64}` } };
};

/** What is in the content, kind by kind. */
const gather = (content: readonly LanguageModelV3Content[]) => {
  const found = {
    texts: [] as string[],
    thoughts: [] as string[],
    details: [] as Json[],
    calls: [] as Json[],
    images: [] as Json[],
  };
  for (const part of content) {
    if (part.type === 'text') found.texts.push(part.text);
    else if (part.type === 'file') {
      if (!isDraft(part)) found.images.push(toImage(part));
    } else if (part.type === 'reasoning') {
      if (part.text !== '') found.thoughts.push(part.text);
      const detail = thoughtDetail(part.text, part.providerMetadata);
      if (detail) found.details.push(detail);
    } else if (part.type === 'tool-call' && !part.providerExecuted) {
      const call = { name: part.toolName, arguments: part.input };
      found.calls.push({
        id: part.toolCallId,
        type: 'function',
        function: call,
        ...signatureOf(part.providerMetadata),
      });
    }
  }
  return found;
};

const toMessage = (content: readonly LanguageModelV3Content[]): { message: Json; hasToolCalls: boolean } => {
  const { texts, thoughts, details, calls, images } = gather(content);
  const message = {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    refusal: null,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join('\n\n') }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return { message, hasToolCalls: calls.length > 0 };
};

/** What both forms of an answer begin with. */
export const answerHead = (id: string | undefined, model: string | undefined, fallbackModel: string): Json => ({
  id: id ?? `chatcmpl-${randomUUID()}`,
  created: Math.floor(Date.now() / 1000),
  model: model ?? fallbackModel,
});

/** The library's result as OpenAI's `chat.completion`. */
export const toCompletion = (result: LanguageModelV3GenerateResult, modelName: string): Json => {
  const { message, hasToolCalls } = toMessage(result.content);
  const reason = toFinishReason(result.finishReason, hasToolCalls);
  const usage = toUsage(result.usage);
  return {
    ...answerHead(result.response?.id, result.response?.modelId, modelName),
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: reason, logprobs: null }],
    ...(usage && { usage }),
  };
};

/** The library's names of what a model cannot do, as OpenAI's parameters. */
const PARAMETER_OF: Readonly<Record<string, readonly string[]>> = {
  temperature: ['temperature'],
  topP: ['top_p'],
  topK: ['top_k'],
  seed: ['seed'],
  frequencyPenalty: ['frequency_penalty'],
  presencePenalty: ['presence_penalty'],
  stopSequences: ['stop'],
  responseFormat: ['response_format'],
  maxOutputTokens: ['max_completion_tokens', 'max_tokens'],
  toolChoice: ['tool_choice'],
  tool_choice: ['tool_choice'],
  tools: ['tools'],
  strict: ['tools'],
  'providerOptions.anthropic.thinking': ['reasoning_effort'],
  'providerOptions.anthropic.effort': ['reasoning_effort'],
};

/** Parameters of the caller that the library left out, as it says itself. */
export const ignoredBy = (
  warnings: readonly SharedV3Warning[],
  parameters: Readonly<Record<string, unknown>>,
): string[] => {
  const names = warnings.flatMap((warning) => ('feature' in warning ? (PARAMETER_OF[warning.feature] ?? []) : []));
  return names.filter((name) => parameters[name] !== null && parameters[name] !== undefined);
};
