import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StartupError } from '../../platform/errors/startup-error.js';
import { ChangeService } from '../database/change.service.js';
import { StorageProcesses } from '../process/storage-processes.js';
import { RepeatedTask } from '../repeated-task.js';
import { checkNextKeyRing } from './key-check.js';
import type { KeyRing } from './key-ring.js';
import { KeyRingHolder } from './key-ring-holder.js';

const LOOK_MILLISECONDS = 1000;

/**
 * Takes over what is written into the key ring's file while the process runs, within a second. What is no key ring, or
 * does not fit what is stored, is refused: the ring of before stays, and the log says so once.
 */
@Injectable()
export class KeyRingWatcher {
  private readonly logger = new Logger('Secrets');
  private readonly looks = new RepeatedTask(() => this.lookOnce(), LOOK_MILLISECONDS);
  private refusal: string | null = null;
  /** A key came that may open what was closed before, and nobody else knows yet. */
  private isNewsUntold = false;

  constructor(
    private readonly keys: KeyRingHolder,
    private readonly dataSource: DataSource,
    private readonly processes: StorageProcesses,
    private readonly changes: ChangeService,
  ) {}

  start(): void {
    if (this.keys.file) this.looks.start();
  }

  /** Does not wait for a look that is under way: the database may be away. */
  stop(): void {
    void this.looks.stop();
  }

  /** Looks at once. Fails when the database is away, which a new ring has to be compared with. */
  look(): Promise<void> {
    return this.looks.now();
  }

  /** Why the file as it is now is not used; null: it is. */
  get problem(): string | null {
    return this.refusal;
  }

  private async lookOnce(): Promise<void> {
    const { ring, problem } = this.keys.readFile();
    if (!ring) return this.refuse(problem ?? 'There is no key ring.');
    if (ring.equals(this.keys.current)) {
      this.accept();
      return this.tellNews();
    }
    try {
      await checkNextKeyRing(this.dataSource.manager, ring, this.keys.current);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      return this.refuse(error.message);
    }
    this.adopt(ring);
    await this.processes.beat();
    await this.tellNews();
  }

  /** Who has a snapshot has it with the secrets that could be opened then, and no history says which ones can be now. */
  private async tellNews(): Promise<void> {
    if (!this.isNewsUntold) return;
    await this.changes.markWhole();
    this.isNewsUntold = false;
  }

  private adopt(ring: KeyRing): void {
    const { current } = this.keys;
    this.isNewsUntold ||= ring.keyIds.some((keyId) => !current.has(keyId));
    this.keys.adopt(ring);
    this.refusal = null;
    this.logger.log({ msg: 'The encryption keys were changed', active: ring.activeKeyId, key_ids: ring.keyIds });
  }

  private accept(): void {
    if (this.refusal !== null) this.logger.log('The file with the encryption keys is in order again');
    this.refusal = null;
  }

  private refuse(problem: string): void {
    if (this.refusal !== problem) {
      this.logger.error(
        `The file with the encryption keys was changed and is not used; the keys of before stay: ${problem}`,
      );
    }
    this.refusal = problem;
  }
}
