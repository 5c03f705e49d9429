import { Injectable } from '@nestjs/common';

const CAPACITY = 10;
const PER_CALL = 0.1;
const PER_SECOND = 1;

interface Bucket {
  tokens: number;
  at: number;
  /** What calls have brought of what each second brings at least. */
  earned: number;
}

/**
 * Retries that somebody who fails may be given: a tenth of the calls to him, at least one a second, at most ten at once. So
 * he sees hardly more requests than he would if he were well. One bucket for each `target`, such as the id of a config:
 * what one uses up is not missing for another.
 */
@Injectable()
export class RetryBudget {
  private readonly buckets = new Map<string, Bucket>();

  /** A call of the target began. */
  earn(target: string): void {
    const bucket = this.buckets.get(target);
    // A full bucket is the same as none.
    if (!bucket) return;
    bucket.tokens += PER_CALL;
    bucket.earned = Math.min(PER_SECOND, bucket.earned + PER_CALL);
  }

  /** Whether one more retry may be made. */
  spend(target: string, now = performance.now()): boolean {
    const { tokens, at, earned } = this.buckets.get(target) ?? { tokens: CAPACITY, at: now, earned: 0 };
    const least = ((now - at) / 1000) * PER_SECOND;
    const there = Math.min(CAPACITY, tokens + Math.max(0, least - earned));
    const isEnough = there >= 1;
    this.buckets.set(target, { tokens: isEnough ? there - 1 : there, at: now, earned: Math.max(0, earned - least) });
    return isEnough;
  }
}
