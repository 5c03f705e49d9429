import { isPlainObject } from '../../contract/fields.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';
import type { OutboundResponse, OutboundResponseHeaders } from '../../platform/http/outbound/outbound-exchange.js';
import { readBounded } from '../../platform/http/outbound/read-bounded.js';
import { toOpenAiBody } from './openai-body.js';
import { fromOutboundError, toProviderError } from './openai-errors.js';
import { ProviderError } from './provider-error.js';
import type { ChatAnswer, ChatProvider, ChatRequest } from './provider.js';

const MAX_ERROR_BYTES = 64 * 1024;
const HANDED_ON = /^(?:x-ratelimit-|openai-processing-ms$)/;

/** Where and with what to call a model: worked out once per version of its config. */
interface Target {
  url: URL;
  headers: Record<string, string>;
  /** What must never be in an answer of ours. */
  secrets: string[];
}

const targetOf = (model: SnapshotModel, defaultApiBase: string | null): Target => {
  const base = model.api_base ?? defaultApiBase;
  if (!base) throw new ProviderError('blocked_destination', { message: 'the config has no api_base' });
  return {
    url: new URL(`${base.replace(/\/+$/, '')}/chat/completions`),
    headers: {
      'content-type': 'application/json',
      ...(model.api_key && { authorization: `Bearer ${model.api_key}` }),
      ...lowerCased(model.auth_headers ?? {}),
    },
    secrets: [model.api_key ?? '', ...Object.values(model.auth_headers ?? {})].filter((text) => text !== ''),
  };
};

const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const pickHeaders = (headers: OutboundResponseHeaders): Record<string, string> => {
  const picked: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string' && HANDED_ON.test(name)) picked[name] = value;
  }
  return picked;
};

const parseLoosely = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // An HTML page of a proxy says nothing to a caller.
    return /^\s*</.test(text) ? '' : text;
  }
};

/** A failure after a good status has none of its own; some servers put one into the error. */
const statusIn = (error: unknown): number => {
  const status = isPlainObject(error) ? Number(error['status'] ?? error['code']) : Number.NaN;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
};

/** OpenAI's own format: passed through with the model's name, defaults and key. */
export class OpenAiWire implements ChatProvider {
  /** A config of a newer snapshot is another object, so its target is worked out anew. */
  private readonly targets = new WeakMap<SnapshotModel, Target>();

  constructor(
    private readonly client: GuardedHttpClient,
    private readonly defaultApiBase: string | null,
  ) {}

  async chat(request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer> {
    const target = this.target(request.model);
    const response = await this.send(target, toOpenAiBody(request), signal);
    if (response.status < 200 || response.status >= 300) throw await this.failure(response, target);
    const contentType = String(response.headers['content-type'] ?? '');
    if (request.stream && !contentType.startsWith('text/event-stream')) throw await this.failure(response, target);
    return {
      headers: pickHeaders(response.headers),
      contentType,
      body: response.body,
      read: () => readBounded(response).catch(rethrow),
      toError: (error) => toProviderError(statusIn(error), { error }, {}, target.secrets),
    };
  }

  private target(model: SnapshotModel): Target {
    const known = this.targets.get(model);
    if (known) return known;
    const target = targetOf(model, this.defaultApiBase);
    this.targets.set(model, target);
    return target;
  }

  private send({ url, headers }: Target, body: Buffer, signal: AbortSignal): Promise<OutboundResponse> {
    return this.client.request({ url, method: 'POST', headers, body, signal }).catch(rethrow);
  }

  /** Not what was asked for: an error of the provider, or something that is no stream. */
  private async failure(response: OutboundResponse, { secrets }: Target): Promise<ProviderError> {
    const body = parseLoosely((await readBounded(response, MAX_ERROR_BYTES).catch(rethrow)).toString('utf8'));
    const isError = response.status >= 400 || (typeof body === 'object' && body !== null && 'error' in body);
    if (!isError)
      return new ProviderError('bad_answer', { status: response.status, message: 'the answer is no event stream' });
    return toProviderError(Math.max(response.status, 400), body, response.headers, secrets);
  }
}

const rethrow = (error: unknown): never => {
  throw error instanceof OutboundError ? fromOutboundError(error) : error;
};
