import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ChannelTestResult } from '../../contract/alert-channel.contract.js';
import type { Delivery } from '../../contract/alert-notice.js';
import { AppError } from '../../platform/errors/app-error.js';
import { findChannel } from './alert-channel.service.js';
import { ChannelMessenger } from './channel-messenger.js';
import { noteDelivered, noteFailed } from './channel-outcome.js';
import { DeliveryError } from './channel-sender.js';

const TEST_MILLISECONDS = 10_000;
/** Each holds a connection of its caller. */
const MAX_TESTS = 8;

const aTest = (): Delivery => ({
  id: randomUUID(),
  notice: { event: 'test', at: new Date().toISOString(), severity: 'info', language: null },
});

/** Sends a message to a channel at once, past the queue, and tells what became of it. */
@Injectable()
export class ChannelTester implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly messenger: ChannelMessenger,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort();
  }

  /** Throws `alert_channel_failed` with the reason, also for a channel that is switched off: it can be tested all the same. */
  async test(channelId: string): Promise<ChannelTestResult> {
    if (this.running >= MAX_TESTS) throw tooBusy();
    this.running += 1;
    try {
      return await this.sendTest(channelId);
    } finally {
      this.running -= 1;
    }
  }

  private async sendTest(channelId: string): Promise<ChannelTestResult> {
    const { manager } = this.dataSource;
    const row = await findChannel(manager, channelId);
    const start = performance.now();
    try {
      await this.messenger.send(row, aTest(), { milliseconds: TEST_MILLISECONDS, signal: this.stopping.signal });
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      await noteFailed(manager, channelId, new Date(), error.message);
      throw new AppError('alert_channel_failed', { detail: error.message });
    }
    await noteDelivered(manager, channelId, new Date());
    return { delivered: true, took_ms: Math.round(performance.now() - start) };
  }
}

const tooBusy = (): AppError =>
  new AppError('too_busy', {
    detail: `${MAX_TESTS} channels are being tested already; try again shortly.`,
    headers: { 'retry-after': '5' },
  });
