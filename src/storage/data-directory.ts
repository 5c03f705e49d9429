import { existsSync, linkSync, mkdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartupError } from '../platform/errors/startup-error.js';
import { readSecretFile } from '../platform/config/secret-file.js';
import type { Secret } from '../platform/secrets/secret.js';
import { fileErrorCode } from '../platform/files/file-error.js';
import { syncDirectory, temporaryNameOf, writeDurably } from '../platform/files/durable-file.js';

export const ADMIN_TOKEN_FILE = 'admin-token';
export const ENCRYPTION_KEYS_FILE = 'encryption-keys';

/** `DATA_DIR`: what this installation generated for itself. Created with mode 0700. */
export class DataDirectory {
  constructor(readonly path: string) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new StartupError(`DATA_DIR cannot be created (${fileErrorCode(error)}).`);
    }
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  has(name: string): boolean {
    return existsSync(this.pathOf(name));
  }

  read(name: string, options: { mustBePrivate: boolean }): Secret {
    return readSecretFile(`DATA_DIR/${name}`, this.pathOf(name), options);
  }

  /**
   * Writes a generated secret, mode 0600, safely on disk before it is used, and answers what is in the file: when two
   * processes start at once, the first one's stays.
   */
  writeOnce(name: string, text: string): Secret {
    const path = this.pathOf(name);
    const temporary = temporaryNameOf(path);
    try {
      writeDurably(temporary, `${text}\n`);
      linkUnlessThere(temporary, path);
      syncDirectory(dirname(path));
    } catch (error) {
      throw new StartupError(`DATA_DIR/${name} cannot be written (${fileErrorCode(error)}).`);
    } finally {
      if (existsSync(temporary)) unlinkSync(temporary);
    }
    return this.read(name, { mustBePrivate: true });
  }
}

const linkUnlessThere = (from: string, to: string): void => {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};
