import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MAX_BUDGETS } from '../../contract/budget.contract.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { ChangeService } from '../database/change.service.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { RepeatedTask } from '../repeated-task.js';
import { UsageService } from '../usage/usage.service.js';
import { BudgetEntity } from './budget.entities.js';
import { changesCalls, logSteps, lookAt, type Sight, tryToLock } from './budget-look.js';

/** Finds what the process that took in usage did not live to look at, and periods that are over. */
const LOOK_MILLISECONDS = 60_000;
/** Between looks after usage; many budgets over many models must not keep the database busy with nothing else. */
const PAUSE_MILLISECONDS = 1000;
const PAUSE_PER_LOOK = 9;

/**
 * Looks where the budgets stand: within a second after this process took in usage, and every minute. One process at a time does; what
 * another one is looking at may lack the newest usage, so who is turned away looks again.
 */
@Injectable()
export class BudgetWatch implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Budget');
  private readonly task = new RepeatedTask(() => this.lookNow(), LOOK_MILLISECONDS);
  private timer: NodeJS.Timeout | undefined;
  private nextAt = 0;
  private isStopping = false;
  /** There is no budget, and nothing was changed since that was seen. */
  private isIdle = false;
  private revisions = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    usage: UsageService,
    address: ListenAddress,
  ) {
    usage.onRecorded(() => this.soon());
    changes.onRevision(() => {
      this.revisions += 1;
      this.isIdle = false;
    });
    address.onListening(() => {
      this.task.start();
      this.soon();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.task.stop();
  }

  /** Looks as if it were then, milliseconds since 1970. Answers null when another process is looking. */
  async look(now = Date.now()): Promise<Sight | null> {
    const { revisions } = this;
    const sight = await this.changes.observe<Sight | null>(async (manager) => {
      if (!(await tryToLock(manager))) return { result: null, changedConfigIds: [] };
      const where = { isEnabled: true };
      const budgets = await manager.find(BudgetEntity, { where, order: { id: 'ASC' }, take: MAX_BUDGETS });
      const seen = budgets.length === 0 ? { figures: [], steps: [] } : await lookAt(manager, budgets, now);
      return { result: seen, changedConfigIds: [], changesCalls: changesCalls(seen) };
    });
    this.isIdle = sight?.figures.length === 0 && revisions === this.revisions;
    if (sight) logSteps(sight);
    return sight;
  }

  private soon(): void {
    if (this.isStopping || this.isIdle || this.timer) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        void this.task.now();
      },
      Math.max(0, this.nextAt - performance.now()),
    ).unref();
  }

  /** Never fails: what could not be seen is looked for again. */
  private async lookNow(): Promise<void> {
    if (this.isStopping || !this.dataSource.isInitialized) return;
    const startedAt = performance.now();
    this.nextAt = startedAt + PAUSE_MILLISECONDS;
    try {
      if ((await this.look()) === null) this.soon();
    } catch (error) {
      if (isDatabaseUnavailable(error)) this.soon();
      else this.logger.error({ msg: 'Budgets could not be looked at; trying again within a minute', err: error });
    } finally {
      const endedAt = performance.now();
      this.nextAt = endedAt + Math.max(PAUSE_MILLISECONDS, PAUSE_PER_LOOK * (endedAt - startedAt));
    }
  }
}
