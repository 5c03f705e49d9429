import type { ChannelKind } from '../../contract/alert-channel.contract.js';
import type { SendMessage } from './channel-sender.js';
import { sendToDingTalk } from './senders/dingtalk.js';
import { sendEmail } from './senders/email.js';
import { sendToFeishu } from './senders/feishu.js';
import { sendToSlack } from './senders/slack.js';
import { sendToWebhook } from './senders/webhook.js';
import { sendToWeCom } from './senders/wecom.js';

/** How the messages of a channel are sent, by its kind. */
export const SENDERS: Record<ChannelKind, SendMessage> = {
  webhook: sendToWebhook,
  slack: sendToSlack,
  feishu: sendToFeishu,
  dingtalk: sendToDingTalk,
  wecom: sendToWeCom,
  email: sendEmail,
};
