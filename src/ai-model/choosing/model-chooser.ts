import { Injectable } from '@nestjs/common';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { Span } from '../../platform/tracing/span.js';
import { isCallable, isWithinLimit } from '../calls/callable.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { CallMedia } from '../media/call-media.js';
import type { MediaOfCall } from '../media/media-of-call.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { type HealthState, ModelHealth } from './model-health.js';

/** Not a model's name: the hub picks one. */
export const AUTO = 'auto';
/** `auto` asks no more models than this for one call. */
const MOST_CANDIDATES = 3;
const RANK: Record<HealthState, number> = { healthy: 0, unknown: 0, degraded: 1, unhealthy: 2 };
const LAST = 3;
/** A model that makes vectors answers no chat; nothing in a config says which do, but their names do. */
const EMBEDDING_NAME = /(^|[^a-z])(embed|embedding|embeddings|bge|rerank(er)?)([^a-z]|$)/i;

/** Whether a model of this name answers with vectors, and not in words. */
export const makesEmbeddings = (modelName: string): boolean => EMBEDDING_NAME.test(modelName);

/** Which models are asked, and in which order. */
@Injectable()
export class ModelChooser {
  constructor(
    private readonly directory: ModelDirectory,
    private readonly health: ModelHealth,
    private readonly media: CallMedia,
  ) {}

  /**
   * The model of the alias, then its fallbacks; for `auto` the best ones that can take the call.
   * Throws `model_not_found`, `model_directory_unavailable`, `model_disabled`, `no_model_available`, and what
   * {@link CallMedia} says of attachments.
   * @param span of the request, should storage have to be asked
   */
  choose(
    incoming: IncomingCall,
    span: Span | null = null,
  ): readonly SnapshotModel[] | Promise<readonly SnapshotModel[]> {
    const media = this.media.of(incoming);
    if (media) return media.ready().then(() => this.chooseFor(incoming, media, span));
    return this.chooseFor(incoming, null, span);
  }

  private chooseFor(
    incoming: IncomingCall,
    media: MediaOfCall | null,
    span: Span | null,
  ): readonly SnapshotModel[] | Promise<readonly SnapshotModel[]> {
    if (incoming.alias === AUTO) return this.pick(incoming, media);
    const found = this.directory.find(incoming.alias, span);
    return found instanceof Promise
      ? found.then((model) => this.withFallbacks(model, incoming, media))
      : this.withFallbacks(found, incoming, media);
  }

  private withFallbacks(
    model: SnapshotModel,
    { operation }: IncomingCall,
    media: MediaOfCall | null,
  ): readonly SnapshotModel[] {
    if (!model.is_enabled) {
      throw new AppError('model_disabled', { detail: `The model ${model.alias} is switched off.`, param: 'model' });
    }
    media?.requireTakenBy(model);
    if (model.fallback_aliases.length === 0) return [model];
    const isAble = (other: SnapshotModel | undefined): boolean =>
      other !== undefined && other !== model && isCallable(other) && (media?.isTakenBy(other) ?? true);
    const others = model.fallback_aliases
      .map((alias) => this.directory.known(alias))
      .filter((other) => isAble(other)) as SnapshotModel[];
    return [model, ...(operation === 'embeddings' ? others.filter((other) => isSameModel(other, model)) : others)];
  }

  /** By health, then priority, then alias; models whose budget is used up come last. */
  private pick(incoming: IncomingCall, media: MediaOfCall | null): SnapshotModel[] {
    if (incoming.operation === 'embeddings') {
      const detail = 'Vectors of different models cannot be compared: name the alias of one instead of auto.';
      throw new AppError('validation_failed', { detail, param: 'model' });
    }
    const able = this.directory.models().filter((model) => this.isAble(model, incoming));
    if (able.length === 0) {
      const detail = 'There is no model that is switched on, has a key, and takes what the request contains.';
      throw new AppError('no_model_available', { detail, param: 'model' });
    }
    const taking = media ? able.filter((model) => media.isTakenBy(model)) : able;
    if (media && taking.length === 0) throw media.refuseForAll();
    const budgets = this.directory.exhaustedBudgets;
    const rankOf = (model: SnapshotModel): number =>
      budgets?.closing(model) ? LAST : RANK[this.health.stateOf(model)];
    const ranked = taking.map((model) => ({ model, rank: rankOf(model) }));
    ranked.sort((a, b) => a.rank - b.rank);
    return ranked.slice(0, MOST_CANDIDATES).map(({ model }) => model);
  }

  private isAble(model: SnapshotModel, { stream, parameters }: IncomingCall): boolean {
    return (
      isCallable(model) &&
      isWithinLimit(model, parameters) &&
      (model.is_streaming_supported || !stream) &&
      !makesEmbeddings(model.model_name)
    );
  }
}

/** Another key or region of the same: vectors of different models cannot be compared. */
const isSameModel = (a: SnapshotModel, b: SnapshotModel): boolean =>
  a.provider === b.provider && a.model_name === b.model_name;
