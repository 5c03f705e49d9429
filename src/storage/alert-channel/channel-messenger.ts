import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Delivery } from '../../contract/alert-notice.js';
import { Env } from '../../platform/config/env.js';
import { GuardedHttpClient } from '../../platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../../platform/http/outbound/outbound-policy.js';
import type { AlertChannelEntity } from './alert-channel.entity.js';
import { ChannelCredentials } from './channel-credentials.js';
import { DeliveryError, type OpenChannel } from './channel-sender.js';
import { SENDERS } from './senders.js';

/** How long somebody waits for a message to be taken. */
export interface SendLimits {
  milliseconds: number;
  /** Ends it before. */
  signal: AbortSignal;
}

/** One message to a channel at a time; a second connection is for the test that somebody asks for meanwhile. */
const CONNECTIONS_PER_ORIGIN = 8;
const MAX_REASON = 500;

const UNREADABLE =
  'The stored address or secret of this channel cannot be decrypted with the keys of the hub: enter them again.';
const NO_ADDRESS = 'The channel has no address: enter it.';
const INTERNAL = 'The message could not be made ready to be sent; the log of the hub says why.';

/** Hands messages over to the receivers of channels, the one way out of the storage service. */
@Injectable()
export class ChannelMessenger implements OnApplicationShutdown {
  private readonly logger = new Logger('AlertChannels');
  private readonly client: GuardedHttpClient;

  constructor(
    private readonly credentials: ChannelCredentials,
    private readonly policy: OutboundPolicy,
    private readonly env: Env,
  ) {
    this.client = new GuardedHttpClient(policy, { connectionsPerOrigin: CONNECTIONS_PER_ORIGIN });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }

  /** `row` was read with its secrets. Settles when the message was taken; throws only a DeliveryError. */
  async send(row: AlertChannelEntity, delivery: Delivery, limits: SendLimits): Promise<void> {
    const channel = this.credentials.open(row);
    if (!channel) throw new DeliveryError(UNREADABLE);
    if ((channel.url ?? channel.email) === null) throw new DeliveryError(NO_ADDRESS);
    try {
      await this.sendWithin(limits, channel, delivery);
    } catch (error) {
      throw this.asDeliveryError(error, channel);
    }
  }

  private async sendWithin(limits: SendLimits, channel: OpenChannel, delivery: Delivery): Promise<void> {
    const send = SENDERS[channel.kind];
    limits.signal.throwIfAborted();
    const ending = new AbortController();
    const { signal } = ending;
    const stop = (): void => ending.abort(limits.signal.reason);
    limits.signal.addEventListener('abort', stop);
    const timer = setTimeout(() => ending.abort(tooLate(limits.milliseconds)), limits.milliseconds);
    // A sender that does not hear the signal is not waited for either.
    const ended = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    const { client, policy } = this;
    const context = { client, policy, publicUrl: this.env.PUBLIC_URL ?? null, signal, now: () => new Date() };
    try {
      await Promise.race([send(channel, delivery, context), ended]);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      limits.signal.removeEventListener('abort', stop);
    }
  }

  private asDeliveryError(error: unknown, { name, kind }: OpenChannel): DeliveryError {
    if (error instanceof DeliveryError) {
      return new DeliveryError(error.message.slice(0, MAX_REASON), error.retryAfterSeconds);
    }
    if (isAbort(error)) return new DeliveryError('The hub was stopped meanwhile.');
    this.logger.error({ msg: 'A message could not be made ready to be sent', channel: name, kind, err: error });
    return new DeliveryError(INTERNAL);
  }
}

const isAbort = (error: unknown): boolean => (error as { name?: unknown } | null)?.name === 'AbortError';

const tooLate = (milliseconds: number): DeliveryError =>
  new DeliveryError(`The receiver did not take the message within ${Math.round(milliseconds / 1000)} seconds.`);
