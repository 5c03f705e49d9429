import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { HistoryAction } from '../../contract/history.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { AppError } from '../../platform/errors/app-error.js';
import { StartupError } from '../../platform/errors/startup-error.js';
import { checkNextKeyRing } from '../crypto/key-check.js';
import { KeyRing } from '../crypto/key-ring.js';
import type { KeyRingFile } from '../crypto/key-ring-file.js';
import { KeyRingHolder } from '../crypto/key-ring-holder.js';
import { KeyRingWatcher } from '../crypto/key-ring-watcher.js';
import { ChangeService } from '../database/change.service.js';
import { isReadOnlyFailure, readOnly, type KeyStep } from './operator-steps.js';

const LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('encryption keys', 0))`;

/** Until the end of the transaction nobody else changes the ring or rewraps, in any process. */
export const lockKeys = async (manager: EntityManager): Promise<void> => {
  await manager.query(LOCK);
};

/** One change of the ring, as the history will tell it. */
export interface RingEdit {
  keyId: string;
  action: HistoryAction;
  step: KeyStep;
  /** The text that takes the place of this one; throws what speaks against it. */
  apply(text: string, ring: KeyRing, manager: EntityManager): string | Promise<string>;
}

/** Writes the ring's file and the history of it. Two processes that share the file never overwrite each other. */
@Injectable()
export class KeyRingEditor {
  constructor(
    private readonly changes: ChangeService,
    private readonly keys: KeyRingHolder,
    private readonly watcher: KeyRingWatcher,
  ) {}

  /** Throws `encryption_keys_read_only` with what the operator has to do, when this process cannot. */
  fileFor(step: KeyStep): KeyRingFile {
    const { file } = this.keys;
    if (this.watcher.problem !== null) throw notInOrder(this.watcher.problem);
    if (!file?.isWritable()) throw readOnly(file, step);
    return file;
  }

  /** This process uses the new ring when it returns; the others follow within a second. */
  async edit<Result>(author: Author, edit: RingEdit, result: Result): Promise<Result> {
    await this.watcher.look();
    const file = this.fileFor(edit.step);
    let takeBack = (): void => undefined;
    try {
      return await this.changes.commit(author, async (transaction) => {
        const { manager } = transaction;
        await lockKeys(manager);
        const { text, ring } = await this.read(manager, file);
        const next = await edit.apply(text, ring, manager);
        const nextRing = KeyRing.parse(next);
        transaction.record({
          kind: 'encryption_key',
          subjectId: edit.keyId,
          subjectName: edit.keyId,
          action: edit.action,
          version: null,
          before: toState(ring),
          after: toState(nextRing),
        });
        // Last, so that nothing can go wrong any more but the commit itself.
        takeBack = file.replace(next);
        return result;
      });
    } catch (error) {
      takeBack();
      throw isReadOnlyFailure(error) ? readOnly(file, edit.step, error) : error;
    } finally {
      // Should the database be away by now: it is looked at every second anyway.
      await this.watcher.look().catch(() => undefined);
    }
  }

  /** The ring as the file has it now, which another process may have changed a moment ago. */
  private async read(manager: EntityManager, file: KeyRingFile): Promise<{ text: string; ring: KeyRing }> {
    try {
      const { text, ring } = file.read();
      await checkNextKeyRing(manager, ring, this.keys.current);
      return { text: text.reveal(), ring };
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      throw notInOrder(error.message, error);
    }
  }
}

const notInOrder = (problem: string, cause?: unknown): AppError =>
  new AppError('encryption_keys_not_valid', { detail: problem, cause });

/** Ids alone: what the history may tell of a ring. */
const toState = (ring: KeyRing): Record<string, unknown> => ({
  active_key_id: ring.activeKeyId,
  key_ids: ring.keyIds,
});
