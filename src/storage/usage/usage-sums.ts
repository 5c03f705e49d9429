import type { CallOutcome, UsageRecord } from '../../contract/usage.contract.js';

/** Calls that ended well, or that their caller gave up: the model is not to blame. */
export const NO_ERRORS: readonly CallOutcome[] = ['ok', 'client_gone'];
export const isError = (outcome: CallOutcome): boolean => !NO_ERRORS.includes(outcome);

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

/** What a batch adds to a prompt template. */
export interface PromptSum {
  promptId: string;
  calls: number;
  lastUsedAt: number;
}

/** Per prompt, in the order of ids. */
export const sumByPrompt = (records: readonly UsageRecord[]): PromptSum[] => {
  const sums = new Map<string, PromptSum>();
  for (const { prompt_id: promptId, calls, last_at: at } of records) {
    if (promptId === null) continue;
    const sum = sums.get(promptId) ?? { promptId, calls: 0, lastUsedAt: 0 };
    sums.set(promptId, { promptId, calls: sum.calls + calls, lastUsedAt: Math.max(sum.lastUsedAt, at) });
  }
  return [...sums.values()].sort((a, b) => (a.promptId < b.promptId ? -1 : 1));
};
