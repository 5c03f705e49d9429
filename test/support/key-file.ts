import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomKeyRing } from './hub.js';

/** A file with a key ring, for `ENCRYPTION_KEYS_FILE`, and what somebody does to it by hand. */
export class KeyFile {
  readonly directory = mkdtempSync(join(tmpdir(), 'hub-test-keys-'));
  readonly path = join(this.directory, 'ring');
  /** The text of every key that was ever in it: none of them may turn up anywhere. */
  readonly everSeen = new Set<string>();

  constructor(text: string = randomKeyRing('k1')) {
    this.write(text);
  }

  /** In one step, as a careful operator does. */
  write(text: string, mode = 0o600): void {
    const temporary = `${this.path}.by-hand`;
    writeFileSync(temporary, text, { mode });
    chmodSync(temporary, mode);
    renameSync(temporary, this.path);
  }

  read(): string {
    return readFileSync(this.path, 'utf8').trim();
  }

  get entries(): string[] {
    const entries = this.read().split(',');
    for (const entry of entries) this.everSeen.add(entry.slice(entry.indexOf(':') + 1));
    return entries;
  }

  get keyIds(): string[] {
    return this.entries.map((entry) => entry.slice(0, entry.indexOf(':')));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
