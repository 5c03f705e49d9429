import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import {
  CALL_SOURCES,
  type CallOutcome,
  type CallSource,
  MINUTE_MILLISECONDS,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import type { TokenUsage } from '../chat/wire/usage.js';

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
  /** null: without a system prompt of the hub. */
  prompt: UsedPrompt | null;
  /** Scrubbed of secrets; null when the call went well. */
  error: string | null;
  usage: TokenUsage | null;
  firstByteMs: number | null;
  totalMs: number;
}

/** `x-hub-source`: who asks; anything else counts as an API call. */
export const sourceOf = (header: unknown): CallSource => CALL_SOURCES.find((source) => source === header) ?? 'api';

const minuteOf = (at: number): number => at - (at % MINUTE_MILLISECONDS);

/** Calls with the same key are added up. */
export const kindOf = (call: FinishedCall, at: number): string =>
  `${minuteOf(at)} ${call.model.id} ${call.model.version} ${call.outcome} ${call.streamed} ${call.source} ${call.tokenId}`;

/** A record of no calls yet, of the kind of this one. */
export const emptyRecord = ({ model, tokenId, source, streamed, outcome }: FinishedCall, at: number): UsageRecord => ({
  config_id: model.id,
  config_version: model.version,
  alias: model.alias,
  provider: model.provider,
  token_id: tokenId,
  source,
  outcome,
  streamed,
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
  last_at: at,
  last_error: null,
});

/** Adds a call to the record of its kind. */
export const addCall = (record: UsageRecord, call: FinishedCall, at: number): void => {
  const { usage, firstByteMs, totalMs, error } = call;
  record.calls += 1;
  record.total_ms += Math.round(totalMs);
  record.last_at = at;
  if (error !== null) record.last_error = error.replaceAll('\0', '').slice(0, MAX_ERROR);
  if (firstByteMs !== null) {
    record.first_byte_calls += 1;
    record.first_byte_ms += Math.round(firstByteMs);
  }
  if (usage === null) return;
  record.estimated_calls += usage.estimated ? 1 : 0;
  record.input_tokens += usage.inputTokens;
  record.cached_tokens += usage.cachedTokens;
  record.output_tokens += usage.outputTokens;
  record.reasoning_tokens += usage.reasoningTokens;
};
