import { Injectable } from '@nestjs/common';
import { AppError } from '../../platform/errors/app-error.js';
import type { CallDeadline } from './call-deadline.js';

const CHECK_MILLISECONDS = 20;

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
      throw new AppError('shutting_down', { headers: { 'retry-after': '1', connection: 'close' } });
    }
    this.open.add(deadline);
    deadline.onClear = this.forget;
  }

  private readonly forget = (deadline: CallDeadline): void => void this.open.delete(deadline);

  /** Waits for open calls up to the limit, then ends them: each still tells its caller and is counted. */
  async drain(milliseconds: number): Promise<void> {
    this.isDraining = true;
    await this.waitUntilIdle(milliseconds);
    for (const deadline of this.open) deadline.abort(new AppError('shutting_down'));
    await this.waitUntilIdle(1000);
  }

  private async waitUntilIdle(milliseconds: number): Promise<void> {
    const end = Date.now() + milliseconds;
    while (this.open.size > 0 && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, CHECK_MILLISECONDS));
  }
}
