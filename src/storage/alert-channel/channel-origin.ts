import type { ChannelKind } from '../../contract/alert-channel.contract.js';

/** A channel, as far as it decides where its secrets go. */
export interface ChannelDestination {
  kind: ChannelKind;
  smtpHost: string | null;
  smtpPort: number | null;
}

/**
 * What the secrets of a channel are sealed for. A mail server's password must not follow to another server; what messages are signed
 * with is sent nowhere, and an address is its own destination.
 */
export const channelOriginOf = ({ kind, smtpHost, smtpPort }: ChannelDestination): string =>
  kind === 'email' ? `smtp://${smtpHost}:${smtpPort}` : `channel:${kind}`;
