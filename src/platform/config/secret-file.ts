import { readFileSync, statSync } from 'node:fs';
import { fileErrorCode } from '../files/file-error.js';
import { StartupError } from '../errors/startup-error.js';
import { Secret } from '../secrets/secret.js';

const MAX_BYTES = 65_536;

const check = (variable: string, path: string, mustBePrivate: boolean): void => {
  const file = statSync(path);
  if (!file.isFile() || file.size > MAX_BYTES) {
    throw new StartupError(`${variable} must name a file of at most ${MAX_BYTES} bytes.`);
  }
  // Windows has no such modes.
  const isOpen = process.platform !== 'win32' && (file.mode & 0o077) !== 0;
  if (mustBePrivate && isOpen) {
    throw new StartupError(`${variable} names a file that others can read: its mode must be 0600 or stricter.`);
  }
};

/** Reads a secret from a file; a newline at its end is not part of it. Errors name the variable, never the content. */
export function readSecretFile(variable: string, path: string, { mustBePrivate }: { mustBePrivate: boolean }): Secret {
  try {
    check(variable, path, mustBePrivate);
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (text === '') throw new StartupError(`${variable} names an empty file.`);
    return Secret.of(text);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const code = fileErrorCode(error);
    throw new StartupError(`${variable} names a file that cannot be read (${code}).`);
  }
}
