import type { RedisConnection } from '../../platform/redis/redis-connection.js';
import { RedisScript } from '../../platform/redis/redis-script.js';
import { RateLimiter, type RateVerdict } from './rate-limiter.js';
import { SlidingWindowLimiter } from './sliding-window.js';

/**
 * The window in Redis: a hash of attempts by second, on Redis' own clock. KEYS[1] is the hash, ARGV[1] the limit; answers
 * whether the attempt is allowed, and the milliseconds until one may be. What stands there and is no number of attempts
 * in a second is removed, a value of another type too. As long as nothing is allowed the hash is only read, and it goes by
 * itself a minute after the last attempt.
 */
const TAKE = new RedisScript(`
local key, limit = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1])
local size = redis.pcall('HLEN', key)
if type(size) ~= 'number' or size > 240 then redis.call('DEL', key) end
local found, counts, seconds, sum = redis.call('HGETALL', key), {}, {}, 0
for i = 1, #found, 2 do
  local field, value = found[i], found[i + 1]
  local isNumber = #field <= 12 and #value <= 9 and string.match(field, '^%d+$') and string.match(value, '^%d+$')
  local second = isNumber and tonumber(field)
  if second and math.abs(second - now) < 60 then
    counts[second] = tonumber(value)
    seconds[#seconds + 1] = second
    sum = sum + counts[second]
  else
    redis.call('HDEL', key, field)
  end
end
if sum < limit then
  redis.call('HINCRBY', key, now, 1)
  redis.call('PEXPIRE', key, 61000)
  return {1, 0}
end
table.sort(seconds)
for _, second in ipairs(seconds) do
  sum = sum - counts[second]
  if sum < limit then
    return {0, math.max(1, (second + 60) * 1000 - now * 1000 - math.floor(tonumber(time[2]) / 1000))}
  end
end
return {0, 60000}
`);

const LONGEST_WAIT_MILLISECONDS = 120_000;

/** null: not what the script answers, so Redis is not believed. */
const toVerdict = (answer: unknown): RateVerdict | null => {
  if (!Array.isArray(answer) || answer.length !== 2) return null;
  const [allowed, wait] = answer as unknown[];
  if (allowed === 1) return { isAllowed: true, retryAfterMilliseconds: 0 };
  const isWait = typeof wait === 'number' && wait > 0 && wait <= LONGEST_WAIT_MILLISECONDS;
  return allowed === 0 && isWait ? { isAllowed: false, retryAfterMilliseconds: wait } : null;
};

/**
 * One window for all processes, in Redis. The attempts of this process are counted here as well: they answer alone when
 * Redis cannot, and when they have used up the limit by themselves Redis need not be asked.
 */
export class SharedRateLimiter extends RateLimiter {
  private readonly own = new SlidingWindowLimiter();

  constructor(private readonly redis: RedisConnection) {
    super();
  }

  override take(key: string, limit: number): RateVerdict | Promise<RateVerdict> {
    if (!this.redis.isUsable) return this.own.take(key, limit);
    const verdict = this.own.look(key, limit);
    return verdict.isAllowed ? this.takeShared(key, limit) : verdict;
  }

  private async takeShared(key: string, limit: number): Promise<RateVerdict> {
    const answer = await this.redis.run((redis) => TAKE.run(redis, [`hub:rate:${key}`], [limit]));
    const verdict = toVerdict(answer);
    if (verdict === null) return this.own.take(key, limit);
    if (verdict.isAllowed) this.own.note(key);
    return verdict;
  }
}
