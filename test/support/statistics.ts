import type { ModelStatistics, StatisticsSeries } from '../../src/contract/statistics.contract.js';
import type { UsageRecord } from '../../src/contract/usage.contract.js';
import { aUsageBatch } from '../factories/usage-record.js';
import type { TestHub } from './hub.js';

export const STATISTICS = '/api/v1/ai-models/statistics';
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type StatisticsParameters = Record<string, string>;

/** A time as text, and back. */
export const text = (time: number): string => new Date(time).toISOString();
export const at = (time: string): number => Date.parse(time);

/** Sends records as one batch, as an AI model service does. */
export const postUsage = async (hub: TestHub, ...records: UsageRecord[]): Promise<void> => {
  const batch = aUsageBatch(...records);
  await hub.request('post', '/internal/v1/usage', hub.serviceToken).send(batch).expect(200);
};

export const readStatistics = async (hub: TestHub, query: StatisticsParameters = {}): Promise<ModelStatistics> =>
  (await hub.request('get', STATISTICS).query(query).expect(200)).body as ModelStatistics;

/** The fields of a query that is refused, and what is said of them. */
export const refusalOf = async (
  hub: TestHub,
  query: StatisticsParameters | string,
): Promise<{ field: string; message: string }[]> => {
  const { body } = await hub
    .request('get', STATISTICS)
    .query(query)
    .expect(400, /"code":"validation_failed"/);
  return (body as { errors: { field: string; message: string }[] }).errors;
};

/** Every group with its calls, in the order of the answer. */
export const groupsIn = ({ series }: ModelStatistics): [StatisticsSeries['group'], number][] =>
  (series ?? []).map(({ group, totals }) => [group, totals.calls]);
