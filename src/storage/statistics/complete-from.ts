import type { EntityManager } from 'typeorm';
import type { CompleteFrom } from './time-range.js';

const COMPLETE_FROM = 'SELECT resolution, complete_from FROM usage_retention';

/** From when on rows by the minute and by the hour are all there. */
export const readCompleteFrom = async (manager: EntityManager): Promise<CompleteFrom> => {
  const rows = await manager.query<{ resolution: 'minute' | 'hour'; complete_from: Date }[]>(COMPLETE_FROM);
  const times = new Map(rows.map((row) => [row.resolution, row.complete_from.getTime()]));
  return { minute: times.get('minute') ?? 0, hour: times.get('hour') ?? 0 };
};
