import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { ChannelMessenger } from '../alert-channel/channel-messenger.js';
import { DeliveryError } from '../alert-channel/channel-sender.js';
import { readChannels } from '../alert-channel/read-channels.js';
import { DatabaseListener } from '../database/database-listener.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { RepeatedTask } from '../repeated-task.js';
import { nextAttemptAt } from './backoff.js';
import { DeliveryTallies } from './delivery-tallies.js';
import { type LeasedMessage, NotificationQueue } from './notification-queue.js';
import { NOTIFICATION_CHANNEL } from './outbox.js';

const LOOK_MILLISECONDS = 1000;
const SURVEY_MILLISECONDS = 2000;
/** One message each. */
const MAX_CHANNELS_AT_ONCE = 8;
const ATTEMPT_MILLISECONDS = 15_000;

/** Hands over the messages of the queue, in every storage process: whoever leases one delivers it. */
@Injectable()
export class DeliveryWorker implements BeforeApplicationShutdown {
  private readonly logger = new Logger('AlertDelivery');
  private readonly looks = new RepeatedTask(() => this.lookAgain(), LOOK_MILLISECONDS);
  private readonly surveys = new RepeatedTask(() => this.guarded(() => this.survey()), SURVEY_MILLISECONDS);
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<void>>();
  private isAsked = false;
  private isBroken = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly queue: NotificationQueue,
    private readonly messenger: ChannelMessenger,
    private readonly tallies: DeliveryTallies,
    listener: DatabaseListener,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      this.looks.start();
      this.surveys.start();
      listener.on(NOTIFICATION_CHANNEL, () => this.wake());
    });
  }

  /** What is under way is given back, so that another process goes on at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.looks.stop(), this.surveys.stop()]);
    await Promise.all(this.underWay);
  }

  /** However often it is asked, it looks once more. */
  private wake(): void {
    if (this.isAsked || this.stopping.signal.aborted) return;
    this.isAsked = true;
    void this.looks.now();
  }

  private lookAgain(): Promise<void> {
    this.isAsked = false;
    return this.guarded(() => this.look());
  }

  private async look(): Promise<void> {
    const free = MAX_CHANNELS_AT_ONCE - this.underWay.size;
    if (free <= 0) return;
    for (const message of await this.queue.lease(free, new Date())) this.begin(message);
  }

  private async survey(): Promise<void> {
    for (const { channelName, channelKind, reason, count } of await this.queue.giveUpOrphans(new Date())) {
      this.tallies.noteGivenUp(channelKind, count);
      this.logger.warn({ msg: 'Messages were given up', channel: channelName, count, reason });
    }
    this.tallies.noteQueued(await this.queue.countQueued());
  }

  private begin(message: LeasedMessage): void {
    const attempt = this.guarded(() => this.attempt(message)).finally(() => {
      this.underWay.delete(attempt);
      this.wake();
    });
    this.underWay.add(attempt);
  }

  private async attempt(message: LeasedMessage): Promise<void> {
    const { signal } = this.stopping;
    try {
      await this.send(message, signal);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      if (signal.aborted) return this.queue.release(message);
      return this.noteFailed(message, error);
    }
    const { isOurs, isNews } = await this.queue.delivered(message, new Date());
    if (isOurs) this.tallies.noteDelivered(message.channelKind);
    if (isNews) this.logger.log({ msg: 'Messages reach the channel again', channel: message.channelName });
  }

  private async send({ id, notice, channelId }: LeasedMessage, signal: AbortSignal): Promise<void> {
    const channel = await readChannels(this.dataSource.manager)
      .where('channel.id = :channelId', { channelId })
      .getOne();
    if (!channel) throw new DeliveryError('The channel was deleted.');
    await this.messenger.send(channel, { id, notice }, { milliseconds: ATTEMPT_MILLISECONDS, signal });
  }

  private async noteFailed(
    message: LeasedMessage,
    { message: reason, retryAfterSeconds }: DeliveryError,
  ): Promise<void> {
    const now = new Date();
    const next = nextAttemptAt(message.attempts, retryAfterSeconds, now);
    const isLast = next > message.giveUpAt;
    const { isOurs, isNews } = await this.queue.failed(message, reason, isLast ? null : next, now);
    if (!isOurs) return;
    this.tallies.noteFailed(message.channelKind);
    const { channelName: channel, id, attempts } = message;
    if (isLast) {
      this.tallies.noteGivenUp(message.channelKind);
      const msg =
        'A message was given up: mend its channel, and have it sent with POST /api/v1/alerts/notifications/{id}/retry';
      this.logger.error({ msg, channel, notification_id: id, attempts, reason });
    } else if (isNews) {
      const msg = 'Messages do not reach the channel; each is tried again for 24 hours';
      this.logger.warn({ msg, channel, reason });
    }
  }

  /** While the database is away nothing is delivered, and others say so; anything else is said once. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.stopping.signal.aborted || !this.dataSource.isInitialized) return;
    try {
      await work();
      this.isBroken = false;
    } catch (error) {
      if (isDatabaseUnavailable(error) || this.isBroken) return;
      this.isBroken = true;
      this.logger.error({ msg: 'Messages cannot be delivered; trying again every second', err: error });
    }
  }
}
