import { canParseUrl } from '../can-parse-url.js';
import { addressKind } from './address-kind.js';
import { MAIL_PORTS, ODD_PORTS } from './odd-ports.js';
import { findListing, type PrivateOrigins } from './private-origins.js';

/** Why an address may not be called. */
export type OutboundRefusalReason =
  'malformed' | 'scheme' | 'userinfo' | 'fragment' | 'query' | 'port' | 'private_address' | 'metadata_address';

/** A refusal; `message` says what would be right and repeats nothing of the address, which may hold credentials. */
export interface OutboundRefusal {
  readonly reason: OutboundRefusalReason;
  readonly message: string;
}

interface OriginVerdict {
  readonly refusal: OutboundRefusal | null;
  readonly isListed: boolean;
}

const MESSAGES: Record<OutboundRefusalReason, string> = {
  malformed: 'The address must be a full URL such as https://api.example.com/v1, without spaces or backslashes.',
  scheme: 'The address must begin with https://; plain http:// needs an entry in ALLOWED_PRIVATE_ORIGINS.',
  userinfo: 'The address must not contain a user name or password; give the key in its own field.',
  fragment: 'The address must not contain a # part.',
  query: 'The address must not contain a ? part; it is the base that paths are added to.',
  port: 'This port is not used by model APIs; the operator can list the origin with this port in ALLOWED_PRIVATE_ORIGINS.',
  private_address:
    'The address is private; use a public https address, or have the operator list the origin in ALLOWED_PRIVATE_ORIGINS.',
  metadata_address: 'Link-local and cloud metadata addresses are never called; use another address.',
};

/** What an address may look like, depending on what it is for. */
export interface UrlForm {
  readonly mayHaveQuery: boolean;
  /** Characters. */
  readonly maxLength: number;
}

const API_BASE_FORM: UrlForm = { mayHaveQuery: false, maxLength: 2048 };
const MAIL_ORIGIN = /^smtps?:\/\/[^/?#@\s]+:\d{1,5}$/u;
const MAX_CACHED_ORIGINS = 1000;
const PRIVATE_SUFFIXES = ['.localhost', '.internal', '.local', '.localdomain', '.home.arpa', '.lan', '.svc'];
const METADATA_NAMES = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.azure.com',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
];

/**
 * Decides where this process may connect: public https origins, and what the operator listed. The text of an address
 * is judged when it is written, its origin at every call, and the resolved addresses at every connect.
 */
export class OutboundPolicy {
  private readonly verdicts = new Map<string, OriginVerdict>();

  constructor(private readonly allowed: PrivateOrigins) {}

  /** Judges an address as somebody wrote it, an `api_base` unless told otherwise. The returned URL is how it will be called. */
  checkUrl(text: string, form: UrlForm = API_BASE_FORM): { url: URL } | { refused: OutboundRefusal } {
    const spelling = refuseSpelling(text, form);
    if (spelling) {
      return { refused: refuse(spelling) };
    }
    const url = new URL(text);
    url.hostname = url.hostname.replace(/\.$/u, ''); // with the dot TLS would look for another name
    const refused = this.checkRequest(url, url.origin);
    return refused ? { refused } : { url };
  }

  /**
   * Judges the URL of a request; a query is fine here. The caller passes the URL's origin, which is costly to compute
   * twice. Cheap: verdicts are kept, as they depend on nothing that changes.
   */
  checkRequest(url: URL, origin: string): OutboundRefusal | null {
    return url.username === '' && url.password === '' ? this.verdict(origin).refusal : refuse('userinfo');
  }

  /** Judges where a connection goes that is no HTTP: `smtp://host:port` or `smtps://host:port`, the port always there. */
  checkMailServer(origin: string): OutboundRefusal | null {
    return MAIL_ORIGIN.test(origin) ? this.verdict(origin).refusal : refuse('malformed');
  }

  /** Judges one address that the origin's host resolved to. Never cached: names change their addresses at will. */
  checkAddress(origin: string, address: string): OutboundRefusal | null {
    const { refusal, isListed } = this.verdict(origin);
    return refusal ?? refuseAddress(address, isListed);
  }

  /** Whether the operator listed the origin, as those of this network must be. */
  isListed(origin: string): boolean {
    return this.verdict(origin).isListed;
  }

