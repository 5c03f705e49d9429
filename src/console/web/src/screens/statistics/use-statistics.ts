import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../../api/client';
import { useUrlParameters } from '../../ui/url-parameters';
import type { paths } from '../../api/schema';

export type Statistics = Schemas['ModelStatistics'];
export type Point = Schemas['StatisticsPoint'];
type Query = NonNullable<paths['/api/v1/ai-models/statistics']['get']['parameters']['query']>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far back, and how long a point is. */
export const RANGES = {
  '1h': { milliseconds: HOUR, interval: 'minute' },
  '24h': { milliseconds: DAY, interval: 'hour' },
  '7d': { milliseconds: 7 * DAY, interval: 'hour' },
  '30d': { milliseconds: 30 * DAY, interval: 'day' },
  '365d': { milliseconds: 365 * DAY, interval: 'week' },
} as const;
export type Range = keyof typeof RANGES;

export const GROUPS = ['model', 'provider', 'prompt', 'token', 'error_class'] as const;
export type Group = (typeof GROUPS)[number];

/** Asked of the browser; part of the address, so that a link shows the same to everybody. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const SOURCES = ['all', 'api', 'playground', 'test'] as const;
export type Source = (typeof SOURCES)[number];

export interface Chosen {
  range: Range;
  source: Source;
  group: Group | null;
  zone: string;
}

export const useChosen = (): { chosen: Chosen; change: (name: string, value: string | null) => void } => {
  const { params, change } = useUrlParameters();
  const range = params.get('range') ?? '24h';
  const group = params.get('group');
  const chosen: Chosen = {
    range: range in RANGES ? (range as Range) : '24h',
    group: GROUPS.find((one) => one === group) ?? null,
    source: SOURCES.find((one) => one === params.get('source')) ?? 'all',
    zone: params.get('tz') ?? ownZone(),
  };
  return { chosen, change };
};

export const queryOf = ({ range, group, zone, source }: Chosen, now: number): Query => {
  const { milliseconds, interval } = RANGES[range];
  const to = Math.ceil(now / MINUTE) * MINUTE;
  return {
    from: new Date(to - milliseconds).toISOString(),
    to: new Date(to).toISOString(),
    interval,
    tz: zone,
    source,
    ...(group && { group_by: group }),
  };
};

export const useStatistics = (chosen: Chosen) =>
  useQuery({
    queryKey: ['statistics', chosen],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET('/api/v1/ai-models/statistics', { params: { query: queryOf(chosen, Date.now()) }, signal }),
      ) as Promise<Statistics>,
    placeholderData: keepPreviousData,
    refetchInterval: MINUTE,
  });
