import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ListenAddress } from '../../../platform/http/listen-address.js';
import { RepeatedTask } from '../../repeated-task.js';
import { EvaluationLog } from './evaluation-log.js';
import { MinuteEvaluation, type MinuteReport } from './minute-evaluation.js';
import { AheadWatch, newestMinute, type NextMinute, nextMinute, SETTLE_MILLISECONDS } from './next-minute.js';

const TICK_MILLISECONDS = 1000;
/** Any number, as long as every process of the product takes the same: one of them evaluates at a time. */
export const EVALUATION_LOCK = 4_200_723_008;

/** Ends with the transaction, and that with its connection: a process that is killed or frozen does not keep it. */
const TAKE_LOCK = 'SELECT pg_try_advisory_xact_lock($1) AS taken';
const READ_EVALUATED = 'SELECT evaluated_to AS "evaluatedTo" FROM alert_evaluation WHERE id = 1 FOR UPDATE';
const MOVE_ON = `INSERT INTO alert_evaluation (id, evaluated_to) VALUES (1, $1)
  ON CONFLICT (id) DO UPDATE SET evaluated_to = excluded.evaluated_to`;

/** One step: the minute that was evaluated and what it came to, or null when there was none left. */
type Step = { minute: NextMinute; report: MinuteReport } | null;

/**
 * Evaluates the alert rules, minute by minute, each in a transaction of its own that also holds the messages: whoever is killed in the
 * middle of one has done nothing of it. Of several storage processes one does it at a time, whichever comes first.
 */
@Injectable()
export class AlertEvaluator implements BeforeApplicationShutdown {
  private readonly log = new EvaluationLog(new Logger('Alerts'));
  private readonly ticks = new RepeatedTask(() => this.tick(), TICK_MILLISECONDS);
  private readonly ahead = new AheadWatch();
  private isStopping = false;
  /** As far as this process knows: so it asks the database once a minute, not every second. */
  private evaluatedTo = Number.NEGATIVE_INFINITY;
  private quietUntil = 0;

  constructor(
    private readonly dataSource: DataSource,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      this.letUsageArrive();
      this.ticks.start();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.ticks.stop();
  }

  /**
   * Evaluates every complete minute that was not yet, as of this time; returns early when another process is at it.
   * Throws what the database throws: the minute it was at is as if it had not been begun.
   */
  async evaluateUpTo(now: Date): Promise<void> {
    const due = newestMinute(now);
    while (!this.isStopping && this.evaluatedTo < due.getTime()) {
      const step = await this.dataSource.transaction((manager) => this.evaluateNext(manager, due, now));
      if (step === 'busy') return;
      if (step) this.log.note(step.minute, step.report);
      this.evaluatedTo = step ? step.minute.end.getTime() : due.getTime();
    }
  }

  private async evaluateNext(manager: EntityManager, due: Date, now: Date): Promise<Step | 'busy'> {
    const [lock] = await manager.query<{ taken: boolean }[]>(TAKE_LOCK, [EVALUATION_LOCK]);
    if (!lock?.taken) return 'busy';
    const [row] = await manager.query<{ evaluatedTo: Date | null }[]>(READ_EVALUATED);
    const evaluatedTo = row?.evaluatedTo ?? null;
    const minute = nextMinute(evaluatedTo, due, this.ahead.isWrong(evaluatedTo, due));
    if (minute === null) return null;
    const report = await new MinuteEvaluation(manager, minute, now).run();
    await manager.query(MOVE_ON, [minute.end]);
    return { minute, report };
  }

  private async tick(): Promise<void> {
    if (performance.now() < this.quietUntil || !this.dataSource.isInitialized) return;
    try {
      await this.evaluateUpTo(new Date());
      this.log.noteWorking();
    } catch (error) {
      this.log.noteFailure(error);
      this.letUsageArrive();
    }
  }

  /** After an outage the usage of that time is sent as well: what is evaluated before it is there looks like no calls. */
  private letUsageArrive(): void {
    this.quietUntil = performance.now() + SETTLE_MILLISECONDS;
  }
}
