import type { ChannelKind } from '../../contract/alert-channel.contract.js';
import type { SendMessage } from './channel-sender.js';
import { sendToWebhook } from './senders/webhook.js';

/** How the messages of a channel are sent, by its kind. */
export const SENDERS: Partial<Record<ChannelKind, SendMessage>> = { webhook: sendToWebhook };
