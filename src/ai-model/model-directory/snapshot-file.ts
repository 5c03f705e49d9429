import { constants, readFileSync, statSync, type Stats } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Snapshot } from '../../contract/snapshot.contract.js';
import { removeLeftovers, saveDurably } from '../../platform/files/durable-file.js';
import { fileErrorCode } from '../../platform/files/file-error.js';
import { openSnapshot, readHeader, type SealProblem, sealSnapshot } from './sealed-snapshot.js';
import type { SnapshotKeys } from './snapshot-keys.js';
import { packSnapshot, unpackSnapshot } from './snapshot-json.js';

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** A snapshot as it was saved by some process that could ask storage. */
export interface SavedSnapshot {
  snapshot: Snapshot;
  /** Milliseconds since 1970. */
  savedAt: number;
}

type Problem = SealProblem | 'open' | 'kind' | 'size';

const PROBLEMS: Record<Problem, string> = {
  empty: 'it is empty',
  foreign: 'it is no such file',
  format: 'it was written by another version of the hub',
  key: 'it was sealed under another STORAGE_SERVICE_TOKEN or encryption key than this process has',
  damaged: 'it is damaged',
  open: 'others may read or change it: its mode must be 0600',
  kind: 'it is not a regular file',
  size: 'it is larger than any snapshot',
};

/** The file is there and not to be used; the message says why. */
export class SnapshotFileError extends Error {
  constructor(reason: Problem | Error) {
    super(typeof reason === 'string' ? PROBLEMS[reason] : `it cannot be read (${fileErrorCode(reason)})`);
  }
}

/** A snapshot on disk, encrypted, all of it or nothing. */
export class SnapshotFile {
  constructor(
    readonly path: string,
    private readonly keys: SnapshotKeys,
  ) {}

  /** null: there is none. Throws a {@link SnapshotFileError} for one that is not to be used. */
  async read(): Promise<SavedSnapshot | null> {
    removeLeftovers(this.path);
    const file = await this.load();
    if (!file) return null;
    const opened = openSnapshot(this.keys.current(), file);
    if (typeof opened === 'string') throw new SnapshotFileError(opened);
    const snapshot = await unpackSnapshot(opened.content).catch(() => {
      throw new SnapshotFileError('damaged');
    });
    return { snapshot, savedAt: opened.header.savedAt };
  }

  /**
   * Puts this snapshot into the file; answers whether it did: one of the same revision or a newer one stays, another
   * process may share the directory. Throws what the file system says.
   */
  async write(snapshot: Snapshot): Promise<boolean> {
    const [key] = this.keys.current();
    if (!key || !this.isBehind(snapshot.revision)) return false;
    const packed = await packSnapshot(snapshot);
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = sealSnapshot(key, snapshot.revision, packed);
    // Asked again at the last moment: between this look and the renaming nothing else of this process runs.
    return saveDurably(this.path, file, () => this.isBehind(snapshot.revision));
  }

  private async load(): Promise<Buffer | null> {
    try {
      // Not blocking, or a pipe of this name would never open.
      const file = await open(this.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        const problem = problemOf(await file.stat());
        if (problem) throw new SnapshotFileError(problem);
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof SnapshotFileError) throw error;
      if (fileErrorCode(error) === 'ENOENT') return null;
      throw new SnapshotFileError(error as Error);
    }
  }

  /** Whether what is in the file is older, or cannot be opened, or waits to be sealed under the key of now. */
  private isBehind(revision: number): boolean {
    try {
      const stats = statSync(this.path);
      if (problemOf(stats)) return true;
      return isBehind(readFileSync(this.path), revision, this.keys);
    } catch {
      return true;
    }
  }
}

const isBehind = (file: Buffer, revision: number, keys: SnapshotKeys): boolean => {
  const header = readHeader(file);
  if (typeof header === 'string' || header.revision < revision) return true;
  const usable = header.revision > revision ? keys.current() : keys.current().slice(0, 1);
  return typeof openSnapshot(usable, file) === 'string';
};

const problemOf = (stats: Stats): Problem | null => {
  if (!stats.isFile()) return 'kind';
  // Windows has no such modes.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) return 'open';
  return stats.size > MAX_FILE_BYTES ? 'size' : null;
};
