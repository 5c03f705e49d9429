const MINUTE = 60_000;

/** Usage arrives a second late, and later when something is slow. */
export const SETTLE_MILLISECONDS = 15_000;
/** Minutes that are caught up after an outage. */
export const MOST_CAUGHT_UP = 360;
/** Minutes that somebody who is behind waits for whoever evaluated ahead of him, before he takes that one's clock for wrong. */
const AHEAD_MINUTES = 10;

/** The minute to evaluate next. */
export interface NextMinute {
  end: Date;
  isPresent: boolean;
  /** Minutes that are late with it, this one not counted. */
  backlog: number;
  /** Minutes before it that are never evaluated. */
  skipped: number;
  /** Minutes that a clock which was wrong evaluated ahead of time. */
  ahead: number;
}

const wholeMinutes = (time: number): number => Math.floor(time / MINUTE);

/** The end of the newest minute whose usage is there. */
export const newestMinute = (now: Date): Date => new Date(wholeMinutes(now.getTime() - SETTLE_MILLISECONDS) * MINUTE);

/**
 * Tells whether somebody evaluated ahead of time by a clock that was wrong. That it is ahead of this process is no proof: a process that
 * stood still for a while looks at an old time, too. But where nothing moves while ten minutes go by, nobody is ahead any more.
 */
export class AheadWatch {
  private stuck: { at: number; since: number } | null = null;

  isWrong(evaluatedTo: Date | null, due: Date): boolean {
    const [at, now] = [evaluatedTo?.getTime() ?? 0, due.getTime()];
    const since = this.stuck?.at === at ? this.stuck.since : now;
    this.stuck = at > now ? { at, since } : null;
    return this.stuck !== null && now - since >= AHEAD_MINUTES * MINUTE;
  }
}

/**
 * @param isAheadWrong what was evaluated ahead of time does not count, see AheadWatch
 * @returns null: everything up to `due` was evaluated
 */
export const nextMinute = (evaluatedTo: Date | null, due: Date, isAheadWrong = false): NextMinute | null => {
  const first = { end: due, isPresent: true, backlog: 0, skipped: 0, ahead: 0 };
  if (evaluatedTo === null) return first;
  const late = wholeMinutes(due.getTime()) - wholeMinutes(evaluatedTo.getTime());
  if (late <= 0) return isAheadWrong ? { ...first, ahead: -late } : null;
  const rest = Math.min(late, MOST_CAUGHT_UP);
  return {
    end: new Date(due.getTime() - (rest - 1) * MINUTE),
    isPresent: rest === 1,
    backlog: late - 1,
    skipped: late - rest,
    ahead: 0,
  };
};
