import { Injectable } from '@nestjs/common';

const CAPACITY = 10;
const PER_CALL = 0.1;
const PER_SECOND = 1;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Retries a model's failing provider may be given: a tenth of its calls, at least one a second, at most ten at once. So a
 * provider that is down sees hardly more requests than one that is up. One bucket per config: what one provider uses up
 * is not missing for another.
 */
@Injectable()
export class RetryBudget {
  private readonly buckets = new Map<string, Bucket>();

  /** A call of the model began. */
  earn(configId: string): void {
    const bucket = this.buckets.get(configId);
    // A full bucket is the same as none.
    if (!bucket) return;
    bucket.tokens += PER_CALL;
  }

  /** Whether one more retry may be made. */
  spend(configId: string, now = performance.now()): boolean {
    const bucket = this.buckets.get(configId) ?? { tokens: CAPACITY, at: now };
    const tokens = Math.min(CAPACITY, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
    const isEnough = tokens >= 1;
    this.buckets.set(configId, { tokens: isEnough ? tokens - 1 : tokens, at: now });
    return isEnough;
  }
}
