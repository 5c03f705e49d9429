import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import type { ThisInstance } from '../../platform/config/this-instance.js';
import type { KeyRingHolder } from '../crypto/key-ring-holder.js';
import { RepeatedTask } from '../repeated-task.js';
import { StorageProcessEntity } from './storage-process.entity.js';

const BEAT_MILLISECONDS = 2000;
/** So long without a beat, and a process counts as gone: an outage of the database or a busy machine is shorter. */
const GONE_AFTER = `interval '30 seconds'`;
const MAX_LISTED = 1000;
const LOOK_AGAIN_MILLISECONDS = 100;
/** A shutdown does not wait longer for its row to go: it goes by itself. */
const LEAVE_MILLISECONDS = 1000;

const BEAT = `INSERT INTO storage_processes (id, started_at, seen_at, key_ids, active_key_id, version, host)
  VALUES ($1, $2, now(), $3, $4, $5, $6)
  ON CONFLICT (id) DO UPDATE SET seen_at = now(), key_ids = excluded.key_ids, active_key_id = excluded.active_key_id`;
/** Whoever comes along does it; what another one is removing already is left to it. Answers how many live. */
const FORGET = `WITH gone AS (DELETE FROM storage_processes WHERE id IN
  (SELECT id FROM storage_processes WHERE seen_at < now() - ${GONE_AFTER} FOR UPDATE SKIP LOCKED))
  SELECT count(*) AS living FROM storage_processes WHERE seen_at > now() - ${GONE_AFTER}`;

/** The processes of the storage service that share a database: this one says every two seconds that it lives. */
export class StorageProcesses {
  private readonly beats = new RepeatedTask(() => this.writeBeat(), BEAT_MILLISECONDS);
  private isKnown = false;
  private seen: number | null = null;

  constructor(
    private readonly instance: ThisInstance,
    private readonly dataSource: DataSource,
    private readonly keys: KeyRingHolder,
  ) {}

  /** Of this process. */
  get id(): string {
    return this.instance.id;
  }

  /** How many lived at the last beat, this one included; null: it could not be told. */
  get lastSeen(): number | null {
    return this.seen;
  }

  start(): void {
    this.beats.start();
  }

  /** Says at once what this process knows. Fails when the database is away; the timer goes on trying. */
  beat(): Promise<void> {
    return this.beats.now();
  }

  /** For the only process of a database: whoever else is said to live was killed. */
  async forgetAll(): Promise<void> {
    await this.dataSource.query('DELETE FROM storage_processes');
  }

  /** At the end of the process. */
  async leave(): Promise<void> {
    await Promise.race([
      this.beats.stop().then(() => this.forgetThisOne()),
      sleep(LEAVE_MILLISECONDS, undefined, { ref: false }),
    ]);
  }

  /** The processes that live, oldest first; the clock is the database's. */
  living(manager: EntityManager = this.dataSource.manager): Promise<StorageProcessEntity[]> {
    return manager
      .createQueryBuilder(StorageProcessEntity, 'process')
      .where(`process.seenAt > now() - ${GONE_AFTER}`)
      .orderBy({ 'process.startedAt': 'ASC', 'process.id': 'ASC' })
      .take(MAX_LISTED)
      .getMany();
  }

  /** Waits until `isInTheWay` is true of no living process; answers those of which it is still true in the end. */
  async waitUntilNone(
    isInTheWay: (process: StorageProcessEntity) => boolean,
    milliseconds: number,
  ): Promise<StorageProcessEntity[]> {
    for (const end = performance.now() + milliseconds; ; await sleep(LOOK_AGAIN_MILLISECONDS)) {
      const found = (await this.living()).filter(isInTheWay);
      if (found.length === 0 || performance.now() > end) return found;
    }
  }

  private async writeBeat(): Promise<void> {
    try {
      this.seen = await this.beatAndCount();
    } catch (error) {
      this.seen = null;
      throw error;
    }
  }

  private async beatAndCount(): Promise<number> {
    this.isKnown = false;
    const { keyIds, activeKeyId } = this.keys.current;
    const { startedAt, version, host } = this.instance;
    await this.dataSource.query(BEAT, [this.id, startedAt, keyIds, activeKeyId, version, host]);
    this.isKnown = true;
    const [row] = await this.dataSource.query<{ living: string }[]>(FORGET);
    return Number(row?.living);
  }

  private async forgetThisOne(): Promise<void> {
    // While the database is away nothing waits for it.
    if (this.isKnown)
      await this.dataSource.manager.delete(StorageProcessEntity, { id: this.id }).catch(() => undefined);
  }
}
