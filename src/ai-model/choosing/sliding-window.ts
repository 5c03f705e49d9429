import { Injectable } from '@nestjs/common';
import { RateLimiter, type RateVerdict } from './rate-limiter.js';

const SLOTS = 60;
const SLOT_MILLISECONDS = 1000;
const ALLOWED: RateVerdict = { isAllowed: true, retryAfterMilliseconds: 0 };

/** Attempts of the last minute by second. */
class Window {
  private readonly slots = new Uint32Array(SLOTS);
  private sum = 0;
  private newest: number;

  constructor(now: number) {
    this.newest = Math.floor(now / SLOT_MILLISECONDS);
  }

  look(limit: number, now: number): RateVerdict {
    this.moveTo(Math.floor(now / SLOT_MILLISECONDS));
    if (this.sum < limit) return ALLOWED;
    return { isAllowed: false, retryAfterMilliseconds: this.untilFree(limit, now) };
  }

  note(now: number): void {
    this.moveTo(Math.floor(now / SLOT_MILLISECONDS));
    const slot = this.newest % SLOTS;
    this.slots[slot] = (this.slots[slot] ?? 0) + 1;
    this.sum += 1;
  }

  isEmptyAt(now: number): boolean {
    this.moveTo(Math.floor(now / SLOT_MILLISECONDS));
    return this.sum === 0;
  }

  private moveTo(second: number): void {
    const steps = Math.min(SLOTS, second - this.newest);
    for (let step = 1; step <= steps; step += 1) {
      const slot = (second - steps + step) % SLOTS;
      this.sum -= this.slots[slot] ?? 0;
      this.slots[slot] = 0;
    }
    if (second > this.newest) this.newest = second;
  }

  /** Until so many of the oldest seconds have left the window that a call fits in. */
  private untilFree(limit: number, now: number): number {
    let left = this.sum;
    let second = this.newest - SLOTS + 1;
    for (; left >= limit && second <= this.newest; second += 1) left -= this.slots[second % SLOTS] ?? 0;
    return Math.max(1, (second - 1 + SLOTS) * SLOT_MILLISECONDS - now);
  }
}

const MAX_IDLE_WINDOWS = 1000;

/** In memory, one window per key, exact to the second: never more than the limit within sixty seconds. */
@Injectable()
export class SlidingWindowLimiter extends RateLimiter {
  private readonly windows = new Map<string, Window>();

  override take(key: string, limit: number, now = performance.now()): RateVerdict {
    const verdict = this.look(key, limit, now);
    if (verdict.isAllowed) this.note(key, now);
    return verdict;
  }

  /** What `take` would say; takes nothing. */
  look(key: string, limit: number, now = performance.now()): RateVerdict {
    return this.windowOf(key, now).look(limit, now);
  }

  /** Counts an attempt that somebody else has allowed. */
  note(key: string, now = performance.now()): void {
    this.windowOf(key, now).note(now);
  }

  private windowOf(key: string, now: number): Window {
    let window = this.windows.get(key);
    if (!window) {
      if (this.windows.size >= MAX_IDLE_WINDOWS) this.forgetIdle(now);
      window = new Window(now);
      this.windows.set(key, window);
    }
    return window;
  }

  private forgetIdle(now: number): void {
    for (const [key, window] of this.windows) if (window.isEmptyAt(now)) this.windows.delete(key);
  }
}
