import { type MetricFamily, single } from '../metrics/metric-family.js';
import type { RedisConnection } from './redis-connection.js';

/** Told by a process that has a REDIS_URL. */
export const redisFamilies = (redis: RedisConnection): MetricFamily[] => [
  single('hub_redis_up', 'Whether Redis is used; 0: it is left alone until it answers.', 'gauge', () =>
    redis.isTrusted ? 1 : 0,
  ),
  single(
    'hub_redis_reconnects_total',
    'Times that the connection to Redis was made anew.',
    'counter',
    () => redis.reconnects,
  ),
  single('hub_redis_timeouts_total', 'Commands that Redis did not answer in time.', 'counter', () => redis.timeouts),
];
