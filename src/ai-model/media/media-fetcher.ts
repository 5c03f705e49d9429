import { AppError } from '../../platform/errors/app-error.js';
import { abortError, OutboundError } from '../../platform/http/outbound/outbound-error.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import { GuardedHttpClient, type GuardedHttpClientOptions } from '../../platform/http/outbound/guarded-client.js';
import type { OutboundResponse } from '../../platform/http/outbound/outbound-exchange.js';
import { readBounded } from '../../platform/http/outbound/read-bounded.js';
import { MEGABYTE } from './media-check.js';
import type { MediaPolicy } from './media-policy.js';

const MOST_REDIRECTS = 3;
const FETCH_MILLISECONDS = 30_000;
/** Of the call's own time, so that it can still be told what went wrong. */
const RESERVED_MILLISECONDS = 100;
const CONNECTIONS_PER_HOST = 32;

/** The call an attachment is fetched for. */
export interface FetchingCall extends CancelSignal {
  readonly remainingMilliseconds: number;
}

export interface FetchOrder {
  url: URL;
  /** The field the address is in. */
  field: string;
  limitBytes: number;
}

export interface FetchedMedia {
  bytes: Buffer;
  /** The header of the answer, as it was sent. */
  contentType: string | null;
}

/**
 * Fetches what callers point to. It has a client of its own beside that of the providers: it says nothing of the caller,
 * the model or its key to anybody, and never speaks to the hub itself.
 */
export class MediaFetcher {
  private readonly client: GuardedHttpClient;

  constructor(
    private readonly policy: MediaPolicy,
    options: GuardedHttpClientOptions = {},
  ) {
    this.client = new GuardedHttpClient(policy, { connectionsPerOrigin: CONNECTIONS_PER_HOST, ...options });
  }

  /**
   * Throws `media_not_allowed`, `media_not_available` or `file_too_large`, naming the field; what ended the call itself
   * is thrown as it is.
   */
  async fetch(order: FetchOrder, call: FetchingCall): Promise<FetchedMedia> {
    const limit = timeLimit(call);
    try {
      return await this.follow(order, limit.signal);
    } catch (error) {
      throw error instanceof OutboundError && !call.aborted ? explain(error, order) : error;
    } finally {
      limit.clear();
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async follow(order: FetchOrder, signal: CancelSignal): Promise<FetchedMedia> {
    let { url } = order;
    for (let redirects = 0; ; redirects += 1) {
      try {
        return await this.load(url, order, signal);
      } catch (error) {
        if (!(error instanceof OutboundError) || error.kind !== 'redirect') throw error;
        if (redirects === MOST_REDIRECTS) throw unavailable(order, `has more than ${MOST_REDIRECTS} redirects`);
        url = this.next(url, error.location, order);
      }
    }
  }

  private next(from: URL, location: string | undefined, order: FetchOrder): URL {
    const target = location === undefined ? null : resolve(location, from);
    if (target === null) throw unavailable(order, 'redirects to nowhere');
    target.hash = '';
    const verdict = this.policy.checkMedia(target.href);
    if ('url' in verdict) return verdict.url;
    throw notAllowed(order, `It redirects to an address that is not allowed. ${verdict.refused.message}`);
  }

  private async load(url: URL, order: FetchOrder, signal: CancelSignal): Promise<FetchedMedia> {
    const response = await this.client.request({ url, method: 'GET', headers: { accept: '*/*' }, signal });
    if (response.status !== 200) {
      response.body.destroy();
      throw unavailable(order, `answers with status ${response.status}`);
    }
    const bytes = await readBounded(response, order.limitBytes);
    if (bytes.length === 0) throw unavailable(order, 'is empty');
    return { bytes, contentType: contentTypeOf(response) };
  }
}

const resolve = (location: string, from: URL): URL | null => {
  try {
    return new URL(location, from);
  } catch {
    return null;
  }
};

const contentTypeOf = ({ headers }: OutboundResponse): string | null => [headers['content-type']].flat()[0] ?? null;

/** Ends with the call, and a moment before its time is up. */
const timeLimit = (call: FetchingCall): { signal: AbortSignal; clear: () => void } => {
  const controller = new AbortController();
  const milliseconds = Math.min(FETCH_MILLISECONDS, call.remainingMilliseconds - RESERVED_MILLISECONDS);
  const late = new OutboundError('timeout', `It did not arrive within ${Math.ceil(milliseconds / 1000)} seconds.`);
  const timer = setTimeout(() => controller.abort(late), Math.max(0, milliseconds));
  const onAbort = (): void => controller.abort(abortError(call.reason, false));
  call.addEventListener('abort', onAbort);
  if (call.aborted) onAbort();
  const clear = (): void => {
    clearTimeout(timer);
    call.removeEventListener('abort', onAbort);
  };
  return { signal: controller.signal, clear };
};

const unavailable = ({ field }: FetchOrder, problem: string): AppError =>
  new AppError('media_not_available', { detail: `What ${field} points to ${problem}.`, param: field });

const notAllowed = ({ field }: FetchOrder, problem: string): AppError =>
  new AppError('media_not_allowed', { detail: `${field}: ${problem}`, param: field });

const explain = (error: OutboundError, order: FetchOrder): AppError => {
  if (error.kind === 'refused') return notAllowed(order, error.message);
  if (error.kind !== 'too_large')
    return unavailable(order, `could not be fetched: ${error.message.replace(/\.$/, '')}`);
  const detail = `What ${order.field} points to is larger than ${Math.floor(order.limitBytes / MEGABYTE)} MB.`;
  return new AppError('file_too_large', { detail, param: order.field });
};
