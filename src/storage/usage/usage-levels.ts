import type { UsageRecord } from '../../contract/usage.contract.js';

/**
 * How finely calls are told apart. The same calls are added up at each level, so that a question that needs no more than
 * the models reads a few rows per hour, however many tokens, prompts and outcomes there are.
 */
export const LEVELS = {
  /** By who asked and how it ended. */
  total: 0,
  /** And by model. */
  model: 1,
  /** And by token, prompt and whether it was streamed. */
  kind: 2,
} as const;

export type Level = (typeof LEVELS)[keyof typeof LEVELS];

/** What the calls of a row have in common; what its level does not tell apart is empty. A row of `usage_series`. */
export interface Series {
  level: Level;
  configId: string;
  alias: string;
  provider: string;
  source: string;
  outcome: string;
  streamed: boolean;
  tokenId: string;
  promptId: string;
  promptName: string;
  promptVersion: number;
  promptLabel: string;
}

const NO_CONFIG = '00000000-0000-0000-0000-000000000000';
const NO_KIND = { streamed: false, tokenId: '', promptId: '', promptName: '', promptVersion: 0, promptLabel: '' };
const NO_MODEL = { ...NO_KIND, configId: NO_CONFIG, alias: '', provider: '' };

/** The series a record belongs to, one for each level. Ids in lower case, as the database compares them. */
export const seriesOf = (record: UsageRecord): Record<Level, Series> => {
  const kind: Series = {
    level: LEVELS.kind,
    configId: record.config_id.toLowerCase(),
    alias: record.alias,
    provider: record.provider,
    source: record.source,
    outcome: record.outcome,
    streamed: record.streamed,
    tokenId: record.token_id ?? '',
    promptId: record.prompt_id?.toLowerCase() ?? '',
    promptName: record.prompt_name ?? '',
    promptVersion: record.prompt_version ?? 0,
    promptLabel: record.prompt_label ?? '',
  };
  return {
    [LEVELS.total]: { ...kind, ...NO_MODEL, level: LEVELS.total },
    [LEVELS.model]: { ...kind, ...NO_KIND, level: LEVELS.model },
    [LEVELS.kind]: kind,
  };
};
