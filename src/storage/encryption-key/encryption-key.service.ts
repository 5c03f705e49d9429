import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type {
  EncryptionKeyState,
  EncryptionKeyStatus,
  RemovedEncryptionKey,
  RewrapRequest,
  RewrapResult,
} from '../../contract/encryption-key.contract.js';
import type { Author } from '../../platform/auth/author.js';
import { KeyRing } from '../crypto/key-ring.js';
import { KeyRingHolder } from '../crypto/key-ring-holder.js';
import { KeyRingWatcher } from '../crypto/key-ring-watcher.js';
import { keyUses } from '../crypto/sealed-tables.js';
import { ChangeService } from '../database/change.service.js';
import { KeyCheckEntity } from '../database/system.entities.js';
import type { Transaction } from '../database/transaction.js';
import { StorageProcesses } from '../process/storage-processes.js';
import type { StorageProcessEntity } from '../process/storage-process.entity.js';
import { toKeyViews, toProcessView, toRewrapResult, toRows } from './encryption-key.mapper.js';
import { inUse, notFound, refuseLagging, refuseRows, refuseSealing, tooMany } from './key-refusals.js';
import { KeyRingEditor, lockKeys, type RingEdit } from './key-ring-editor.js';
import { withKeyFirst, withKeyLast, withoutKey } from './key-ring-text.js';
import { KeyRewrapper, type RewrapBatch } from './key-rewrapper.js';

const DEFAULT_LIMIT = 100;
/** The others look every second: who activates a key that was added a moment ago need not try again. */
const FOLLOW_MILLISECONDS = 3000;
/** A rotation needs two; far fewer than a file may hold that is read at the start. */
const MAX_KEYS = 100;

/** Changes the encryption keys while everything goes on: add, activate, rewrap, remove. */
@Injectable()
export class EncryptionKeyService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeService,
    private readonly keys: KeyRingHolder,
    private readonly watcher: KeyRingWatcher,
    private readonly processes: StorageProcesses,
    private readonly editor: KeyRingEditor,
    private readonly rewrapper: KeyRewrapper,
  ) {}

  async status(): Promise<EncryptionKeyStatus> {
    await this.watcher.look();
    const { current: ring, file } = this.keys;
    const uses = await keyUses(this.dataSource.manager);
    const checks = await this.dataSource.manager.find(KeyCheckEntity);
    const processes = await this.processes.living();
    return {
      active_key_id: ring.activeKeyId,
      source: {
        kind: file ? 'file' : 'environment',
        file: file?.name ?? null,
        writable: file?.isWritable() ?? false,
        problem: this.watcher.problem,
      },
      keys: toKeyViews(ring, uses, checks),
      unrecognised_rows: toRows(uses, null),
      processes: processes.map((process) => toProcessView(process, this.processes.id)),
    };
  }

  /** A new random key, behind the others: it opens, and seals nothing yet. */
  add(author: Author): Promise<EncryptionKeyState> {
    const { text: entry, ring } = KeyRing.generate();
    const id = ring.activeKeyId;
    const apply: RingEdit['apply'] = (text, { keyIds }) => {
      if (keyIds.length >= MAX_KEYS) throw tooMany(MAX_KEYS);
      return withKeyLast(text, entry);
    };
    const edit = { keyId: id, action: 'create', step: { add: true }, apply } as const;
    return this.editor.edit(author, edit, { id, active: false });
  }

  /** The key that seals from now on. Every process has to know it first, or it could not open what this one seals. */
  async activate(keyId: string, author: Author): Promise<EncryptionKeyState> {
    const ring = await this.ringWith(keyId);
    const state = { id: keyId, active: true };
    if (ring.activeKeyId === keyId) return state;
    const step = { activate: keyId };
    this.editor.fileFor(step);
    const lacksIt = ({ keyIds }: StorageProcessEntity): boolean => !keyIds.includes(keyId);
    const refuse = (lagging: StorageProcessEntity[]): void =>
      refuseLagging(`do not know the key ${keyId} yet`, lagging);
    refuse(await this.processes.waitUntilNone(lacksIt, FOLLOW_MILLISECONDS));
    const apply: RingEdit['apply'] = async (text, found, manager) => {
      if (!found.has(keyId)) throw notFound(keyId);
      refuse((await this.processes.living(manager)).filter(lacksIt));
      return withKeyFirst(text, keyId);
    };
    return this.editor.edit(author, { keyId, action: 'activate', step, apply }, state);
  }

  /** One batch of rows sealed anew under the active key. Killed or repeated, nothing is lost and nothing done twice. */
  async rewrap({ limit = DEFAULT_LIMIT, dry_run = false }: RewrapRequest, author: Author): Promise<RewrapResult> {
    await this.watcher.look();
    const ring = this.keys.current;
    // Who still seals under another key would go on making rows to do, or undo what is done here.
    const isBehind = ({ activeKeyId }: StorageProcessEntity): boolean => activeKeyId !== ring.activeKeyId;
    const behind = await this.processes.waitUntilNone(isBehind, FOLLOW_MILLISECONDS);
    refuseLagging(`seal under another key than ${ring.activeKeyId}`, behind);
    const work = (transaction: Transaction): Promise<RewrapBatch> => this.rewrapBatch(transaction, ring, limit);
    const batch = dry_run ? await this.changes.rehearse(author, work) : await this.changes.commit(author, work);
    return toRewrapResult(batch, ring, dry_run);
  }

  /** Takes a key out of the ring that nothing is sealed under. Backups of before can only be read with it. */
  async remove(keyId: string, author: Author): Promise<RemovedEncryptionKey> {
    const ring = await this.ringWith(keyId);
    if (ring.activeKeyId === keyId) throw inUse(`${keyId} is the active key: activate another one first.`);
    refuseRows(keyId, await keyUses(this.dataSource.manager));
    const sealsWithIt = ({ activeKeyId }: StorageProcessEntity): boolean => activeKeyId === keyId;
    refuseSealing(keyId, await this.processes.waitUntilNone(sealsWithIt, FOLLOW_MILLISECONDS));
    const apply: RingEdit['apply'] = async (text, found, manager) => {
      if (!found.has(keyId)) throw notFound(keyId);
      // Waits for rows that are just being written under it; from here on the database refuses others.
      await manager.update(KeyCheckEntity, { keyId }, { removedAt: () => 'now()' });
      refuseRows(keyId, await keyUses(manager));
      return withoutKey(text, keyId);
    };
    const notice = `Backups of the database from before now may need ${keyId}: keep a copy of it with them.`;
    return this.editor.edit(author, { keyId, action: 'remove', step: { remove: keyId }, apply }, { id: keyId, notice });
  }

  private async ringWith(keyId: string): Promise<KeyRing> {
    await this.watcher.look();
    if (!this.keys.current.has(keyId)) throw notFound(keyId);
    return this.keys.current;
  }

  /** The history tells of a rewrap once, when it is through. */
  private async rewrapBatch(transaction: Transaction, ring: KeyRing, limit: number): Promise<RewrapBatch> {
    await lockKeys(transaction.manager);
    const batch = await this.rewrapper.rewrapBatch(transaction.manager, ring, limit);
    if (batch.rewrapped === 0 || batch.remaining > 0) return batch;
    const uses = await keyUses(transaction.manager);
    transaction.record({
      kind: 'encryption_key',
      subjectId: ring.activeKeyId,
      subjectName: ring.activeKeyId,
      action: 'rewrap',
      version: null,
      before: null,
      after: { rows: toRows(uses, ring.activeKeyId), unreadable: batch.unreadableTotal },
    });
    return batch;
  }
}
