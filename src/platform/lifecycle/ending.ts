/**
 * What follows on the signal, in this order: everything is still served; then to who is connected only, where nobody else
 * needs the listener; open calls may end; those that did not are told; usage is delivered; other requests get their
 * answers; so do those for whom there is none any more; the application closes; then what lies under it.
 */
export type EndingPhase =
  'notice' | 'lastCalls' | 'calls' | 'farewell' | 'usage' | 'answers' | 'connections' | 'application' | 'resources';

/** Shares of the whole and milliseconds at most. What is left goes to the open calls. */
const RESERVED: readonly (readonly [EndingPhase, share: number, most: number])[] = [
  ['farewell', 0.06, 1000],
  ['usage', 0.12, 3000],
  ['answers', 0.05, 1500],
  ['connections', 0.03, 500],
  ['application', 0.07, 3000],
  ['resources', 0.08, 3000],
];
const NOTICE_SHARE = 0.06;
const MOST_NOTICE_MILLISECONDS = 600;
const LAST_CALLS_SHARE = 0.1;
const MOST_LAST_CALLS_MILLISECONDS = 1000;
/** For the last line and the exit itself. */
const MARGIN_SHARE = 0.03;
const MOST_MARGIN_MILLISECONDS = 300;
/** From the second signal on. */
const HURRIED: readonly (readonly [EndingPhase, milliseconds: number])[] = [
  ['notice', 0],
  ['lastCalls', 0],
  ['calls', 0],
  ['farewell', 300],
  ['usage', 1300],
  ['answers', 1600],
  ['connections', 1800],
];

/** The time that is left to the process. The end of each phase is a moment: what one does not use is there for the next. */
export class Ending {
  private readonly endsAt: Record<EndingPhase, number>;

  /** @param milliseconds from now to the end of the process */
  constructor(milliseconds: number) {
    const now = performance.now();
    let end = now + milliseconds - Math.min(milliseconds * MARGIN_SHARE, MOST_MARGIN_MILLISECONDS);
    const ends: Partial<Record<EndingPhase, number>> = {};
    for (const [phase, share, most] of RESERVED.toReversed()) {
      ends[phase] = end;
      end -= Math.min(share * milliseconds, most);
    }
    const notice = now + Math.min(milliseconds * NOTICE_SHARE, MOST_NOTICE_MILLISECONDS);
    const lastCalls = now + Math.min(milliseconds * LAST_CALLS_SHARE, MOST_LAST_CALLS_MILLISECONDS);
    this.endsAt = { ...(ends as Record<EndingPhase, number>), calls: end, notice, lastCalls };
  }

  /** Milliseconds until this phase must be over, 0 when it must be. */
  left(phase: EndingPhase): number {
    return Math.max(0, this.endsAt[phase] - performance.now());
  }

  /** Somebody does not want to wait: no phase gets more time than it had. */
  hurry(): void {
    const now = performance.now();
    for (const [phase, milliseconds] of HURRIED) this.endsAt[phase] = Math.min(this.endsAt[phase], now + milliseconds);
  }

  /** Waits until it is so or the phase is over; answers whether it is so. */
  async waitFor(phase: EndingPhase, isSo: () => boolean): Promise<boolean> {
    while (!isSo()) {
      const left = this.left(phase);
      if (left === 0) return false;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, LOOK_MILLISECONDS)));
    }
    return true;
  }
}

const LOOK_MILLISECONDS = 20;
