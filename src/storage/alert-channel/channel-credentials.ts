import { Injectable } from '@nestjs/common';
import type { AlertChannelUpdate } from '../../contract/alert-channel.contract.js';
import { AppError } from '../../platform/errors/app-error.js';
import { SealError } from '../crypto/seal-error.js';
import { SecretVault, type SecretOwner } from '../crypto/secret-vault.js';
import type { AlertChannelEntity } from './alert-channel.entity.js';
import { type ChannelDestination, channelOriginOf } from './channel-origin.js';
import { smtpOf } from './alert-channel.mapper.js';
import type { OpenChannel } from './channel-sender.js';

/** A channel whose secrets are to be sealed, or were read with their columns selected. */
export type SealedChannel = ChannelDestination & Pick<AlertChannelEntity, 'id' | 'url' | 'secret'>;

type SecretColumns = Partial<
  Pick<AlertChannelEntity, 'url' | 'urlOrigin' | 'urlFingerprint' | 'secret' | 'secretFingerprint'>
>;

const ownerOf = (channel: ChannelDestination & { id: string }, field: 'url' | 'secret'): SecretOwner => ({
  table: 'alert_channels',
  rowId: channel.id,
  field,
  allowedOrigin: channelOriginOf(channel),
});

/** Seals the address and the secret of a channel, and opens them for whoever sends. */
@Injectable()
export class ChannelCredentials {
  constructor(private readonly vault: SecretVault) {}

  /**
   * The secret columns of a change. `before` is null when the channel is new.
   * Throws `credential_required` when a stored password would have to go to another mail server.
   */
  columnsFor(
    after: ChannelDestination & { id: string },
    { url, secret }: Pick<AlertChannelUpdate, 'url' | 'secret'>,
    before: SealedChannel | null,
  ): SecretColumns {
    const moves = before !== null && channelOriginOf(before) !== channelOriginOf(after);
    if (moves && before.secret !== null && secret === undefined) throw passwordRequired();
    const columns: SecretColumns = {};
    if (url !== undefined && !this.vault.holds(before?.url ?? null, url, ownerOf(after, 'url'))) {
      columns.url = url === null ? null : this.vault.seal(url, ownerOf(after, 'url'));
      columns.urlOrigin = url === null ? null : new URL(url).origin;
      columns.urlFingerprint = url === null ? null : this.vault.fingerprint(url);
    }
    if (secret !== undefined && !this.vault.holds(before?.secret ?? null, secret, ownerOf(after, 'secret'))) {
      columns.secret = secret === null ? null : this.vault.seal(secret, ownerOf(after, 'secret'));
      columns.secretFingerprint = secret === null ? null : this.vault.fingerprint(secret);
    }
    return columns;
  }

  /** With its secrets in clear; null: one of them does not open, which is a state of this channel. */
  open(row: AlertChannelEntity): OpenChannel | null {
    try {
      return {
        id: row.id,
        name: row.name,
        kind: row.kind,
        language: row.language,
        url: this.reveal(row.url, row, 'url'),
        secret: this.reveal(row.secret, row, 'secret'),
        email: smtpOf(row),
      };
    } catch (error) {
      if (error instanceof SealError) return null;
      throw error;
    }
  }

  private reveal(sealed: string | null, row: AlertChannelEntity, field: 'url' | 'secret'): string | null {
    return sealed === null ? null : this.vault.open(sealed, ownerOf(row, field)).reveal();
  }
}

const passwordRequired = (): AppError =>
  new AppError('credential_required', {
    detail:
      'The host or the port of the mail server changes, so secret must be sent again, or cleared with null, in the same request.',
    fields: [{ field: 'secret', message: 'secret must be sent again for the new mail server, or cleared with null' }],
  });
