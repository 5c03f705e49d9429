import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient, OutboundRequest } from '../../platform/http/outbound/guarded-client.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';
import type { OutboundResponseHeaders } from '../../platform/http/outbound/outbound-exchange.js';
import { DEFAULT_BODY_LIMIT_BYTES, readBounded } from '../../platform/http/outbound/read-bounded.js';
import { toOpenAiBody } from './openai-body.js';
import { fromOutboundError, parseLoosely, statusIn, toProviderError } from './openai-errors.js';
import { listOpenAiModels } from './openai-models.js';
import { ProviderError } from './provider-error.js';
import type { ChatAnswer, ChatProvider, ChatRequest, ModelListing } from './provider.js';
import { type ProviderTarget, targetOf } from './provider-target.js';

const HANDED_ON = /^(?:x-ratelimit-|openai-processing-ms$)/;

/** Where and with what to call a model: worked out once per version of its config. */
interface CallTarget extends ProviderTarget {
  url: URL;
}

const callTargetOf = (model: SnapshotModel, defaultApiBase: string | null): CallTarget => {
  const target = targetOf(model, defaultApiBase);
  return {
    ...target,
    url: new URL(`${target.base}/chat/completions`),
    headers: { 'content-type': 'application/json', ...target.headers },
  };
};

const pickHeaders = (headers: OutboundResponseHeaders): Record<string, string> => {
  const picked: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string' && HANDED_ON.test(name)) picked[name] = value;
  }
  return picked;
};

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

/** OpenAI's own format: passed through with the model's name, defaults and key. */
export class OpenAiWire implements ChatProvider {
  /** A config of a newer snapshot is another object, so its target is worked out anew. */
  private readonly targets = new WeakMap<SnapshotModel, CallTarget>();

  constructor(
    private readonly client: GuardedHttpClient,
    private readonly defaultApiBase: string | null,
  ) {}

  async chat(request: ChatRequest, signal: CancelSignal): Promise<ChatAnswer> {
    const target = this.target(request.model);
    const call = {
      url: target.url,
      method: 'POST',
      headers: target.headers,
      body: toOpenAiBody(request),
      signal,
    } as const;
    try {
      return request.stream ? await this.stream(call, target) : await this.whole(call, target);
    } catch (error) {
      throw error instanceof OutboundError ? fromOutboundError(error) : error;
    }
  }

  async listModels(model: SnapshotModel, signal: CancelSignal): Promise<ModelListing> {
    try {
      return await listOpenAiModels(this.client, targetOf(model, this.defaultApiBase), model, signal);
    } catch (error) {
      throw error instanceof OutboundError ? fromOutboundError(error) : error;
    }
  }

  private async whole(call: OutboundRequest, target: CallTarget): Promise<ChatAnswer> {
    const { status, headers, body } = await this.client.requestWhole(call, DEFAULT_BODY_LIMIT_BYTES);
    if (status >= 400) throw toProviderError(status, parseLoosely(body), headers, target.secrets);
    return { kind: 'whole', ...headOf(headers, target), body };
  }

  private async stream(call: OutboundRequest, target: CallTarget): Promise<ChatAnswer> {
    const response = await this.client.request(call);
    const { status, headers, body } = response;
    const isStream = status < 400 && textOf(headers['content-type']).startsWith('text/event-stream');
    if (isStream) return { kind: 'stream', ...headOf(headers, target), body };
    throw noStream(status, await readBounded(response), headers, target);
  }

  private target(model: SnapshotModel): CallTarget {
    const known = this.targets.get(model);
    if (known) return known;
    const target = callTargetOf(model, this.defaultApiBase);
    this.targets.set(model, target);
    return target;
  }
}

const headOf = (
  headers: OutboundResponseHeaders,
  { secrets }: ProviderTarget,
): Pick<ChatAnswer, 'headers' | 'contentType' | 'ignored' | 'toError'> => ({
  headers: pickHeaders(headers),
  contentType: textOf(headers['content-type']),
  ignored: [],
  toError: (error) => toProviderError(statusIn(error), { error }, {}, secrets),
});

/** Not what was asked for: an error of the provider, or something that is no stream. */
const noStream = (
  status: number,
  bytes: Buffer,
  headers: OutboundResponseHeaders,
  { secrets }: ProviderTarget,
): ProviderError => {
  const body = parseLoosely(bytes);
  if (status >= 400) return toProviderError(status, body, headers, secrets);
  if (isPlainObject(body) && 'error' in body) return toProviderError(statusIn(body['error']), body, headers, secrets);
  return new ProviderError('bad_answer', { status, message: 'the answer is no event stream' });
};
