import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { Agent, Pool } from 'undici';
import type { CancelSignal } from './cancel-signal.js';
import { GuardedConnector, type ConnectorSettings, type ResolveHost } from './guarded-connector.js';
import { abortError, OutboundError, refusedError } from './outbound-error.js';
import {
  asStream,
  asWhole,
  OutboundExchange,
  type OpenSink,
  type OutboundResponse,
  type WholeResponse,
} from './outbound-exchange.js';
import type { OutboundPolicy } from './outbound-policy.js';

/** Settings of the client. */
export interface GuardedHttpClientOptions {
  /** For name, TCP and TLS together. Default 5000: TLS to a far provider takes several round trips. */
  readonly connectTimeoutMilliseconds?: number;
  /** Further requests to the origin wait. Default 512. */
  readonly connectionsPerOrigin?: number;
  /** Replaces the system's resolver. */
  readonly resolve?: ResolveHost;
}

/** One outbound request. */
export interface OutboundRequest {
  readonly url: URL;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `accept-encoding` is replaced; `host` and what frames the message are refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Ends the request and the reading of its body. */
  readonly signal: CancelSignal;
  /** Until the head of the answer is there, connecting included. Default: only the signal limits it. */
  readonly firstByteTimeoutMilliseconds?: number;
}

/** Shorter than the 65 s after which common servers close, so that we close first. */
const IDLE_CONNECTION_MILLISECONDS = 30_000;

const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The one way out to model providers. It connects only where the policy allows, never follows a redirect, never
 * decompresses, takes no proxy from the environment, and keeps its deadlines by its own timers.
 */
export class GuardedHttpClient {
  private readonly agent: Agent;
  private readonly opening = new Set<Socket>();
  /** Also those that the agent has already let go of and that still end their last requests. */
  private pools: Pool[] = [];

  constructor(
    private readonly policy: OutboundPolicy,
    options: GuardedHttpClientOptions = {},
  ) {
    const settings: ConnectorSettings = {
      policy,
      resolve: options.resolve ?? ((hostname) => lookup(hostname, { all: true })),
      connectTimeoutMilliseconds: options.connectTimeoutMilliseconds ?? 5000,
      opening: this.opening,
    };
    const connections = options.connectionsPerOrigin ?? 512;
    this.agent = new Agent({ factory: (origin) => this.keep(openPool(String(origin), connections, settings)) });
  }

  /** Sends a request; settles with the head of the answer. Fails only with an OutboundError. */
  request(options: OutboundRequest): Promise<OutboundResponse> {
    return this.send(options, asStream);
  }

  /** Sends a request; settles with the whole answer, up to `limitBytes`. Fails only with an OutboundError. */
  requestWhole(options: OutboundRequest, limitBytes: number): Promise<WholeResponse> {
    return this.send(options, asWhole(limitBytes));
  }

  private send<Answer>(options: OutboundRequest, open: OpenSink<Answer>): Promise<Answer> {
    const { url, signal } = options;
    const origin = url.origin;
    const refusal = this.policy.checkRequest(url, origin);
    if (refusal) {
      return Promise.reject(refusedError(refusal));
    }
    if (signal.aborted) {
      return Promise.reject(abortError(signal.reason, true));
    }
    const headers = wireHeaders(options.headers);
    if (headers === null) {
      return Promise.reject(forbiddenHeader());
    }
    const exchange = new OutboundExchange(open, signal, options.firstByteTimeoutMilliseconds);
    const path = url.pathname + url.search;
    this.agent.dispatch({ origin, path, method: options.method, headers, body: options.body }, exchange);
    return exchange.response;
  }

  /** Ends idle connections, those being opened, and the requests in flight. */
  async close(): Promise<void> {
    const ended = this.pools.map((pool) => pool.destroy(closedError()));
    for (const socket of this.opening) {
      socket.destroy(closedError());
    }
    await Promise.all([...ended, this.agent.destroy()]);
  }

  private keep(pool: Pool): Pool {
    this.pools = this.pools.filter((known) => !known.destroyed);
    this.pools.push(pool);
    return pool;
  }
}

function openPool(origin: string, connections: number, settings: ConnectorSettings): Pool {
  return new Pool(origin, {
    connect: new GuardedConnector(origin, settings).connect,
    connections,
    keepAliveTimeout: IDLE_CONNECTION_MILLISECONDS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MILLISECONDS,
    headersTimeout: 0, // undici's timers may be a second late; the exchange and the caller's signal have exact ones
    bodyTimeout: 0,
  });
}

/** undici's fastest form, name and value in turn; null when a header is not the caller's to set. */
function wireHeaders(headers: Readonly<Record<string, string>>): string[] | null {
  const wire = ['accept-encoding', 'identity'];
  for (const name of Object.keys(headers)) {
    const lowerCase = name.toLowerCase();
    const value = headers[name];
    if (OWN_HEADERS.has(lowerCase)) {
      return null;
    }
    if (lowerCase !== 'accept-encoding' && value !== undefined) {
      wire.push(name, value);
    }
  }
  return wire;
}

function forbiddenHeader(): OutboundError {
  const message = `These headers are set by the client alone: ${[...OWN_HEADERS].join(', ')}.`;
  return new OutboundError('protocol', message, { beforeBytesWereSent: true });
}

function closedError(): OutboundError {
  return new OutboundError('aborted', 'The outbound client was closed.');
}
