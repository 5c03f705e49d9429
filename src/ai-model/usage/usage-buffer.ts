import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { UsageBatch } from '../../contract/usage.contract.js';
import { MAX_RECORDS_PER_BATCH } from '../../contract/usage.contract.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageInvalid } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import type { FinishedCall } from './usage-record.js';
import { callsIn, UsageRecords } from './usage-records.js';
import { UsageSpool } from './usage-spool.js';

const SEND_MILLISECONDS = 1000;
/** How long one that storage does not answer may take until what is here goes to disk. */
const PATIENCE_MILLISECONDS = 5000;
const SEAL_MILLISECONDS = 5000;
const DROPPED_REPORT_MILLISECONDS = 60_000;
/** Of the time at the end of the process; then what is left is written to disk. */
const SEND_SHARE = 0.5;
const AGAIN_MILLISECONDS = 100;

/**
 * Adds up the calls and sends the sums on in batches, each under an id of its own until it is acknowledged. While storage
 * takes none they go to the {@link UsageSpool}, and stay in memory where that takes none either.
 */
@Injectable()
export class UsageBuffer {
  private readonly logger = new Logger('Usage');
  private readonly records = new UsageRecords();
  /** Batches that are not on disk, oldest first: repeated as they are, or they would count twice. */
  private held: UsageBatch[] = [];
  private dropped = 0;
  /** Calls since the start that will never be counted. */
  private readonly lost = { buffer_full: 0, refused: 0 };
  private droppedReportedAt = -Infinity;
  private sending: Promise<void> | null = null;
  private sealing: Promise<void> | null = null;
  private sealedAt = -Infinity;
  /** Storage did not take the last one. */
  private isAway = false;
  /** null: storage is not being asked. */
  private askedAt: number | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly storage: StorageServiceClient,
    private readonly spool: UsageSpool,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      void this.spool.find();
      this.timer = setInterval(() => this.tick(), SEND_MILLISECONDS);
    });
  }

  /** Calls that storage has not taken yet, those on disk included. */
  get unsentCalls(): number {
    return this.callsInMemory + this.spool.calls;
  }

  /** Sums of calls that are alike, not in a batch yet. */
  get waitingRecords(): number {
    return this.records.size;
  }

  /** In memory and not on disk: on their way, or to be sent again. */
  get waitingBatches(): number {
    return this.held.length;
  }

  /** Calls that will never be counted, since the start, by why. */
  get lostCalls(): Readonly<Record<'buffer_full' | 'refused' | 'damaged_file', number>> {
    return { ...this.lost, damaged_file: this.spool.damagedCalls };
  }

  add(call: FinishedCall): void {
    if (this.records.add(call)) return;
    this.dropped += 1;
    this.lost.buffer_full += 1;
  }

  /** Sends what is there now instead of with the next tick; returns after this time at the latest. Never fails. */
  async sendSoon(milliseconds: number): Promise<void> {
    const isMore = (): boolean => this.records.size > 0 && !this.isAway;
    const sent = this.send().then(() => (isMore() ? this.send() : undefined));
    await Promise.race([sent, pause(milliseconds)]);
  }

  /** Sends what is there; answers whether all of it was taken. At the end of the process, after the last call. */
  async flush(milliseconds: number): Promise<boolean> {
    clearInterval(this.timer);
    const deadline = performance.now() + milliseconds;
    const left = (): number => Math.max(0, deadline - performance.now());
    await this.sendSoon(milliseconds * SEND_SHARE);
    // Safe first; but its disk may be gone with the process, so storage is asked as long as there is time.
    if (this.callsInMemory > 0) await Promise.race([this.seal(), pause(left())]);
    while (this.unsentCalls > 0 && left() > 0) {
      await Promise.race([this.send(), pause(left())]);
      if (this.isAway) await pause(Math.min(AGAIN_MILLISECONDS, left()));
    }
    this.reportEnd();
    return this.unsentCalls === 0;
  }

  private get callsInMemory(): number {
    return this.records.calls + this.held.reduce((sum, batch) => sum + callsIn(batch.records), 0);
  }

  private tick(): void {
    this.reportDropped(DROPPED_REPORT_MILLISECONDS);
    void this.send();
    if (this.isSealDue()) void this.seal();
  }

  private isSealDue(): boolean {
    const isBatchFull = this.records.size >= MAX_RECORDS_PER_BATCH;
    // Storage is there, and has yet to take what is older.
    if (!this.isStuck()) return isBatchFull && !this.spool.isEmpty;
    return this.held.length > 0 || isBatchFull || performance.now() - this.sealedAt >= SEAL_MILLISECONDS;
  }

  private isStuck(): boolean {
    return this.isAway || (this.askedAt !== null && performance.now() - this.askedAt > PATIENCE_MILLISECONDS);
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
    let left = this.records.size;
    for (;;) {
      let batch = (await this.spool.oldest()) ?? this.held[0];
      if (!batch) {
        batch = this.startBatch(left);
        left -= batch?.records.length ?? 0;
      }
      if (!batch || !(await this.deliver(batch))) return;
    }
  }

  /** Puts what is in memory on disk, as far as that takes it. Never fails. */
  private seal(): Promise<void> {
    this.sealing ??= this.sealAll().finally(() => (this.sealing = null));
    return this.sealing;
  }

  private async sealAll(): Promise<void> {
    this.sealedAt = performance.now();
    let left = this.records.size;
    for (;;) {
      let [batch] = this.held;
      if (!batch) {
        batch = this.startBatch(left);
        left -= batch?.records.length ?? 0;
      }
      if (!batch || !(await this.spool.put(batch))) return;
      this.letGo(batch);
    }
  }

  /** A batch of the oldest records, at most so many; null: there are none. */
  private startBatch(most: number): UsageBatch | undefined {
    const records = this.records.take(most);
    if (records.length === 0) return undefined;
    const batch = { batch_id: randomUUID(), records };
    this.held.push(batch);
    return batch;
  }

  private async deliver(batch: UsageBatch): Promise<boolean> {
    this.askedAt = performance.now();
    try {
      await this.storage.recordUsage(batch);
      await this.noteTaken(batch);
      return true;
    } catch (error) {
      if (error instanceof StorageInvalid) {
        // Repeating it would be refused again, and hold up every record behind it.
        await this.giveUp(batch, error);
        return true;
      }
      this.isAway = true;
      return false;
    } finally {
      this.askedAt = null;
    }
  }

  private async noteTaken(batch: UsageBatch): Promise<void> {
    this.letGo(batch);
    await this.spool.remove(batch.batch_id);
    if (!this.isAway) return;
    this.isAway = false;
    // Another process may have ended in the same outage.
    await this.spool.find();
  }

  private async giveUp(batch: UsageBatch, error: StorageInvalid): Promise<void> {
    if (this.held.includes(batch)) {
      const msg = 'The storage service refused a batch of usage';
      this.logger.error({ msg, err: error, lost_calls: callsIn(batch.records) });
    }
    this.lost.refused += callsIn(batch.records);
    this.letGo(batch);
    await this.spool.setAside(batch.batch_id, error.message);
  }

  private letGo(batch: UsageBatch): void {
    this.held = this.held.filter((one) => one !== batch);
  }

  private reportDropped(interval: number): void {
    const now = performance.now();
    if (this.dropped === 0 || now - this.droppedReportedAt < interval) return;
    this.logger.error({ msg: 'The usage of calls was dropped: the buffer is full', lost_calls: this.dropped });
    this.dropped = 0;
    this.droppedReportedAt = now;
  }

  private reportEnd(): void {
    this.reportDropped(0);
    const [lost, kept] = [this.callsInMemory, this.spool.calls];
    if (lost > 0) {
      this.logger.error({ msg: 'The usage of calls could not be delivered before the end', lost_calls: lost });
    }
    if (kept > 0) {
      const msg = 'The usage of calls is kept in DATA_DIR/usage-spool; the next start delivers it';
      this.logger.warn({ msg, calls: kept });
    }
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)).unref());
