import { countInPairs, sortPairs } from '../../contract/histogram.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import {
  CALL_SOURCES,
  type CallOutcome,
  type CallSource,
  MINUTE_MILLISECONDS,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import type { TokenUsage } from '../calls/wire/usage.js';

/** Enough for an operator; a batch of a thousand stays far below what its route takes. */
const MAX_ERROR = 300;

/** The system prompt that a call was made with. */
export interface UsedPrompt {
  id: string;
  name: string;
  version: number;
  /** null: the caller asked for the version itself. */
  label: string | null;
}

/** One call that is over. Times are milliseconds. */
export interface FinishedCall {
  model: SnapshotModel;
  tokenId: string | null;
  source: CallSource;
  streamed: boolean;
  outcome: CallOutcome;
  /** Requests that the provider was sent for it, at least one. */
  attempts: number;
  /** null: without a system prompt of the hub. */
  prompt: UsedPrompt | null;
  /** Scrubbed of secrets; null when the call went well. */
  error: string | null;
  usage: TokenUsage | null;
  firstByteMs: number | null;
  totalMs: number;
  /** What the hub itself took; null: nothing was answered. */
  overheadMs: number | null;
  /** Another model was asked for. */
  isFallback: boolean;
}

/** `x-hub-source`: who asks; anything else counts as an API call. */
export const sourceOf = (header: unknown): CallSource => CALL_SOURCES.find((source) => source === header) ?? 'api';

const minuteOf = (at: number): number => at - (at % MINUTE_MILLISECONDS);

/** Calls with the same key are added up. */
export const kindOf = (call: FinishedCall, at: number): string => {
  const { model, prompt } = call;
  const kind = `${minuteOf(at)} ${model.id} ${model.version} ${call.outcome} ${call.streamed} ${call.source} ${call.tokenId}`;
  return prompt === null ? kind : `${kind} ${prompt.id} ${prompt.version} ${prompt.label} ${prompt.name}`;
};

/** A record of no calls yet, of the kind of this one. */
export const emptyRecord = (call: FinishedCall, at: number): UsageRecord => ({
  config_id: call.model.id,
  config_version: call.model.version,
  alias: call.model.alias,
  provider: call.model.provider,
  token_id: call.tokenId,
  source: call.source,
  outcome: call.outcome,
  streamed: call.streamed,
  prompt_id: call.prompt?.id ?? null,
  prompt_name: call.prompt?.name ?? null,
  prompt_version: call.prompt?.version ?? null,
  prompt_label: call.prompt?.label ?? null,
  input_price_per_million: call.model.input_price_per_million,
  cached_input_price_per_million: call.model.cached_input_price_per_million,
  output_price_per_million: call.model.output_price_per_million,
  minute: minuteOf(at),
  calls: 0,
  estimated_calls: 0,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  first_byte_calls: 0,
  first_byte_ms: 0,
  total_ms: 0,
  latency: [],
  first_byte: [],
  last_at: at,
  last_error: null,
});

/** Adds a call to the record of its kind; answers how many buckets its histograms have grown by. */
export const addCall = (record: UsageRecord, call: FinishedCall, at: number): number => {
  const { usage, firstByteMs, totalMs, error } = call;
  record.calls += 1;
  record.total_ms += totalMs;
  record.last_at = at;
  if (error !== null) record.last_error = error.replaceAll('\0', '').slice(0, MAX_ERROR);
  let buckets = countInPairs(record.latency, totalMs) ? 1 : 0;
  if (firstByteMs !== null) {
    record.first_byte_calls += 1;
    record.first_byte_ms += firstByteMs;
    buckets += countInPairs(record.first_byte, firstByteMs) ? 1 : 0;
  }
  if (usage !== null) addTokens(record, usage);
  return buckets;
};

const addTokens = (record: UsageRecord, usage: TokenUsage): void => {
  record.estimated_calls += usage.estimated ? 1 : 0;
  record.input_tokens += usage.inputTokens;
  record.cached_tokens += usage.cachedTokens;
  record.output_tokens += usage.outputTokens;
  record.reasoning_tokens += usage.reasoningTokens;
};

/** The record as it travels: whole milliseconds, ascending buckets. */
export const toSend = (record: UsageRecord): UsageRecord => ({
  ...record,
  first_byte_ms: Math.round(record.first_byte_ms),
  total_ms: Math.round(record.total_ms),
  latency: sortPairs(record.latency),
  first_byte: sortPairs(record.first_byte),
});

/** Numbers in the histograms of a record. */
export const histogramLength = ({ latency, first_byte: firstByte }: UsageRecord): number =>
  latency.length + firstByte.length;
