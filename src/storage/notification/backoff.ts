const MINUTE = 60;
/** Seconds until the next attempt after the first, the second, …; the last one stands for all that follow. */
const WAITS = [5, 15, 45, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE] as const;
/** A receiver that asks for more is asked again all the same. */
const MOST_ASKED_FOR = 60 * MINUTE;

/** When a message is tried again after so many attempts that failed; a receiver may ask for more patience, not for less. */
export const nextAttemptAt = (attempts: number, retryAfterSeconds: number | null, now: Date): Date => {
  const usual = WAITS[Math.min(Math.max(attempts, 1), WAITS.length) - 1] as number;
  const seconds = Math.max(usual, Math.min(retryAfterSeconds ?? 0, MOST_ASKED_FOR));
  return new Date(now.getTime() + seconds * 1000);
};
