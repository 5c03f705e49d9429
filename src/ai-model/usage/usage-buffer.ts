import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { MAX_RECORDS_PER_BATCH, type UsageBatch, type UsageRecord } from '../../contract/usage.contract.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageInvalid } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';

const SEND_MILLISECONDS = 1000;
/** About 50 MB, some minutes of an outage under full load. */
const MAX_RECORDS = 100_000;

/** Keeps the records of calls and sends them on in batches, each under an id of its own until it is acknowledged. */
@Injectable()
export class UsageBuffer {
  private readonly logger = new Logger('Usage');
  private records: UsageRecord[] = [];
  /** Being sent: repeated as it is, or it would count twice. */
  private pending: UsageBatch | null = null;
  private dropped = 0;
  private sending: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly storage: StorageServiceClient,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      this.timer = setInterval(() => void this.send(), SEND_MILLISECONDS);
    });
  }

  add(record: UsageRecord): void {
    if (this.records.length >= MAX_RECORDS) {
      this.dropped += 1;
      return;
    }
    this.records.push(record);
  }

  /** Sends what is there; answers whether all of it was taken. At the end of the process, after the last call. */
  async flush(milliseconds: number): Promise<boolean> {
    clearInterval(this.timer);
    const deadline = Date.now() + milliseconds;
    while ((this.pending || this.records.length > 0) && Date.now() < deadline) {
      await this.send();
      if (this.pending) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const left = this.records.length + (this.pending?.records.length ?? 0);
    if (left > 0) this.logger.error({ msg: 'Usage records could not be delivered before the end', lost: left });
    return left === 0;
  }

  /** One sender at a time; never fails: what is not taken is sent again with the next tick. */
  private send(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = null));
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    this.reportDropped();
    while (this.pending || this.records.length > 0) {
      this.pending ??= { batch_id: randomUUID(), records: this.records.splice(0, MAX_RECORDS_PER_BATCH) };
      if (!(await this.deliver(this.pending))) return;
      this.pending = null;
    }
  }

  private async deliver(batch: UsageBatch): Promise<boolean> {
    try {
      await this.storage.recordUsage(batch);
      return true;
    } catch (error) {
      if (!(error instanceof StorageInvalid)) return false;
      // Repeating it would be refused again, and hold up every record behind it.
      this.logger.error({ msg: 'The storage service refused usage records', err: error, lost: batch.records.length });
      return true;
    }
  }

  private reportDropped(): void {
    if (this.dropped === 0) return;
    this.logger.error({ msg: 'Usage records were dropped: the buffer is full', lost: this.dropped });
    this.dropped = 0;
  }
}
