import { type LanguageModelV3, type LanguageModelV3StreamPart, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { SnapshotModel } from '../../../contract/snapshot.contract.js';
import { AppError } from '../../../platform/errors/app-error.js';
import type { CancelSignal } from '../../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { OutboundError } from '../../../platform/http/outbound/outbound-error.js';
import { SseLimitError } from '../../calls/wire/sse-reader.js';
import { fromOutboundError } from '../openai-errors.js';
import { ProviderError } from '../provider-error.js';
import { withoutSecrets } from '../model-listing.js';
import { type ProviderTarget, targetOf } from '../provider-target.js';
import { toEmbeddingsBody } from '../embedding-format.js';
import type {
  ChatAnswer,
  ChatProvider,
  ChatRequest,
  EmbeddingRequest,
  ModelListing,
  WholeAnswer,
} from '../provider.js';
import { toCall } from './call-options.js';
import { ChunkStream, ChunkWriter } from './chunk-stream.js';
import { GuardedFetch } from './guarded-fetch.js';
import type { ModelList } from './model-lists.js';
import { ignoredBy, toCompletion } from './openai-answer.js';
import { embedTexts, toEmbedding } from './sdk-embeddings.js';
import { getter, listSdkModels } from './sdk-models.js';
import type { SdkSettings, SdkWire } from './sdk-wire.js';

type CallOptions = Parameters<LanguageModelV3['doGenerate']>[0];

/** Betas of Anthropic that a config asks for are joined with those of a call, so the library has to know them. */
const JOINED_HEADER = 'anthropic-beta';
/** A chat may take several requests, where a provider answers in instalments. */
const MOST_REQUESTS = 32;
const NO_HEADERS: Record<string, string> = {};

/** A provider whose wire is not OpenAI's, called through its package of the AI SDK at the model interface. */
export class SdkProvider implements ChatProvider {
  /** A config of a newer snapshot is another object, so its target is worked out anew. */
  private readonly targets = new WeakMap<SnapshotModel, ProviderTarget>();

  readonly listModels?: (model: SnapshotModel, signal: CancelSignal) => Promise<ModelListing>;

  constructor(
    private readonly client: GuardedHttpClient,
    private readonly defaultApiBase: string | null,
    private readonly wire: SdkWire,
  ) {
    const { models } = wire;
    if (models) this.listModels = (model, signal) => this.list(models, model, signal);
  }

  async chat(request: ChatRequest, signal: CancelSignal): Promise<ChatAnswer> {
    const { options, ignored } = toCall(request, this.wire);
    const { guarded, settings } = this.open(request.model, signal, request.stream);
    try {
      const model = this.wire.languageModel(settings, request.model.model_name);
      return request.stream
        ? await this.streamed(request, model, options, ignored, guarded)
        : await this.whole(request, model, options, ignored, guarded);
    } catch (error) {
      guarded.cancel();
      throw this.explain(error, guarded);
    }
  }

  async embed(request: EmbeddingRequest, signal: CancelSignal): Promise<WholeAnswer> {
    const { wire } = this;
    if (!wire.embeddings) {
      const detail = `${wire.name} makes no embeddings.`;
      throw new AppError('operation_not_supported', { detail, param: 'model' });
    }
    const prepared = toEmbedding(request, wire);
    const { model_name: name } = request.model;
    const { guarded, settings } = this.open(request.model, signal, false, prepared.texts.length);
    try {
      const embedded = await embedTexts(wire.embeddings.model(settings, name), prepared);
      const body = toEmbeddingsBody({ model: name, ...embedded }, request.parameters);
      return { kind: 'whole', ...this.head(prepared.ignored, guarded), contentType: 'application/json', body };
    } catch (error) {
      throw this.explain(error, guarded);
    }
  }

  private async list(models: ModelList, model: SnapshotModel, signal: CancelSignal): Promise<ModelListing> {
    const target = this.target(model);
    try {
      const get = getter(this.client, target, this.wire, signal);
      return withoutSecrets(await listSdkModels(models, get, model.model_name), target.secrets);
    } catch (error) {
      throw error instanceof OutboundError ? fromOutboundError(error) : error;
    }
  }

  private async whole(
    { model: { model_name: name }, parameters }: ChatRequest,
    model: LanguageModelV3,
    options: CallOptions,
    ignored: string[],
    guarded: GuardedFetch,
  ): Promise<WholeAnswer> {
    const result = await model.doGenerate(options);
    return {
      kind: 'whole',
      ...this.head([...ignored, ...ignoredBy(result.warnings, parameters)], guarded),
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(toCompletion(result, name))),
    };
  }

  private async streamed(
    { model: { model_name: name }, parameters }: ChatRequest,
    model: LanguageModelV3,
    options: CallOptions,
    ignored: string[],
    guarded: GuardedFetch,
  ): Promise<ChatAnswer> {
    const { stream } = await model.doStream(options);
    const parts = stream.getReader();
    // The library says first what it leaves out, before anything of the provider.
    const { value: first } = await parts.read();
    const warnings = isStart(first) ? first.warnings : [];
    const explain = (error: unknown): Error => this.explain(error, guarded);
    return {
      kind: 'stream',
      ...this.head([...ignored, ...ignoredBy(warnings, parameters)], guarded),
      contentType: 'text/event-stream',
      body: new ChunkStream(parts, new ChunkWriter(name), () => guarded.cancel(), explain),
    };
  }

  private head(ignored: string[], guarded: GuardedFetch): Pick<ChatAnswer, 'headers' | 'ignored' | 'toError'> {
    return {
      headers: this.wire.handOn?.(guarded.headers) ?? {},
      ignored: [...new Set(ignored)],
      toError: () => this.notWhatItSends(),
    };
  }

  private open(
    model: SnapshotModel,
    signal: CancelSignal,
    stream: boolean,
    mostRequests = MOST_REQUESTS,
  ): { guarded: GuardedFetch; settings: SdkSettings } {
    const known = this.target(model);
    const { [JOINED_HEADER]: joined, ...headers } = known.headers;
    const target = { ...known, headers };
    const { custom_parameters: custom } = model;
    const extra = custom && Object.keys(custom).length > 0 ? custom : null;
    const guarded = new GuardedFetch({
      client: this.client,
      target,
      wire: this.wire,
      signal,
      stream,
      extra,
      mostRequests,
    });
    const settings = {
      baseURL: target.base,
      // As much of `fetch` as the library uses.
      fetch: guarded.fetch as SdkSettings['fetch'],
      headers: joined === undefined ? NO_HEADERS : { [JOINED_HEADER]: joined },
    };
    return { guarded, settings };
  }

  private target(model: SnapshotModel): ProviderTarget {
    const known = this.targets.get(model);
    if (known) return known;
    const target = targetOf(model, this.defaultApiBase, this.wire.keyHeader);
    this.targets.set(model, target);
    return target;
  }

  /** What the hub's own side saw comes before what the library made of it, whose words may hold the whole request. */
  private explain(error: unknown, guarded: GuardedFetch): ProviderError | AppError {
    const cause = guarded.failure ?? error;
    if (cause instanceof ProviderError || cause instanceof AppError) return cause;
    if (cause instanceof OutboundError) return fromOutboundError(cause);
    if (cause instanceof SseLimitError) return new ProviderError('bad_answer', { message: cause.message });
    return guarded.wasUsed ? this.notWhatItSends() : this.notSent(error);
  }

  private notWhatItSends(): ProviderError {
    return new ProviderError('bad_answer', { message: `the answer is not what ${this.wire.name} sends` });
  }

  /** The library itself refused, before there was a request. */
  private notSent(error: unknown): AppError {
    if (!UnsupportedFunctionalityError.isInstance(error)) return new AppError('internal_error', { cause: error });
    const { functionality } = error;
    return new AppError('parameter_not_supported', {
      detail: `${this.wire.name} does not take this: ${functionality}.`,
    });
  }
}

const isStart = (
  part: LanguageModelV3StreamPart | undefined,
): part is Extract<LanguageModelV3StreamPart, { type: 'stream-start' }> => part?.type === 'stream-start';
