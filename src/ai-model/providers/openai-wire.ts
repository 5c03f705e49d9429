import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient, OutboundRequest } from '../../platform/http/outbound/guarded-client.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';
import type { OutboundResponseHeaders } from '../../platform/http/outbound/outbound-exchange.js';
import { DEFAULT_BODY_LIMIT_BYTES, readBounded } from '../../platform/http/outbound/read-bounded.js';
import { type OutgoingBody, toChatBody, toEmbeddingBody } from './openai-body.js';
import { baseRespOf, fromOutboundError, parseLoosely, statusIn, toProviderError } from './openai-errors.js';
import { listOpenAiModels } from './openai-models.js';
import { OPENAI_SERVER, type OperationPath, type ServerKind } from './openai-server.js';
import { ProviderError } from './provider-error.js';
import type { ChatAnswer, ChatProvider, ChatRequest, EmbeddingRequest, ModelListing, WholeAnswer } from './provider.js';
import { type ProviderTarget, targetOf } from './provider-target.js';
import { type Quirks, quirksOf } from './quirks-of.js';

const HANDED_ON = /^(?:x-ratelimit-|openai-processing-ms$)/;

/** Where and with what to call a model: worked out once per version of its config. */
interface CallTarget extends ProviderTarget {
  chatUrl: URL;
  embeddingsUrl: URL;
  quirks: Quirks;
}

/** One request on its way. */
interface Outgoing {
  call: OutboundRequest;
  target: CallTarget;
  ignored: readonly string[];
}

const pickHeaders = (headers: OutboundResponseHeaders): Record<string, string> => {
  const picked: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string' && HANDED_ON.test(name)) picked[name] = value;
  }
  return picked;
};

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

/** OpenAI's own format: passed through with the model's name, defaults, key and the server's quirks. */
export class OpenAiWire implements ChatProvider {
  /** A config of a newer snapshot is another object, so its target is worked out anew. */
  private readonly targets = new WeakMap<SnapshotModel, CallTarget>();

  constructor(
    private readonly client: GuardedHttpClient,
    private readonly defaultApiBase: string | null,
    private readonly server: ServerKind = OPENAI_SERVER,
  ) {}

  async chat(request: ChatRequest, signal: CancelSignal): Promise<ChatAnswer> {
    const target = this.target(request.model);
    const outgoing = outgoingOf(target, target.chatUrl, toChatBody(request, target.quirks), signal);
    try {
      return request.stream ? await this.stream(outgoing) : await this.whole(outgoing);
    } catch (error) {
      throw asProviderError(error);
    }
  }

  async embed(request: EmbeddingRequest, signal: CancelSignal): Promise<WholeAnswer> {
    const target = this.target(request.model);
    const outgoing = outgoingOf(target, target.embeddingsUrl, toEmbeddingBody(request), signal);
    try {
      return await this.whole(outgoing);
    } catch (error) {
      throw asProviderError(error);
    }
  }

  async listModels(model: SnapshotModel, signal: CancelSignal): Promise<ModelListing> {
    const target = targetOf(model, this.defaultApiBase, this.server.keyHeader);
    const base = this.server.listBaseOf(target.base);
    const listing = await listOpenAiModels(this.client, { ...target, base }, model, signal).catch((error: unknown) => {
      throw asProviderError(error);
    });
    return this.server.listsOtherNames ? { ...listing, isListed: listing.isListed === true ? true : null } : listing;
  }

  private async whole({ call, target, ignored }: Outgoing): Promise<WholeAnswer> {
    const { status, headers, body } = await this.client.requestWhole(call, DEFAULT_BODY_LIMIT_BYTES);
    if (status >= 400) throw errorOf(status, parseLoosely(body), headers, target);
    const failure = target.quirks.failsInBaseResp ? baseRespOf(parseLoosely(body)) : null;
    if (failure) throw errorOf(500, failure, {}, target);
    return { kind: 'whole', ...headOf(headers, target, ignored), body };
  }

  private async stream({ call, target, ignored }: Outgoing): Promise<ChatAnswer> {
    const response = await this.client.request(call);
    const { status, headers, body } = response;
    const isStream = status < 400 && textOf(headers['content-type']).startsWith('text/event-stream');
    if (isStream) return { kind: 'stream', ...headOf(headers, target, ignored), body };
    throw noStream(status, await readBounded(response), headers, target);
  }

  private target(model: SnapshotModel): CallTarget {
    const known = this.targets.get(model);
    if (known) return known;
    const target = targetOf(model, this.defaultApiBase, this.server.keyHeader);
    const urlOf = (path: OperationPath): URL => this.server.urlOf(target.base, model, path);
    const complete = {
      ...target,
      headers: { 'content-type': 'application/json', ...target.headers },
      chatUrl: urlOf('chat/completions'),
      embeddingsUrl: urlOf('embeddings'),
      quirks: quirksOf(model),
    };
    this.targets.set(model, complete);
    return complete;
  }
}

const outgoingOf = (target: CallTarget, url: URL, { body, ignored }: OutgoingBody, signal: CancelSignal): Outgoing => ({
  call: { url, method: 'POST', headers: target.headers, body, signal },
  target,
  ignored,
});

const asProviderError = (error: unknown): unknown =>
  error instanceof OutboundError ? fromOutboundError(error) : error;

const errorOf = (
  status: number,
  body: unknown,
  headers: OutboundResponseHeaders,
  { secrets, quirks }: CallTarget,
): ProviderError => toProviderError(status, body, headers, secrets, quirks.errors);

const headOf = (
  headers: OutboundResponseHeaders,
  target: CallTarget,
  ignored: readonly string[],
): Pick<ChatAnswer, 'headers' | 'contentType' | 'ignored' | 'toError'> => ({
  headers: pickHeaders(headers),
  contentType: textOf(headers['content-type']),
  ignored,
  toError: (error) => errorOf(statusIn(error), { error }, {}, target),
});

/** Not what was asked for: an error of the provider, or something that is no stream. */
const noStream = (
  status: number,
  bytes: Buffer,
  headers: OutboundResponseHeaders,
  target: CallTarget,
): ProviderError => {
  const body = parseLoosely(bytes);
  if (status >= 400) return errorOf(status, body, headers, target);
  const failure = target.quirks.failsInBaseResp ? baseRespOf(body) : null;
  if (failure) return errorOf(500, failure, {}, target);
  if (isPlainObject(body) && 'error' in body) return errorOf(statusIn(body['error']), body, headers, target);
  return new ProviderError('bad_answer', { status, message: 'the answer is no event stream' });
};
