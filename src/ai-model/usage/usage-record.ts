import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { CALL_SOURCES, type CallOutcome, type CallSource, type UsageRecord } from '../../contract/usage.contract.js';
import type { TokenUsage } from '../chat/wire/usage.js';

const MAX_ERROR = 500;

/** How a call went, as its record needs it. Times are milliseconds. */
export interface CallResult {
  outcome: CallOutcome;
  /** Scrubbed of secrets. */
  error: string | null;
  usage: TokenUsage | null;
  firstByteMs: number | null;
  totalMs: number;
}

interface CallFacts {
  model: SnapshotModel;
  tokenId: string | null;
  source: CallSource;
  streamed: boolean;
}

/** `x-hub-source`: who asks; anything else counts as an API call. */
export const sourceOf = (header: unknown): CallSource => CALL_SOURCES.find((source) => source === header) ?? 'api';

export const toUsageRecord = ({ model, tokenId, source, streamed }: CallFacts, result: CallResult): UsageRecord => ({
  config_id: model.id,
  config_version: model.version,
  alias: model.alias,
  provider: model.provider,
  token_id: tokenId,
  source,
  outcome: result.outcome,
  error: result.error?.replaceAll('\0', '').slice(0, MAX_ERROR) ?? null,
  streamed,
  input_tokens: result.usage?.inputTokens ?? 0,
  cached_tokens: result.usage?.cachedTokens ?? 0,
  output_tokens: result.usage?.outputTokens ?? 0,
  reasoning_tokens: result.usage?.reasoningTokens ?? 0,
  usage_estimated: result.usage?.estimated ?? false,
  first_byte_ms: result.firstByteMs === null ? null : Math.round(result.firstByteMs),
  total_ms: Math.round(result.totalMs),
  at: Date.now(),
});
