import type { UsageRecord } from '../../contract/usage.contract.js';

/** What calls have in common; what a series does not tell apart is empty. */
export interface Dimensions {
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

export type Dimension = keyof Dimensions;

const EMPTY: Dimensions = {
  configId: '00000000-0000-0000-0000-000000000000',
  alias: '',
  provider: '',
  source: '',
  outcome: '',
  streamed: false,
  tokenId: '',
  promptId: '',
  promptName: '',
  promptVersion: 0,
  promptLabel: '',
};

/** The finest, which answers everything, is the last. */
export const LEVELS = { total: 0, outcome: 1, model: 2, token: 3, prompt: 4, kind: 5 } as const;
export type Level = (typeof LEVELS)[keyof typeof LEVELS];

/**
 * How finely calls are told apart. The same calls are added up at each level, so that a question about all calls, or about
 * one side of them, reads a few rows per hour, however many kinds of calls there are.
 */
const TOLD_APART: Record<Level, readonly Dimension[]> = {
  [LEVELS.total]: ['source'],
  [LEVELS.outcome]: ['source', 'outcome'],
  [LEVELS.model]: ['source', 'configId', 'alias', 'provider'],
  [LEVELS.token]: ['source', 'tokenId'],
  [LEVELS.prompt]: ['source', 'promptId', 'promptName', 'promptVersion', 'promptLabel'],
  [LEVELS.kind]: Object.keys(EMPTY) as Dimension[],
};

/** The first level whose rows can be chosen and grouped by all of these. */
export const levelFor = (wanted: readonly Dimension[]): Level =>
  Object.values(LEVELS).find((level) => wanted.every((dimension) => TOLD_APART[level].includes(dimension))) ??
  LEVELS.kind;

/** A row of `usage_series`. */
export interface Series extends Dimensions {
  level: Level;
}

/** Ids in lower case, as the database compares them. */
const dimensionsOf = (record: UsageRecord): Dimensions => ({
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
});

/** The series a record belongs to, one for each level. */
export const seriesOf = (record: UsageRecord): Series[] => {
  const all = dimensionsOf(record);
  return Object.values(LEVELS).map((level) => {
    const kept = TOLD_APART[level].map((dimension) => [dimension, all[dimension]]);
    return { ...EMPTY, ...(Object.fromEntries(kept) as Partial<Dimensions>), level };
  });
};