  private verdict(origin: string): OriginVerdict {
    const known = this.verdicts.get(origin);
    if (known) {
      return known;
    }
    if (this.verdicts.size >= MAX_CACHED_ORIGINS) {
      this.verdicts.clear();
    }
    const verdict = judgeOrigin(origin, this.allowed);
    this.verdicts.set(origin, verdict);
    return verdict;
  }
}

function refuse(reason: OutboundRefusalReason): OutboundRefusal {
  return { reason, message: MESSAGES[reason] };
}

/** What `URL` would silently repair or drop is judged on the text: backslashes, inner tabs, an empty `@`, `?` or `#`. */
function refuseSpelling(text: string, form: UrlForm): OutboundRefusalReason | null {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (text.length > form.maxLength || /[\u0000-\u0020\u007f\\]/u.test(text)) {
    return 'malformed';
  }
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/iu.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) {
    return 'malformed';
  }
  if (!/^https?$/iu.test(scheme)) {
    return 'scheme';
  }
  const [, authority] = /^\/\/([^/?#]+)/u.exec(rest) ?? [];
  if (authority === undefined) {
    return 'malformed';
  }
  if (authority.includes('@')) {
    return 'userinfo';
  }
  if (rest.includes('#')) {
    return 'fragment';
  }
  if (!form.mayHaveQuery && rest.includes('?')) {
    return 'query';
  }
  return canParseUrl(text) ? null : 'malformed';
}

function judgeOrigin(origin: string, allowed: PrivateOrigins): OriginVerdict {
  const isMail = MAIL_ORIGIN.test(origin);
  // `URL` folds the spelling of hosts for web schemes alone.
  const text = isMail ? origin.replace(/^smtps?/u, 'http') : origin;
  if (!canParseUrl(text)) {
    return { refusal: refuse('scheme'), isListed: false }; // `URL` gives the origin "null" to all but web schemes
  }
  const url = new URL(text);
  const scheme = isMail ? origin.slice(0, origin.indexOf(':')) : url.protocol.slice(0, -1);
  const host = url.hostname.replace(/\.$/u, '');
  const port = url.port === '' ? defaultPort(url.protocol) : Number(url.port);
  const listing = findListing(allowed, scheme, host, port);
  const isListed = listing !== null;
  return { refusal: refuseOrigin({ scheme, isMail, host, port }, listing), isListed };
}

interface Place {
  scheme: string;
  isMail: boolean;
  host: string;
  port: number;
}

function refuseOrigin(place: Place, listing: ReturnType<typeof findListing>): OutboundRefusal | null {
  const { scheme, isMail, host, port } = place;
  const isListed = listing !== null;
  if (!isMail && scheme !== 'https' && scheme !== 'http') {
    return refuse('scheme');
  }
  const isOdd = ODD_PORTS.has(port) && !(isMail && MAIL_PORTS.has(port));
  if (port === 0 || (isOdd && listing !== 'exact_port')) {
    return refuse('port');
  }
  // Whether mail may go without TLS is for its sender to say: the scheme alone does not tell.
  return refuseHost(host, isListed) ?? (scheme === 'http' && !isListed ? refuse('scheme') : null);
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

function refuseHost(host: string, isListed: boolean): OutboundRefusal | null {
  const address = host.replace(/^\[|\]$/gu, '');
  if (addressKind(address) !== null) {
    return refuseAddress(address, isListed);
  }
  if (host === '' || host.endsWith('.') || host.includes('..')) {
    return refuse('malformed');
  }
  if (METADATA_NAMES.some((name) => host === name || host.endsWith(`.${name}`))) {
    return refuse('metadata_address');
  }
  // A name without a dot, `localhost` among them, means something only in this network.
  const isPrivateName = !host.includes('.') || PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix));
  return isPrivateName && !isListed ? refuse('private_address') : null;
}

function refuseAddress(address: string, isListed: boolean): OutboundRefusal | null {
  const kind = addressKind(address);
  if (kind === null) {
    return refuse('malformed');
  }
  if (kind === 'metadata') {
    return refuse('metadata_address');
  }
  return kind === 'private' && !isListed ? refuse('private_address') : null;
}
