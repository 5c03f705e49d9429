import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { callbackify } from 'node:util';
import type { buildConnector } from 'undici';
import { connectError, OutboundError, refusedError } from './outbound-error.js';
import type { OutboundPolicy } from './outbound-policy.js';

/** Resolves a host name to all its addresses. */
export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>;

/** What the connectors of one client have in common. */
export interface ConnectorSettings {
  readonly policy: OutboundPolicy;
  readonly resolve: ResolveHost;
  readonly connectTimeoutMilliseconds: number;
  /** Sockets that are still being opened, so that closing the client can end them. */
  readonly opening: Set<Socket>;
}

const KEEP_ALIVE_PROBE_MILLISECONDS = 60_000;

/**
 * Opens the connections of one origin and judges every address first. It replaces undici's own connector because that
 * one does not tell its lookup which origin it serves, and its connect timeout may fire up to a second late.
 */
export class GuardedConnector {
  private tlsSession: Buffer | undefined;

  constructor(
    private readonly origin: string,
    private readonly settings: ConnectorSettings,
  ) {}

  /** The function undici calls for each new connection. */
  readonly connect = (options: buildConnector.Options, callback: buildConnector.Callback): void => {
    // Node never asks lookup about an IP literal, so the guard of literals is here.
    const refusal = isIP(options.hostname) ? this.settings.policy.checkAddress(this.origin, options.hostname) : null;
    if (refusal) {
      queueMicrotask(() => callback(refusedError(refusal), null));
      return;
    }
    const isTls = options.protocol === 'https:';
    const socket = isTls ? this.openTls(options) : this.openTcp(options);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_MILLISECONDS);
    this.report(socket, isTls ? 'secureConnect' : 'connect', callback);
  };

  private openTcp(options: buildConnector.Options): Socket {
    return connectTcp({
      host: options.hostname,
      port: Number(options.port || 80),
      lookup: this.lookup,
    });
  }

  private openTls(options: buildConnector.Options): Socket {
    const socket = connectTls({
      host: options.hostname,
      port: Number(options.port || 443),
      lookup: this.lookup,
      servername: isIP(options.hostname) ? '' : options.hostname,
      ALPNProtocols: ['http/1.1'],
      session: this.tlsSession,
      rejectUnauthorized: true, // explicit: NODE_TLS_REJECT_UNAUTHORIZED must not switch it off
    });
    return socket.on('session', (session) => {
      this.tlsSession = session;
    });
  }

  /** Tells undici once how opening the socket ended, within the connect timeout: name, TCP and TLS together. */
  private report(socket: Socket, readyEvent: string, callback: buildConnector.Callback): void {
    const { opening, connectTimeoutMilliseconds } = this.settings;
    const timer = setTimeout(() => socket.destroy(connectTimeout()), connectTimeoutMilliseconds);
    opening.add(socket);
    const isFirst = (): boolean => {
      clearTimeout(timer);
      return opening.delete(socket);
    };
    socket.once(readyEvent, () => {
      if (isFirst()) {
        callback(null, socket);
      }
    });
    // Stays for the life of the socket: an error event without a listener would end the process.
    socket.on('error', (failure) => {
      if (isFirst()) {
        callback(connectError(failure), null);
      }
    });
  }

  private readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolveAllowed(hostname, (failure, addresses) => {
      const [first] = addresses ?? [];
      if (failure || addresses === undefined || first === undefined) {
        callback(connectError(failure), []);
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };

  /** All addresses must be allowed, and exactly these are connected to: a second answer of the name has no say. */
  private readonly resolveAllowed = callbackify(async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = await this.settings.resolve(hostname);
    if (addresses.length === 0) {
      throw new OutboundError('connect', 'The host name has no address.', { beforeBytesWereSent: true });
    }
    for (const { address } of addresses) {
      const refusal = this.settings.policy.checkAddress(this.origin, address);
      if (refusal) {
        throw refusedError(refusal);
      }
    }
    return [...addresses];
  });
}

function connectTimeout(): OutboundError {
  const details = { networkCode: 'CONNECT_TIMEOUT', beforeBytesWereSent: true };
  return new OutboundError('connect', 'The connection could not be opened in time.', details);
}

/**
 * Opens a TCP connection for what is not HTTP, to where the policy allows; `origin` is `smtp://host:port` or the like. Fails only with an
 * OutboundError.
 */
export const openGuarded = (
  origin: string,
  { host, port }: { host: string; port: number },
  settings: ConnectorSettings,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const place = { hostname: host, port: String(port), protocol: 'tcp:' };
    new GuardedConnector(origin, settings).connect(place, (error, socket) => (error ? reject(error) : resolve(socket)));
  });
