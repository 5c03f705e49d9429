import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ListenAddress } from '../../../platform/http/listen-address.js';
import { isDatabaseUnavailable } from '../../database/database-errors.js';
import { RepeatedTask } from '../../repeated-task.js';

const LOOK_MILLISECONDS = 10 * 60 * 1000;
const KEPT_MILLISECONDS = 90 * 24 * 60 * 60 * 1000;
const PORTION_ROWS = 1000;
/** In one go; what is left then is done the next time. */
const MAX_PORTIONS = 1000;

/** What is resolved began before: so the index of the beginnings finds it. What another process deletes already is left to it. */
const DELETE_PORTION = `DELETE FROM alerts WHERE id IN (
  SELECT id FROM alerts WHERE since < $1 AND resolved_at < $1 ORDER BY since LIMIT ${PORTION_ROWS} FOR UPDATE SKIP LOCKED)`;

/** Deletes alerts 90 days after they were resolved, in the background and in small portions. */
@Injectable()
export class AlertRetention implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Alerts');
  private readonly runs = new RepeatedTask(() => this.run(), LOOK_MILLISECONDS);
  private isStopping = false;

  constructor(
    private readonly dataSource: DataSource,
    address: ListenAddress,
  ) {
    address.onListening(() => this.runs.start());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.runs.stop();
  }

  /** Deletes what is too old by now. Never fails: what could not be done is done the next time. */
  async run(now = new Date()): Promise<void> {
    const before = new Date(now.getTime() - KEPT_MILLISECONDS);
    try {
      for (let portion = 0; portion < MAX_PORTIONS; portion += 1) {
        if (this.isStopping || !this.dataSource.isInitialized) return;
        const [, deleted] = await this.dataSource.query<[unknown, number]>(DELETE_PORTION, [before]);
        if (deleted < PORTION_ROWS) return;
      }
    } catch (error) {
      if (!isDatabaseUnavailable(error)) this.logger.error({ msg: 'Old alerts could not be deleted', err: error });
    }
  }
}
