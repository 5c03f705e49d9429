/** Whether one more call may be made, and if not, when. */
export interface RateVerdict {
  isAllowed: boolean;
  /** Milliseconds until a call may be allowed again; 0 when it is now. */
  retryAfterMilliseconds: number;
}

/**
 * Port and injection token of `rate_limit_per_minute`: at most so many attempts within any sixty seconds. In memory it
 * counts for this process, with Redis for all of them.
 */
export abstract class RateLimiter {
  /** Takes one of `limit` attempts per minute for `key`, if there is one left. Never throws. */
  abstract take(key: string, limit: number): RateVerdict | Promise<RateVerdict>;
}
