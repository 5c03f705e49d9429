import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import {
  MAX_HISTOGRAM_NUMBERS_PER_BATCH,
  MAX_RECORDS_PER_BATCH,
  type UsageBatch,
  type UsageRecord,
} from '../../contract/usage.contract.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageInvalid } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { addCall, emptyRecord, type FinishedCall, histogramLength, kindOf, toSend } from './usage-record.js';

const SEND_MILLISECONDS = 1000;
/** About 50 MB: the kinds of calls of an outage of days. */
const MAX_RECORDS = 100_000;
/** And as much again for how long the calls took. */
const MAX_BUCKETS = 3_000_000;

/** Adds up the calls and sends the sums on in batches, each under an id of its own until it is acknowledged. */
@Injectable()
export class UsageBuffer {
  private readonly logger = new Logger('Usage');
  private readonly records = new Map<string, UsageRecord>();
  /** In the histograms of all records. */
  private buckets = 0;
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

  /** Calls that storage has not taken yet. */
  get unsentCalls(): number {
    return callsIn([...this.records.values(), ...(this.pending?.records ?? [])]);
  }

  add(call: FinishedCall): void {
    const at = Date.now();
    const kind = kindOf(call, at);
    const record = this.records.get(kind) ?? this.startRecord(kind, call, at);
    if (record) this.buckets += addCall(record, call, at);
    else this.dropped += 1;
  }

  /** Sends what is there now instead of with the next tick; returns after this time at the latest. Never fails. */
  async sendSoon(milliseconds: number): Promise<void> {
    const sent = this.send().then(() => (this.records.size > 0 && !this.pending ? this.send() : undefined));
    await Promise.race([sent, pause(milliseconds)]);
  }

  /** Sends what is there; answers whether all of it was taken. At the end of the process, after the last call. */
  async flush(milliseconds: number): Promise<boolean> {
    clearInterval(this.timer);
    const deadline = Date.now() + milliseconds;
    while ((this.pending || this.records.size > 0) && Date.now() < deadline) {
      // A storage that hangs must not hold up the end of the process.
      await Promise.race([this.send(), pause(deadline - Date.now())]);
      if (this.pending) await pause(Math.min(100, deadline - Date.now()));
    }
    const left = this.unsentCalls;
    if (left > 0) {
      this.logger.error({ msg: 'The usage of calls could not be delivered before the end', lost_calls: left });
    }
    return left === 0;
  }

  /** One sender at a time; never fails: what is not taken is sent again with the next tick. */
  private send(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = null));
    return this.sending;
  }

  /**
   * Of what was there when it began: a busy service makes new records while these are on their way, and would never stop
   * sending small batches, each as costly for the database as a large one.
   */
  private async sendAll(): Promise<void> {
    this.reportDropped();
    let left = this.records.size;
    while (this.pending || left > 0) {
      if (!this.pending) {
        const records = this.take(left);
        left -= records.length;
        this.pending = { batch_id: randomUUID(), records };
      }
      if (!(await this.deliver(this.pending))) return;
      this.pending = null;
    }
  }

  private startRecord(kind: string, call: FinishedCall, at: number): UsageRecord | null {
    if (this.records.size >= MAX_RECORDS || this.buckets >= MAX_BUCKETS) return null;
    const record = emptyRecord(call, at);
    this.records.set(kind, record);
    return record;
  }

  /** The oldest records, as many as a batch may hold, and at most so many. */
  private take(most: number): UsageRecord[] {
    const taken: UsageRecord[] = [];
    let numbers = 0;
    for (const [kind, record] of this.records) {
      numbers += histogramLength(record);
      if (taken.length === Math.min(most, MAX_RECORDS_PER_BATCH) || numbers > MAX_HISTOGRAM_NUMBERS_PER_BATCH) break;
      taken.push(toSend(record));
      this.records.delete(kind);
      this.buckets -= histogramLength(record) / 2;
    }
    return taken;
  }

  private async deliver(batch: UsageBatch): Promise<boolean> {
    try {
      await this.storage.recordUsage(batch);
      return true;
    } catch (error) {
      if (!(error instanceof StorageInvalid)) return false;
      // Repeating it would be refused again, and hold up every record behind it.
      this.logger.error({
        msg: 'The storage service refused a batch of usage',
        err: error,
        lost_calls: callsIn(batch.records),
      });
      return true;
    }
  }

  private reportDropped(): void {
    if (this.dropped === 0) return;
    this.logger.error({ msg: 'The usage of calls was dropped: the buffer is full', lost_calls: this.dropped });
    this.dropped = 0;
  }
}

const callsIn = (records: readonly UsageRecord[]): number => records.reduce((sum, record) => sum + record.calls, 0);

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)).unref());
