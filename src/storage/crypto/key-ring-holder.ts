import type { KeyObject } from 'node:crypto';
import { StartupError } from '../../platform/errors/startup-error.js';
import type { KeyRing } from './key-ring.js';
import type { KeyRingFile } from './key-ring-file.js';

/** What is read from the database before the ring changes may be opened after it. */
const RETIRED_MILLISECONDS = 60_000;

/** What was found in the ring's file the last time it had changed. */
interface Reading {
  stamp: string | null;
  ring: KeyRing | null;
  /** Why there is no ring; never holds any part of a key. */
  problem: string | null;
}

/**
 * The key ring of this process. A ring itself never changes; another one may take its place while the process runs, so
 * whoever seals or opens asks here each time.
 */
export class KeyRingHolder {
  private reading: Reading;
  private retired: { ring: KeyRing; until: number } | null = null;

  /** `file` is null when the ring comes from the environment: then it stays. */
  constructor(
    private ring: KeyRing,
    readonly file: KeyRingFile | null,
  ) {
    this.reading = { stamp: null, ring, problem: null };
  }

  /** The ring that was compared with the database: the only one that may seal. */
  get current(): KeyRing {
    return this.ring;
  }

  /**
   * A ring with this key, if there is any: the current one, else what the file says now, which another process may have
   * sealed with already, else the one before. None of them needs to be checked first: what opens is authentic.
   */
  forOpening(keyId: string | null): KeyRing {
    if (keyId === null || this.ring.has(keyId)) return this.ring;
    const { ring: next } = this.readFile();
    if (next?.has(keyId)) return next;
    return this.retired?.ring.has(keyId) && performance.now() < this.retired.until ? this.retired.ring : this.ring;
  }

  /** What the file has; read anew only when it was changed. Without a file the current ring. */
  readFile(): Readonly<Reading> {
    if (!this.file) return this.reading;
    const stamp = this.file.stamp();
    if (stamp === null || stamp !== this.reading.stamp) this.reading = { stamp, ...read(this.file) };
    return this.reading;
  }

  /** For a snapshot that is kept on disk: the key to seal it with, then those that may have sealed one before. */
  snapshotKeys(): KeyObject[] {
    const { ring } = this;
    return ring.keyIds.map((keyId) => ring.derive('snapshot', keyId));
  }

  /** From now on this one seals and opens. It must have been compared with the database. */
  adopt(ring: KeyRing): void {
    this.retired = { ring: this.ring, until: performance.now() + RETIRED_MILLISECONDS };
    this.ring = ring;
  }
}

const read = (file: KeyRingFile): Omit<Reading, 'stamp'> => {
  try {
    return { ring: file.read().ring, problem: null };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return { ring: null, problem: error.message };
  }
};
