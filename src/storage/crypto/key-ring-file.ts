import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readSecretFile } from '../../platform/config/secret-file.js';
import { StartupError } from '../../platform/errors/startup-error.js';
import type { Secret } from '../../platform/secrets/secret.js';
import { removeLeftovers, replaceDurably } from '../../platform/files/durable-file.js';
import { KeyRing, KeyRingError } from './key-ring.js';

/** Reads a ring's text; `source` names it in the error. */
export const parseKeyRing = (source: string, text: Secret): KeyRing => {
  try {
    return KeyRing.parse(text.reveal());
  } catch (error) {
    if (error instanceof KeyRingError) throw new StartupError(`${source} is not valid: ${error.message}`);
    throw error;
  }
};

/** The file a key ring comes from. It may be changed while the process runs, by this one, another one or by hand. */
export class KeyRingFile {
  /** `source` is what errors call it: a variable, or its place in DATA_DIR. */
  constructor(
    private readonly path: string,
    private readonly source: string,
  ) {}

  /** Its name without the directory. */
  get name(): string {
    return basename(this.path);
  }

  /** Another one after every change, of its mode too; null: it cannot be looked at. */
  stamp(): string | null {
    try {
      const { dev, ino, size, mode, mtimeNs, ctimeNs } = statSync(this.path, { bigint: true });
      return [dev, ino, size, mode, mtimeNs, ctimeNs].join(' ');
    } catch {
      return null;
    }
  }

  /** Throws a StartupError when it is gone, when others can read it, and for what is no key ring. */
  read(): { text: Secret; ring: KeyRing } {
    const text = this.readText();
    return { text, ring: parseKeyRing(this.source, text) };
  }

  isWritable(): boolean {
    try {
      const target = realpathSync(this.path);
      accessSync(target, constants.W_OK);
      accessSync(dirname(target), constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Writes another text, atomically and durably, and answers how to take it back: that does nothing when somebody else
   * has changed the file since.
   */
  replace(text: string): () => void {
    const before = this.readText();
    this.tidyUp();
    replaceDurably(this.path, `${text}\n`);
    const written = this.stamp();
    return () => {
      if (this.stamp() === written) replaceDurably(this.path, `${before.reveal()}\n`);
    };
  }

  /** Removes what a writer left beside it that was killed. */
  tidyUp(): void {
    removeLeftovers(this.path);
  }

  private readText(): Secret {
    return readSecretFile(this.source, this.path, { mustBePrivate: true });
  }
}
