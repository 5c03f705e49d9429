import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { RepeatedTask } from '../repeated-task.js';
import { NotificationQueue } from './notification-queue.js';

const LOOK_MILLISECONDS = 10 * 60 * 1000;
const KEPT_MILLISECONDS = 30 * 24 * 60 * 60 * 1000;
/** In one go; what is left then is done the next time. */
const MAX_PORTIONS = 100;

/** Deletes messages 30 days after they were settled, in the background and in small portions. */
@Injectable()
export class NotificationRetention implements BeforeApplicationShutdown {
  private readonly logger = new Logger('AlertDelivery');
  private readonly runs = new RepeatedTask(() => this.run(), LOOK_MILLISECONDS);
  private isStopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly queue: NotificationQueue,
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
    const time = new Date(now.getTime() - KEPT_MILLISECONDS);
    try {
      for (let portion = 0; portion < MAX_PORTIONS; portion += 1) {
        if (this.isStopping || !this.dataSource.isInitialized) return;
        if (!(await this.queue.deleteSettledBefore(time))) return;
      }
    } catch (error) {
      if (!isDatabaseUnavailable(error)) this.logger.error({ msg: 'Old messages could not be deleted', err: error });
    }
  }
}
