import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

const isUnknown = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/** A script that Redis runs as one step. Only its digest travels, except when Redis does not know it (any more). */
export class RedisScript {
  private readonly sha1: string;

  constructor(private readonly text: string) {
    this.sha1 = createHash('sha1').update(text).digest('hex');
  }

  async run(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.sha1, keys.length, ...keys, ...values);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return redis.eval(this.text, keys.length, ...keys, ...values);
    }
  }
}
