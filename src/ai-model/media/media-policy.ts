import { networkInterfaces } from 'node:os';
import { addressKind } from '../../platform/http/outbound/address-kind.js';
import { OutboundPolicy, type OutboundRefusal, type UrlForm } from '../../platform/http/outbound/outbound-policy.js';
import type { PrivateOrigins } from '../../platform/http/outbound/private-origins.js';

/** Signed addresses are long, and their signature is a query. */
const MEDIA_FORM: UrlForm = { mayHaveQuery: true, maxLength: 8192 };

const ITSELF: OutboundRefusal = { reason: 'private_address', message: 'The hub fetches nothing from itself.' };

/** Where an attachment may be: what every outbound call is judged by, and never the hub itself. */
export class MediaPolicy extends OutboundPolicy {
  /** @param ownUrl where this process listens, once it does */
  constructor(
    allowed: PrivateOrigins,
    private readonly ownUrl: () => string | null,
  ) {
    super(allowed);
  }

  /** Judges the address of an attachment as a caller wrote it, or a redirect names it. */
  checkMedia(text: string): { url: URL } | { refused: OutboundRefusal } {
    return this.checkUrl(text, MEDIA_FORM);
  }

  override checkRequest(url: URL, origin: string): OutboundRefusal | null {
    return super.checkRequest(url, origin) ?? (this.isItself(url, hostOf(url)) ? ITSELF : null);
  }

  /** Here a name can no longer hide what it stands for. */
  override checkAddress(origin: string, address: string): OutboundRefusal | null {
    return super.checkAddress(origin, address) ?? (this.isItself(new URL(origin), address) ? ITSELF : null);
  }

  private isItself(url: URL, host: string): boolean {
    const own = this.ownUrl();
    return own !== null && portOf(new URL(own)) === portOf(url) && isThisMachine(host);
  }
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$|\.$/g, '');

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

/** A literal address or `localhost`; any other name is judged by what it resolves to. */
const isThisMachine = (host: string): boolean => {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  if (addressKind(host) === null) return false;
  const address = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (/^(?:127\.|0\.0\.0\.0$|::1?$|::ffff:(?:7f|0:))/.test(address)) return true;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some((known) => known.address === address);
};
