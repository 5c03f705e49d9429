import type { CallOutcome, UsageRecord } from '../../contract/usage.contract.js';

/** Calls that ended well, or that their caller gave up: the model is not to blame. */
export const isError = (outcome: CallOutcome): boolean => outcome !== 'ok' && outcome !== 'client_gone';

/** Sums of the calls of one minute that are alike. */
export interface MinuteSum {
  minute: Date;
  configId: string;
  alias: string;
  provider: string;
  source: string;
  outcome: string;
  calls: number;
  estimatedCalls: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  firstByteCalls: number;
  firstByteMs: number;
  totalMs: number;
}

/** What a batch adds to a config's row. */
export interface ConfigSum {
  configId: string;
  calls: number;
  errors: number;
  lastUsedAt: number;
  /** The newest error with its time; null: none in this batch. */
  lastError: { text: string; at: number } | null;
  /** The newest answer that says something about the stored key, and the config's version it was made with. */
  credential: { version: number; isRejected: boolean; at: number } | null;
}

const emptyMinute = (record: UsageRecord): MinuteSum => ({
  minute: new Date(record.minute),
  configId: record.config_id,
  alias: record.alias,
  provider: record.provider,
  source: record.source,
  outcome: record.outcome,
  calls: 0,
  estimatedCalls: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  firstByteCalls: 0,
  firstByteMs: 0,
  totalMs: 0,
});

/** Per minute and kind of call, in the order of their keys, so that two batches never lock rows crosswise. */
export const sumByMinute = (records: readonly UsageRecord[]): MinuteSum[] => {
  const sums = new Map<string, MinuteSum>();
  for (const record of records) {
    const key = [record.minute, record.config_id, record.alias, record.provider, record.source, record.outcome].join(
      '\n',
    );
    const sum = sums.get(key) ?? emptyMinute(record);
    sums.set(key, sum);
    sum.calls += record.calls;
    sum.estimatedCalls += record.estimated_calls;
    sum.inputTokens += record.input_tokens;
    sum.cachedTokens += record.cached_tokens;
    sum.outputTokens += record.output_tokens;
    sum.reasoningTokens += record.reasoning_tokens;
    sum.firstByteCalls += record.first_byte_calls;
    sum.firstByteMs += record.first_byte_ms;
    sum.totalMs += record.total_ms;
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
};

const addRecord = (sum: ConfigSum, record: UsageRecord): void => {
  const { outcome, last_at: at } = record;
  sum.calls += record.calls;
  sum.lastUsedAt = Math.max(sum.lastUsedAt, at);
  if (isError(outcome)) {
    sum.errors += record.calls;
    if (at >= (sum.lastError?.at ?? 0)) sum.lastError = { text: record.last_error ?? outcome, at };
  }
  const tellsAboutKey = outcome === 'ok' || outcome === 'auth';
  const known = sum.credential ?? { version: 0, at: 0 };
  const { config_version: version } = record;
  if (tellsAboutKey && (version > known.version || (version === known.version && at >= known.at))) {
    sum.credential = { version, isRejected: outcome === 'auth', at };
  }
};

/** Per config, in the order of ids. */
export const sumByConfig = (records: readonly UsageRecord[]): ConfigSum[] => {
  const sums = new Map<string, ConfigSum>();
  for (const record of records) {
    const fresh = { configId: record.config_id, calls: 0, errors: 0, lastUsedAt: 0, lastError: null, credential: null };
    const sum = sums.get(record.config_id) ?? fresh;
    sums.set(record.config_id, sum);
    addRecord(sum, record);
  }
  return [...sums.values()].sort((a, b) => (a.configId < b.configId ? -1 : 1));
};
