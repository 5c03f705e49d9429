import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Env } from '../../platform/config/env.js';
import { fileErrorCode } from '../../platform/files/file-error.js';
import type { DirectoryState } from './directory-state.js';
import { keyMarkOf } from './sealed-snapshot.js';
import { type SavedSnapshot, SnapshotFile } from './snapshot-file.js';
import { SnapshotKeys } from './snapshot-keys.js';

export const LAST_KNOWN_GOOD_FILE = 'last-known-good';
/** The file may be so much behind when the process is killed. */
const WRITE_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = 60_000;

/**
 * Keeps what storage told in a file of `DATA_DIR`, so that a process that starts while storage is away can answer calls.
 * Never fails: without the file all is as it was, but for such a start.
 */
@Injectable()
export class LastKnownGood {
  private readonly logger = new Logger('LastKnownGood');
  private readonly file: SnapshotFile;
  /** What the file should have. */
  private wanted: DirectoryState | null = null;
  /** Of what it has, as far as this process knows: revision and key. */
  private kept = '';
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | null = null;
  /** By `performance.now()`: a clock that is set back must not keep the file old. */
  private nextAt = 0;
  private isFailing = false;
  /** Milliseconds since 1970; null: nobody knows of a file. */
  private writtenAt: number | null = null;
  /** By `performance.now()`; null: the file has what this process knows. */
  private behindSince: number | null = null;
  private failures = 0;
  private isOver = false;

  constructor(
    env: Env,
    private readonly keys: SnapshotKeys,
  ) {
    this.file = new SnapshotFile(join(resolve(env.DATA_DIR), LAST_KNOWN_GOOD_FILE), keys);
  }

  /** What a process before this one kept; null: nothing that could be used. */
  async read(): Promise<SavedSnapshot | null> {
    try {
      const saved = await this.file.read();
      this.writtenAt ??= saved?.savedAt ?? null;
      return saved;
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown error';
      const remedy = 'It is replaced as soon as the storage service answers; until then nothing is known from it.';
      this.logger.warn(`The last-known-good file ${this.file.path} is not used: ${reason}. ${remedy}`);
      return null;
    }
  }

  /** Storage told that this is the newest. Written at once, or as soon as the last writing is long enough ago. */
  keep(state: DirectoryState): void {
    this.wanted = state;
    this.behindSince = this.isKept(state) ? null : (this.behindSince ?? performance.now());
    if (this.isOver || this.timer || this.writing || this.isKept(state)) return;
    this.timer = setTimeout(() => void this.write(), Math.max(0, this.nextAt - performance.now())).unref();
  }

  /** Seconds since the file was written, or found to be in order; null: there is none that this process knows of. */
  get ageSeconds(): number | null {
    return this.writtenAt === null ? null : Math.max(0, Date.now() - this.writtenAt) / 1000;
  }

  /** For how many seconds the file has not had what this process knows; 0: it has. */
  get behindSeconds(): number {
    return this.behindSince === null ? 0 : (performance.now() - this.behindSince) / 1000;
  }

  /** Since the start. */
  get failedWrites(): number {
    return this.failures;
  }

  /** At the end of the process: writes what is not written yet, if that takes no longer. */
  async finish(milliseconds: number): Promise<void> {
    this.isOver = true;
    clearTimeout(this.timer);
    await Promise.race([this.writeRest(), sleep(milliseconds, undefined, { ref: false })]);
  }

  private async writeRest(): Promise<void> {
    await this.writing;
    if (this.wanted && !this.isKept(this.wanted)) await this.write();
  }

  /** One at a time; never fails. */
  private write(): Promise<void> {
    this.timer = undefined;
    this.writing ??= this.writeWanted().finally(() => {
      this.writing = null;
      if (this.wanted) this.keep(this.wanted);
    });
    return this.writing;
  }

  private async writeWanted(): Promise<void> {
    const state = this.wanted;
    if (!state) return;
    try {
      const mark = this.markOf(state);
      await this.file.write(state.toSnapshot());
      this.kept = mark;
      this.writtenAt = Date.now();
      this.behindSince = null;
      this.nextAt = performance.now() + WRITE_MILLISECONDS;
      if (this.isFailing) this.logger.log('The last-known-good file can be written again');
      this.isFailing = false;
    } catch (error) {
      this.nextAt = performance.now() + RETRY_MILLISECONDS;
      this.noteFailure(error);
    }
  }

  private noteFailure(error: unknown): void {
    this.failures += 1;
    if (this.isFailing) return;
    this.isFailing = true;
    const remedy =
      'Without it a start while the storage service is away knows no models: make room, or make it writable.';
    this.logger.warn(
      `The last-known-good file ${this.file.path} cannot be written (${fileErrorCode(error)}). ${remedy}`,
    );
  }

  private isKept(state: DirectoryState): boolean {
    return this.kept === this.markOf(state);
  }

  /** After a change of the encryption keys the same revision has to be sealed again. */
  private markOf({ revision }: DirectoryState): string {
    const [key] = this.keys.current();
    return `${revision} ${key ? keyMarkOf(key) : ''}`;
  }
}
