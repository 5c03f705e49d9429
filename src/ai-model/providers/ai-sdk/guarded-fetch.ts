import type { Readable } from 'node:stream';
import { isPlainObject } from '../../../contract/fields.js';
import type { CancelSignal } from '../../../platform/http/outbound/cancel-signal.js';
import type { GuardedHttpClient, OutboundRequest } from '../../../platform/http/outbound/guarded-client.js';
import { OutboundError } from '../../../platform/http/outbound/outbound-error.js';
import type { OutboundResponse, OutboundResponseHeaders } from '../../../platform/http/outbound/outbound-exchange.js';
import { DEFAULT_BODY_LIMIT_BYTES, readBounded } from '../../../platform/http/outbound/read-bounded.js';
import { parseLoosely } from '../openai-errors.js';
import { ProviderError } from '../provider-error.js';
import type { ProviderTarget } from '../provider-target.js';
import { errorIn, eventStreamBody, frameStreamBody } from './event-stream-body.js';
import type { SdkWire } from './sdk-wire.js';

/** The library's own words for the key and itself: the key comes from the target alone. */
const NOT_SENT = new Set(['user-agent', 'authorization', 'x-api-key', 'x-goog-api-key']);

/** What one call of the library is made with. */
export interface GuardedCall {
  client: GuardedHttpClient;
  target: ProviderTarget;
  wire: Pick<SdkWire, 'name' | 'framing' | 'readError'>;
  signal: CancelSignal;
  stream: boolean;
  /** As often may the library ask. */
  mostRequests: number;
  /** `custom_parameters` of the config: what the body has itself counts before them. */
  extra: Readonly<Record<string, unknown>> | null;
}

type Extra = Readonly<Record<string, unknown>>;

const merge = (body: Extra, extra: Extra): Record<string, unknown> => {
  const merged: Record<string, unknown> = { ...body };
  for (const [name, value] of Object.entries(extra)) {
    const own = body[name];
    if (own === undefined) merged[name] = value;
    else if (isPlainObject(own) && isPlainObject(value)) merged[name] = merge(own, value);
  }
  return merged;
};

/**
 * The library's `fetch`, for one call: everything it sends goes through the guarded client, to the config's own origin.
 * What goes wrong is thrown, and kept in `failure`, since the library wraps what it does not know. It never gets to see a
 * provider's error.
 */
export class GuardedFetch {
  /** Why the call failed, as far as it was here. */
  failure: unknown = null;
  /** Of the last answer. */
  headers: OutboundResponseHeaders = {};
  private requests = 0;
  private source: Readable | null = null;

  constructor(private readonly call: GuardedCall) {}

  readonly fetch = async (input: unknown, init?: { headers?: unknown; body?: unknown }): Promise<Response> => {
    try {
      const request = this.toRequest(String(input), init);
      return this.call.stream ? await this.streamed(request) : await this.whole(request);
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  };

  /** Whether the library got as far as to send something. */
  get wasUsed(): boolean {
    return this.requests > 0;
  }

  /** Ends what is still being read. */
  cancel(): void {
    this.source?.destroy();
  }

  private toRequest(address: string, { headers, body }: { headers?: unknown; body?: unknown } = {}): OutboundRequest {
    const { target, signal, extra, mostRequests } = this.call;
    const url = new URL(address);
    this.requests += 1;
    if (this.requests > mostRequests || url.origin !== new URL(target.base).origin || typeof body !== 'string')
      throw new OutboundError('protocol', 'The library asked for something that no call needs.');
    return {
      url,
      method: 'POST',
      headers: { ...sent((headers ?? {}) as Record<string, string>), ...target.headers },
      body: extra ? JSON.stringify(merge(JSON.parse(body) as Extra, extra)) : body,
      signal,
    };
  }

  private async whole(request: OutboundRequest): Promise<Response> {
    const { status, headers, body } = await this.call.client.requestWhole(request, DEFAULT_BODY_LIMIT_BYTES);
    this.headers = headers;
    if (status >= 400) throw this.readError(status, parseLoosely(body));
    const error = body.includes('"error"') ? errorIn(body.toString('utf8')) : undefined;
    if (error !== undefined) throw this.readError(null, error);
    return answer(status, headers, wholeBody(body));
  }

  private async streamed(request: OutboundRequest): Promise<Response> {
    const response = await this.call.client.request(request);
    const { status, headers, body } = response;
    this.headers = headers;
    if (status >= 400 || !this.isStream(headers)) throw await this.noStream(response);
    this.source = body;
    const onFailure = (failure: unknown): void => {
      this.failure ??= failure;
    };
    const failWith = (error: unknown): never => {
      throw this.readError(null, error);
    };
    const web =
      this.call.wire.framing === 'events'
        ? eventStreamBody(body, failWith, onFailure)
        : frameStreamBody(body, failWith, onFailure);
    return answer(status, headers, web);
  }

  private isStream(headers: OutboundResponseHeaders): boolean {
    const type = String(headers['content-type'] ?? '');
    return this.call.wire.framing === 'binary' ? !type.includes('json') : type.startsWith('text/event-stream');
  }

  /** Not what was asked for: an error of the provider, or something that is no stream. */
  private async noStream(response: OutboundResponse): Promise<ProviderError> {
    const { status } = response;
    const body = parseLoosely(await readBounded(response));
    if (status >= 400) return this.readError(status, body);
    const error = errorIn(JSON.stringify(body));
    if (error !== undefined) return this.readError(null, error);
    return new ProviderError('bad_answer', { status, message: 'the answer is no event stream' });
  }

  private readError(status: number | null, body: unknown): ProviderError {
    const { wire, target } = this.call;
    return wire.readError({ status, body, headers: this.headers, secrets: target.secrets });
  }
}

const sent = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_SENT.has(name.toLowerCase())));

/** One read of what is here already: a stream would cost more than all that is read from it. */
const wholeBody = (bytes: Buffer): unknown => {
  const left: Buffer[] = [bytes];
  return {
    getReader: () => ({
      read: () => {
        const value = left.pop();
        return Promise.resolve(value ? { done: false, value } : { done: true, value: undefined });
      },
      cancel: () => Promise.resolve(),
      releaseLock: () => undefined,
    }),
  };
};

/** As much of a Response as the library asks of it: making a real one costs a call tens of microseconds. */
const answer = (status: number, headers: OutboundResponseHeaders, body: unknown): Response => {
  const pairs = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return { ok: true, status, statusText: '', headers: new Map(pairs), body } as unknown as Response;
};
