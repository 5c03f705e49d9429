import { isIPv6 } from 'node:net';
import type { SmtpSecurity } from '../../contract/alert-channel.contract.js';
import type { OutboundPolicy, OutboundRefusalReason } from '../../platform/http/outbound/outbound-policy.js';

/** What decides whether a mail server may be connected to. */
export interface MailServer {
  host: string;
  port: number;
  security: SmtpSecurity;
}

/** As it stands in ALLOWED_PRIVATE_ORIGINS: `smtps` has TLS from the first byte. */
export const mailOriginOf = ({ host, port, security }: MailServer): string =>
  `${security === 'tls' ? 'smtps' : 'smtp'}://${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** What may not be connected to, and what would be right; null: it may. The addresses of its name are judged at the connect. */
export const refuseMailServer = (policy: OutboundPolicy, server: MailServer): string | null => {
  const origin = mailOriginOf(server);
  const refusal = policy.checkMailServer(origin);
  if (refusal) return sayMailRefusal(refusal.reason, origin);
  if (server.security !== 'none' || policy.isListed(origin)) return null;
  return `Mail without TLS goes only to a server that the operator lists in ALLOWED_PRIVATE_ORIGINS, as ${origin}; use tls or starttls.`;
};

export const sayMailRefusal = (reason: OutboundRefusalReason, origin: string): string => {
  if (reason === 'metadata_address') return 'Link-local and cloud metadata addresses are never connected to.';
  if (reason === 'private_address') {
    return `The mail server is in a private network: the operator can list it in ALLOWED_PRIVATE_ORIGINS, as ${origin}.`;
  }
  return reason === 'port'
    ? `Mail servers listen on 25, 465 or 587; this port needs an entry in ALLOWED_PRIVATE_ORIGINS, ${origin}.`
    : 'The host must be a name or an IP address, without a port.';
};
