import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { ConfigurationSource } from '../../contract/instance.contract.js';
import type { SnapshotModel, SnapshotPrompt } from '../../contract/snapshot.contract.js';
import type { Identity } from '../../platform/auth/identity.js';
import { AppError } from '../../platform/errors/app-error.js';
import { HealthRegistry } from '../../platform/health/health-registry.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import type { Span } from '../../platform/tracing/span.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { describeDirectory, type DirectoryFreshness, timeOf } from './directory-freshness.js';
import { DirectoryState } from './directory-state.js';
import type { ExhaustedBudgets } from './exhausted-budgets.js';
import { LastKnownGood } from './last-known-good.js';
import { watchRevisions } from './revision-watch.js';
import { OneAtATime } from '../../platform/limits/one-at-a-time.js';
import type { SavedSnapshot } from './snapshot-file.js';

const POLL_MILLISECONDS = 2000;
/** How long a caller waits for news about something unknown. */
const MISS_MILLISECONDS = 1000;
/** Storage has so long to say what is, before the file of an earlier process is believed. */
const FILE_MILLISECONDS = 1000;
/** What is left to be written at the end must not hold it up for longer. */
const FINISH_MILLISECONDS = 1000;

/** What calls are answered from, and who told. */
interface Known {
  readonly state: DirectoryState;
  readonly source: ConfigurationSource;
  /** When the file was written, milliseconds since 1970; null: storage told. */
  readonly savedAt: number | null;
}

/**
 * What every call is answered from: models, keys, prompts and token hashes in memory, no I/O. Kept up to date by a watch on
 * the revision, by a poll as the safety net, and by a refresh when something unknown is asked for; what changed is fetched, not all
 * of it. A failure never replaces what is known, and what storage told never gets older. Until storage tells for the first
 * time, the last-known-good file of an earlier process may.
 */
