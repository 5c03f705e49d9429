import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { SnapshotModel, SnapshotPrompt } from '../../contract/snapshot.contract.js';
import type { Identity } from '../../platform/auth/identity.js';
import { AppError } from '../../platform/errors/app-error.js';
import { HealthRegistry, type DependencyHealth } from '../../platform/health/health-registry.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { DirectoryState } from './directory-state.js';

const POLL_MILLISECONDS = 2000;
/** How long a caller waits for news about something unknown. */
const MISS_MILLISECONDS = 1000;
const RECONNECT_MILLISECONDS = 1000;

/** How old the directory is. */
export interface DirectoryFreshness {
  /** null: there is no snapshot yet. */
  revision: number | null;
  models: number;
  /** When storage last told that this is the newest, in milliseconds since 1970; null: never. */
  contactAt: number | null;
  isStorageAway: boolean;
}

/**
 * What every call is answered from: models, keys, prompts and token hashes in memory, no I/O. Kept up to date by a watch on
 * the revision, by a poll as the safety net, and by a refresh when something unknown is asked for. A failure never
 * replaces what is known, and what is known never gets older.
 */
@Injectable()
export class ModelDirectory implements OnModuleInit {
  private readonly logger = new Logger('ModelDirectory');
  private state: DirectoryState | null = null;
  private contactAt: number | null = null;
  /** When the newest good answer was asked for: what was written before that is in it. */
  private knownAsOf = 0;
  /** Storage was last asked in vain: nobody waits for it again until the poll finds it there. */
  private isAway = false;
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private poll: NodeJS.Timeout | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly storage: StorageServiceClient,
    private readonly address: ListenAddress,
    private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register('model_directory', () => this.describe());
    // Not while booting: in role `all` the other side is this very process.
    this.address.onListening(() => this.start());
  }

  /** The model of this alias. Throws `model_not_found`, or `model_directory_unavailable` when nobody can know. */
  find(alias: string): SnapshotModel | Promise<SnapshotModel> {
    return this.state?.model(alias) ?? this.findAfterRefresh(alias);
  }

  /** The model of this alias as far as it is known here; nobody is asked. */
  known(alias: string): SnapshotModel | undefined {
    return this.state?.model(alias);
  }

  /**
   * The model of this id as storage has it now, key and version of the same moment. Throws `config_not_found`, or
   * `storage_unavailable` when storage cannot be asked: what is remembered would not do for a change.
   */
  async readById(id: string): Promise<SnapshotModel> {
    await this.requireCurrent();
    const model = this.state?.modelById(id);
    if (!model) throw new AppError('config_not_found');
    return model;
  }

  /** After this, what is known here is what storage has. Throws `storage_unavailable`. */
  async requireCurrent(): Promise<void> {
    if (await this.catchUp()) return;
    const detail = 'The storage service cannot be asked right now; nothing was changed. Try again shortly.';
    throw new AppError('storage_unavailable', { detail, headers: { 'retry-after': '2' } });
  }

  /** How old what is known here is. */
  get freshness(): DirectoryFreshness {
    return {
      revision: this.state?.revision ?? null,
      models: this.state?.size ?? 0,
      contactAt: this.contactAt,
      isStorageAway: this.isAway,
    };
  }

  /** Storage could not be asked the last time: what is known here is all there is for now. */
  get isStorageAway(): boolean {
    return this.isAway;
  }

  /** Models by priority, then alias; empty before the first snapshot. */
  models(): readonly SnapshotModel[] {
    return this.state?.allModels() ?? [];
  }

  /** The prompt of this name, as far as it is known here. */
  prompt(name: string): SnapshotPrompt | undefined {
    return this.state?.prompt(name);
  }

  /** Whose token hashes to this, as far as it is known here; nobody is asked. */
  knownIdentity(sha256: string): Identity | null {
    return this.state?.identity(sha256) ?? null;
  }

  /** Whose token hashes to this; null: nobody's. Throws `token_check_unavailable` when nobody can know. */
  identify(sha256: string, worthAsking: boolean): Identity | null | Promise<Identity | null> {
    const identity = this.state?.identity(sha256);
    if (identity !== undefined) return identity;
    if (this.state && !worthAsking) return null;
    return this.identifyAfterRefresh(sha256);
  }

  /**
   * For something that is not known here: asks storage once more, unless it is known to be away. Answers whether it told,
   * so that what is still unknown is known not to be there.
   */
  async catchUp(): Promise<boolean> {
    if (this.isAway) return false;
    const askedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, MISS_MILLISECONDS)));
    await Promise.race([this.refreshFromNow(), late]);
    clearTimeout(timer);
    if (this.knownAsOf >= askedAt) return true;
    // It may hang for as long as STORAGE_SERVICE_TIMEOUT: one caller has waited for it, the next ones need not.
    this.noteAway('no answer in time');
    return false;
  }

  stop(): void {
    this.stopping.abort();
    clearInterval(this.poll);
  }

  private start(): void {
    this.poll = setInterval(() => void this.refresh(), POLL_MILLISECONDS);
    void this.refresh();
    void this.watch();
  }

  private async findAfterRefresh(alias: string): Promise<SnapshotModel> {
    const isCurrent = await this.catchUp();
    const model = this.state?.model(alias);
    if (model) return model;
    if (isCurrent)
      throw new AppError('model_not_found', { detail: `There is no model with the alias ${alias}.`, param: 'model' });
    throw new AppError('model_directory_unavailable', {
      detail: `Whether there is a model with the alias ${alias} cannot be looked up right now; try again shortly.`,
      headers: { 'retry-after': '2' },
      param: 'model',
    });
  }

  private async identifyAfterRefresh(sha256: string): Promise<Identity | null> {
    const isCurrent = await this.catchUp();
    const identity = this.state?.identity(sha256);
    if (identity !== undefined) return identity;
    if (isCurrent) return null;
    throw new AppError('token_check_unavailable', { headers: { 'retry-after': '2' } });
  }

  /** A refresh that starts after this moment: one that is under way may have missed what was just written. */
  private refreshFromNow(): Promise<void> {
    if (!this.running) return this.refresh();
    this.next ??= this.running.then(() => {
      this.next = null;
      return this.refresh();
    });
    return this.next;
  }

  /** One at a time; never fails. */
  private refresh(): Promise<void> {
    this.running ??= this.load().finally(() => (this.running = null));
    return this.running;
  }

  private async load(): Promise<void> {
    const startedAt = performance.now();
    try {
      const snapshot = await this.storage.getSnapshot(this.state?.revision ?? null);
      if (snapshot && snapshot.revision > (this.state?.revision ?? 0)) this.state = new DirectoryState(snapshot);
      if (this.isAway) this.logger.log('The storage service is there again');
      this.isAway = false;
      this.knownAsOf = startedAt;
      this.contactAt = Date.now();
    } catch (error) {
      this.noteAway(error);
    }
  }

  private noteAway(reason: unknown): void {
    if (this.isAway) return;
    this.isAway = true;
    const msg = 'The storage service cannot be asked; answering from what is known';
    this.logger.warn({
      msg,
      reason: reason instanceof Error ? reason.message : String(reason),
      revision: this.state?.revision,
    });
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.storage.watchRevision((revision) => {
          if (revision > (this.state?.revision ?? 0)) void this.refreshFromNow();
        }, signal);
      } catch {
        // Only a hint was lost: the poll finds the same revision.
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MILLISECONDS).unref());
    }
  }

  private describe(): DependencyHealth {
    const { state } = this;
    const status = !state ? 'down' : this.isAway ? 'degraded' : 'up';
    return {
      status,
      revision: state?.revision ?? null,
      models: state?.size ?? 0,
      last_contact_at: this.contactAt === null ? null : new Date(this.contactAt).toISOString(),
    };
  }
}
