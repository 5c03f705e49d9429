import { Injectable } from '@nestjs/common';
import { AppError } from '../../platform/errors/app-error.js';
import type { Ending } from '../../platform/lifecycle/ending.js';
import type { CallDeadline } from './call-deadline.js';

/** What became of the calls that were under way at the end of the process. */
export interface DrainedCalls {
  /** How many there were. */
  open: number;
  /** How many of them had to be ended. */
  ended: number;
  /** How many did not even end then. */
  stuck: number;
}

/** Knows the calls that are under way, so that a shutdown can wait for them and then end what is left. */
@Injectable()
export class CallTracker {
  private readonly open = new Set<CallDeadline>();
  private isDraining = false;

  /** How many calls are under way. */
  get openCalls(): number {
    return this.open.size;
  }

  /** Follows a call until its deadline is cleared. Throws `shutting_down` when no new call is taken any more. */
  begin(deadline: CallDeadline): void {
    if (this.isDraining) {
      deadline.clear();
      throw new AppError('shutting_down', { headers: { 'retry-after': '1' } });
    }
    this.open.add(deadline);
    deadline.onClear = this.forget;
  }

  private readonly forget = (deadline: CallDeadline): void => void this.open.delete(deadline);

  /** Waits for open calls as long as there is time, then ends them: each still tells its caller and is counted. */
  async drain(ending: Ending): Promise<DrainedCalls> {
    this.isDraining = true;
    const open = this.open.size;
    await ending.waitFor('calls', () => this.open.size === 0);
    const ended = this.open.size;
    for (const deadline of this.open) deadline.abort(new AppError('shutting_down'));
    await ending.waitFor('farewell', () => this.open.size === 0);
    return { open, ended, stuck: this.open.size };
  }
}
