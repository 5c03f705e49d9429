import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import type { UsageBatch } from '../../contract/usage.contract.js';
import { Env } from '../../platform/config/env.js';
import { saveDurably } from '../../platform/files/durable-file.js';
import { fileErrorCode } from '../../platform/files/file-error.js';
import { callsOf, isName, isTemporary, nameOf, parseBatch, toText } from './spool-file.js';
import { callsIn } from './usage-records.js';

const MEGABYTE = 1024 * 1024;
/** What a file takes of a disk at least. */
const BLOCK = 4096;
/** Nobody needs so long between writing a file and giving it its name. */
const LEFTOVER_MILLISECONDS = 60_000;

interface SpooledFile {
  name: string;
  bytes: number;
  calls: number;
}

/**
 * Batches of usage that storage has not taken, in `DATA_DIR/usage-spool`: one file each, never changed, removed when its
 * batch was counted. So processes that share the directory do each other no harm: what two of them deliver counts once.
 * Nothing here fails: what the disk does not take stays with the caller.
 */
@Injectable()
export class UsageSpool {
  private readonly logger = new Logger('UsageSpool');
  private readonly directory: string;
  /** How much it may take of the disk. */
  readonly maxBytes: number;
  /** By batch id, oldest first. */
  private files = new Map<string, SpooledFile>();
  private bytes = 0;
  private damaged = 0;
  /** The one that is to be delivered next: an outage would have it read again every second. */
  private next: UsageBatch | null = null;
  /** Why the disk takes nothing; null: it does. */
  private trouble: string | null = null;

  constructor(env: Env) {
    this.directory = join(env.DATA_DIR, 'usage-spool');
    this.maxBytes = env.USAGE_SPOOL_MB * MEGABYTE;
  }

  get isEmpty(): boolean {
    return this.files.size === 0;
  }

  /** Files, one for each batch. */
  get batches(): number {
    return this.files.size;
  }

  /** Of the disk, whole blocks. */
  get usedBytes(): number {
    return this.bytes;
  }

  /** Calls in files that could not be read, since the start. */
  get damagedCalls(): number {
    return this.damaged;
  }

  get calls(): number {
    let calls = 0;
    for (const file of this.files.values()) calls += file.calls;
    return calls;
  }

  /** Looks for what this process has not written: before its start, or by another one that is gone. */
  async find(): Promise<void> {
    const names = await readdir(this.directory).catch((error: unknown) => {
      if (fileErrorCode(error) !== 'ENOENT')
        this.noteTrouble(`The directory cannot be read (${fileErrorCode(error)}).`);
      return [];
    });
    for (const name of names.filter(isTemporary)) await this.removeLeftover(name);
    let calls = 0;
    for (const name of names.filter(isName)) calls += await this.include(name);
    this.sort();
    if (calls > 0) this.logger.log({ msg: 'Found usage of calls that was not delivered before', calls });
  }

  /** Answers whether it is safely on disk. */
  async put(batch: UsageBatch): Promise<boolean> {
    const text = toText(batch);
    const file = {
      name: nameOf(batch.batch_id),
      bytes: sizeOf(Buffer.byteLength(text)),
      calls: callsIn(batch.records),
    };
    if (this.bytes + file.bytes > this.maxBytes) {
      this.noteTrouble(`It has all that USAGE_SPOOL_MB allows, ${this.maxBytes / MEGABYTE} MB.`);
      return false;
    }
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      await saveDurably(join(this.directory, file.name), text);
    } catch (error) {
      this.noteTrouble(`It cannot be written (${fileErrorCode(error)}).`);
      return false;
    }
    this.noteTrouble(null);
    if (this.isEmpty) this.logger.warn('Storage takes no usage: that of new calls is kept in DATA_DIR/usage-spool');
    this.add(batch.batch_id, file);
    return true;
  }

  /** The oldest batch; null: there is none. Files that cannot be read are set aside. */
  async oldest(): Promise<UsageBatch | null> {
    for (const [batchId, file] of this.files) {
      if (this.next?.batch_id === batchId) return this.next;
      const batch = await this.read(file);
      if (batch && !('problem' in batch)) return (this.next = batch);
      if (!batch) this.drop(batchId);
      else {
        this.damaged += file.calls;
        await this.setAside(batchId, batch.problem);
      }
    }
    return null;
  }

  /** Its batch was counted. No harm where there is none. */
  async remove(batchId: string): Promise<void> {
    const file = this.drop(batchId);
    if (!file) return;
    await rm(join(this.directory, file.name), { force: true }).catch(() => undefined);
    if (this.isEmpty) this.logger.log('All usage that was kept on disk was delivered');
  }

  /** It can never be delivered, and must not hold up the others. */
  async setAside(batchId: string, reason: string): Promise<void> {
    const file = this.drop(batchId);
    if (!file) return;
    const path = join(this.directory, file.name);
    await rename(path, `${path}.damaged`).catch(() => undefined);
    this.logger.error({
      msg: 'A file of usage was set aside as .damaged in DATA_DIR/usage-spool: its calls are not counted',
      file: file.name,
      reason,
      lost_calls: file.calls,
    });
  }

  /** null: somebody else has delivered and removed it. */
  private async read({ name }: SpooledFile): Promise<UsageBatch | { problem: string } | null> {
    try {
      return parseBatch(name, await readFile(join(this.directory, name), 'utf8'));
    } catch (error) {
      return fileErrorCode(error) === 'ENOENT' ? null : { problem: `it cannot be read (${fileErrorCode(error)})` };
    }
  }

  private async include(name: string): Promise<number> {
    const batchId = name.slice(name.indexOf('-') + 1, -'.json'.length);
    if (this.files.has(batchId)) return 0;
    const path = join(this.directory, name);
    try {
      const [{ size }, calls] = await Promise.all([stat(path), callsOf(path)]);
      this.add(batchId, { name, bytes: sizeOf(size), calls });
      return calls;
    } catch {
      // Somebody else has just delivered it.
      return 0;
    }
  }

  private async removeLeftover(name: string): Promise<void> {
    const path = join(this.directory, name);
    const file = await stat(path).catch(() => null);
    if (file && Date.now() - file.mtimeMs > LEFTOVER_MILLISECONDS)
      await rm(path, { force: true }).catch(() => undefined);
  }

  private add(batchId: string, file: SpooledFile): void {
    // Found by its name while it was being written.
    this.bytes += file.bytes - (this.files.get(batchId)?.bytes ?? 0);
    this.files.set(batchId, file);
  }

  private drop(batchId: string): SpooledFile | undefined {
    const file = this.files.get(batchId);
    this.files.delete(batchId);
    this.bytes -= file?.bytes ?? 0;
    if (this.next?.batch_id === batchId) this.next = null;
    return file;
  }

  private sort(): void {
    this.files = new Map([...this.files].sort(([, a], [, b]) => (a.name < b.name ? -1 : 1)));
  }

  private noteTrouble(trouble: string | null): void {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    if (trouble === null) this.logger.log('Usage can be kept on disk again');
    else this.logger.error(`Usage cannot be kept in DATA_DIR/usage-spool and stays in memory: ${trouble}`);
  }
}

const sizeOf = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;