@Injectable()
export class ModelDirectory implements OnModuleInit {
  private readonly logger = new Logger('ModelDirectory');
  private current: Known | null = null;
  private contactAt: number | null = null;
  /** When the newest good answer was asked for: what was written before that is in it. */
  private knownAsOf = 0;
  /** Storage was last asked in vain: nobody waits for it again until the poll finds it there. */
  private isAway = false;
  /** Whose request the next refresh is for; null: the process wants it by itself. */
  private askedFor: Span | null = null;
  private readonly refreshes = new OneAtATime(() => this.load());
  /** What was in the file at the start; null once it is of no use any more. */
  private saved: Promise<SavedSnapshot | null> | null = null;
  private poll: NodeJS.Timeout | undefined;
  private patience: NodeJS.Timeout | undefined;
  private readonly stopping = new AbortController();
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly storage: StorageServiceClient,
    private readonly lastKnownGood: LastKnownGood,
    private readonly address: ListenAddress,
    private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register('model_directory', () => ({ ...describeDirectory(this.freshness) }));
    // Not while booting: in role `all` the other side is this very process.
    this.address.onListening(() => this.start());
  }

  /** Called after another state was taken over, and when storage is there again. */
  onNews(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The model of this alias. Throws `model_not_found`, or `model_directory_unavailable` when nobody can know. */
  find(alias: string, span: Span | null = null): SnapshotModel | Promise<SnapshotModel> {
    return this.state?.model(alias) ?? this.findAfterRefresh(alias, span);
  }

  /** The model of this alias as far as it is known here; nobody is asked. */
  known(alias: string): SnapshotModel | undefined {
    return this.state?.model(alias);
  }

  /**
   * The model of this id as storage has it now, key and version of the same moment. Throws `config_not_found`, or
   * `storage_unavailable` when storage cannot be asked: what is remembered would not do for a change.
   */
  async readById(id: string, span: Span | null = null): Promise<SnapshotModel> {
    await this.requireCurrent(span);
    const model = this.state?.modelById(id);
    if (!model) throw new AppError('config_not_found');
    return model;
  }

  /** After this, what is known here is what storage has. Throws `storage_unavailable`. */
  async requireCurrent(span: Span | null = null): Promise<void> {
    if (await this.catchUp(span)) return;
    const detail = 'The storage service cannot be asked right now; nothing was changed. Try again shortly.';
    throw new AppError('storage_unavailable', { detail, headers: { 'retry-after': '2' } });
  }

  /** How old what is known here is. */
  get freshness(): DirectoryFreshness {
    return {
      revision: this.state?.revision ?? null,
      models: this.state?.size ?? 0,
      source: this.current?.source ?? null,
      contactAt: this.contactAt,
      savedAt: this.current?.savedAt ?? null,
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

  /** The budgets that refuse calls, as far as is known here; null: none does. */
  get exhaustedBudgets(): ExhaustedBudgets | null {
    return this.state?.exhausted ?? null;
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
   * @param span of the request that waits; of several, the refresh is told of in the trace of the last
   */
  async catchUp(span: Span | null = null): Promise<boolean> {
    if (this.isAway) return false;
    this.askedFor = span ?? this.askedFor;
    const askedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, MISS_MILLISECONDS)));
    await Promise.race([this.refreshes.runFromNow(), late]);
    clearTimeout(timer);
    if (this.knownAsOf >= askedAt) return true;
    // It may hang for as long as STORAGE_SERVICE_TIMEOUT: one caller has waited for it, the next ones need not.
    this.noteAway('no answer in time');
    return false;
  }

  /** At the end of the process: what storage told last is in the file then. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.poll);
    clearTimeout(this.patience);
    await this.lastKnownGood.finish(FINISH_MILLISECONDS);
  }

  private get state(): DirectoryState | null {
    return this.current?.state ?? null;
  }

  private start(): void {
    this.saved = this.lastKnownGood.read();
    this.patience = setTimeout(() => void this.fallBack(), FILE_MILLISECONDS);
    this.poll = setInterval(() => void this.refreshes.run(), POLL_MILLISECONDS);
    void this.refreshes.run();
    const onRevision = (revision: number): void => {
      if (revision > (this.state?.revision ?? 0)) void this.refreshes.runFromNow();
    };
    void watchRevisions(this.storage, onRevision, this.stopping.signal);
  }

  private async findAfterRefresh(alias: string, span: Span | null): Promise<SnapshotModel> {
    const isCurrent = await this.catchUp(span);
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

  /** Never fails. */
  private async load(): Promise<void> {
    const startedAt = performance.now();
    const span = this.askedFor;
    this.askedFor = null;
    try {
      const before = this.current;
      this.take(await this.ask(before, span), before);
      this.noteContact(startedAt);
    } catch (error) {
      await this.fallBack();
      this.noteAway(error);
    }
  }

  /** What storage has now; null: what is known is still the newest. */
  private async ask(known: Known | null, span: Span | null): Promise<DirectoryState | null> {
    if (!known) return this.askForAll(span);
    const answer = await this.storage.getSnapshotSince(known.state.revision, span);
    if (!answer) return null;
    if (!('since' in answer)) return DirectoryState.of(answer);
    const next = known.state.with(answer);
    if (next) return next;
    const { since, revision } = answer;
    this.logger.warn({ msg: 'A difference does not fit what is known here; fetching all of it', since, revision });
    return this.askForAll(span);
  }

  private async askForAll(span: Span | null): Promise<DirectoryState | null> {
    const snapshot = await this.storage.getSnapshot(null, span);
    return snapshot && DirectoryState.of(snapshot);
  }

  /** `before`: what was known when `next` was asked for. */
  private take(next: DirectoryState | null, before: Known | null): void {
    const { current } = this;
    const told = current?.source === 'storage' ? current.state.revision : 0;
    // The file may be of another database: whatever number storage begins with, it counts.
    if (next && next.revision > told) this.replace(next);
    else if (!next && current?.source === 'file' && current === before) this.replace(current.state);
  }

  private replace(state: DirectoryState): void {
    this.current = { state, source: 'storage', savedAt: null };
    this.saved = null;
    this.tell();
  }

  private noteContact(startedAt: number): void {
    const wasAway = this.isAway;
    this.isAway = false;
    this.knownAsOf = startedAt;
    this.contactAt = Date.now();
    if (this.current?.source === 'storage') this.lastKnownGood.keep(this.current.state);
    if (!wasAway) return;
    this.logger.log('The storage service is there again');
    this.tell();
  }

  /** Takes what the file has, unless something is known already. */
  private async fallBack(): Promise<void> {
    const saved = this.current ? null : await this.saved;
    if (!saved || this.current) return;
    this.saved = null;
    const { snapshot, savedAt } = saved;
    this.current = { state: DirectoryState.of(snapshot), source: 'file', savedAt };
    const msg = 'The storage service has not answered yet; answering from the last-known-good file';
    this.logger.warn({ msg, revision: snapshot.revision, saved_at: timeOf(savedAt) });
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private noteAway(reason: unknown): void {
    if (this.isAway) return;
    this.isAway = true;
    const msg = this.state
      ? 'The storage service cannot be asked; answering from what is known'
      : 'The storage service cannot be asked, and nothing is known yet: calls get 503 until it answers';
    this.logger.warn({
      msg,
      reason: reason instanceof Error ? reason.message : String(reason),
      revision: this.state?.revision,
    });
  }
}
