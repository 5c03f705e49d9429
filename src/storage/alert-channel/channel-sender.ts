import type { ChannelKind, SmtpSecurity } from '../../contract/alert-channel.contract.js';
import type { Language } from '../../contract/alert-kinds.js';
import type { Delivery } from '../../contract/alert-notice.js';
import type { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import type { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';

/** How a mail server is reached, and whose mail it is. */
export interface OpenEmail {
  host: string;
  port: number;
  security: SmtpSecurity;
  user: string | null;
  from: string;
  to: readonly string[];
}

/** A channel with its secrets in clear; never logged. */
export interface OpenChannel {
  id: string;
  name: string;
  kind: ChannelKind;
  language: Language;
  /** null: an e-mail channel. */
  url: string | null;
  /** What messages are signed with, or the password for the mail server. */
  secret: string | null;
  /** null: any other kind. */
  email: OpenEmail | null;
}

/** What a sender works with. */
export interface SendContext {
  client: GuardedHttpClient;
  policy: OutboundPolicy;
  /** Where links in messages lead; null: they have none. */
  publicUrl: string | null;
  /** Ends the attempt. */
  signal: AbortSignal;
  now(): Date;
}

/** Settles when the receiver has taken the message; throws DeliveryError. */
export type SendMessage = (channel: OpenChannel, delivery: Delivery, context: SendContext) => Promise<void>;

/** A message did not reach its channel. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  constructor(
    /** For people, without secrets. */
    message: string,
    /** What the receiver asked for; null: it did not. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}
