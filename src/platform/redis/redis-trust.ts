const FIRST_TRIAL_MILLISECONDS = 1000;
const LONGEST_TRIAL_MILLISECONDS = 30_000;
/** Who did well for so long begins anew. */
const FORGIVEN_AFTER_MILLISECONDS = 60_000;

/**
 * Whether Redis may be asked. Trust is lost at the first failure, and won back by a time of nothing but good answers to
 * probes: each relapse doubles that time, so that a Redis that comes and goes costs hardly any call. Times are those of
 * `performance.now()`.
 */
export class RedisTrust {
  private given = false;
  private givenAt = 0;
  private goodSince: number | null = null;
  /** Milliseconds of good answers that are asked for; the first ones are believed at once. */
  private trial = 0;

  get isGiven(): boolean {
    return this.given;
  }

  /** A probe was answered. True when this gives the trust. */
  good(now: number): boolean {
    if (this.given) return false;
    this.goodSince ??= now;
    if (now - this.goodSince < this.trial) return false;
    this.given = true;
    this.givenAt = now;
    return true;
  }

  /** Something failed. True when this takes the trust away. */
  bad(now: number): boolean {
    this.goodSince = null;
    if (!this.given) {
      this.trial ||= FIRST_TRIAL_MILLISECONDS;
      return false;
    }
    this.given = false;
    const isFirst = this.trial === 0 || now - this.givenAt >= FORGIVEN_AFTER_MILLISECONDS;
    this.trial = isFirst ? FIRST_TRIAL_MILLISECONDS : Math.min(LONGEST_TRIAL_MILLISECONDS, this.trial * 2);
    return true;
  }
}
