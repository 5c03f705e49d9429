import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';

const LEFTOVER = /^\.[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** Nobody needs so long between writing a file and giving it its name. */
const LEFTOVER_MILLISECONDS = 60_000;

interface Owner {
  uid: number;
  gid: number;
}

/** Creates a file of mode 0600 that is safely on disk when this returns. */
export const writeDurably = (path: string, text: string, owner?: Owner): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    // Only root can have another owner's file to write; that owner must still be able to read it.
    if (owner && process.getuid && owner.uid !== process.getuid()) fchownSync(file, owner.uid, owner.gid);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** Makes new names in a directory safe. */
export const syncDirectory = (path: string): void => {
  // Windows cannot open a directory.
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  fsyncSync(directory);
  closeSync(directory);
};

/** A name beside `path` for a file that is not complete yet. */
export const temporaryNameOf = (path: string): string => `${path}.${randomUUID()}`;

/**
 * Puts `text` in the place of a file's content, mode 0600: whoever reads meanwhile, or after a crash, finds the old text
 * or the new one. Through a symbolic link the file behind it is replaced.
 */
export const replaceDurably = (path: string, text: string): void => {
  const target = realpathSync(path);
  const temporary = temporaryNameOf(target);
  try {
    writeDurably(temporary, text, statSync(target));
    renameSync(temporary, target);
    syncDirectory(dirname(target));
  } finally {
    rmSync(temporary, { force: true });
  }
};

/**
 * Like `replaceDurably`, for a file that may not be there yet and without holding anybody up. `mayReplace` is asked when
 * only the renaming is left to do; answers what it said.
 */
export const saveDurably = async (
  path: string,
  content: Buffer | string,
  mayReplace: () => boolean = () => true,
): Promise<boolean> => {
  const temporary = temporaryNameOf(path);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!mayReplace()) return false;
    renameSync(temporary, path);
    await syncDirectoryInBackground(dirname(path));
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
};

const syncDirectoryInBackground = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};

/** Removes what writers of this file left behind that were killed: as secret as the file, and in nobody's care. */
export const removeLeftovers = (path: string): void => {
  try {
    const target = realpathSync(path);
    const name = basename(target);
    const others = readdirSync(dirname(target)).filter(
      (other) => other.startsWith(name) && LEFTOVER.test(other.slice(name.length)),
    );
    for (const other of others) removeIfOld(join(dirname(target), other));
  } catch {
    // A directory that may not be listed or written: nothing of ours is left in it.
  }
};

const removeIfOld = (path: string): void => {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file && Date.now() - file.mtimeMs > LEFTOVER_MILLISECONDS) rmSync(path, { force: true });
};
