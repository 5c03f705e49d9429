import { useQuery } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../../api/client';

const DAY = 24 * 60 * 60 * 1000;
const MINUTE = 60_000;

export type Totals = Schemas['ModelStatistics'];

const statisticsOf = (from: number, to: number, signal: AbortSignal): Promise<Totals> => {
  const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return bodyOf(api.GET('/api/v1/ai-models/statistics', { params: { query }, signal })) as Promise<Totals>;
};

/** The last 24 hours, and the 24 before. */
export const useDays = () =>
  useQuery({
    queryKey: ['overview', 'days'],
    queryFn: async ({ signal }) => {
      const now = Math.ceil(Date.now() / MINUTE) * MINUTE;
      const [today, before] = await Promise.all([
        statisticsOf(now - DAY, now, signal),
        statisticsOf(now - 2 * DAY, now - DAY, signal),
      ]);
      return { today, before };
    },
    refetchInterval: MINUTE,
  });

export const useModelsInTrouble = () =>
  useQuery({
    queryKey: ['models', 'trouble'],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/api/v1/ai-models/configs', { params: { query: { status: 'error', limit: 10 } }, signal })),
    refetchInterval: MINUTE,
  });

export const useLatestChanges = () =>
  useQuery({
    queryKey: ['history', 'latest'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/v1/history', { params: { query: { limit: 10 } }, signal })),
    refetchInterval: MINUTE,
  });
