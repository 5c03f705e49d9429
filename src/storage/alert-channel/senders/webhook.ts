import { createHmac } from 'node:crypto';
import type { Delivery, Notice } from '../../../contract/alert-notice.js';
import type { SendMessage } from '../channel-sender.js';
import { messageOf } from '../messages/message-of.js';
import { plainBodyOf, type Message } from '../messages/message.js';
import { postMessage, refused } from './post-message.js';

const SECRET_START = 'whsec_';

const contentOf = (notice: Notice): object => {
  if (notice.event === 'test') return {};
  if (notice.event === 'budget') return { budget: notice.budget };
  return { rule: notice.rule, alerts: notice.alerts, more: notice.more };
};

const bodyOf = ({ id, notice }: Delivery, message: Message): string =>
  JSON.stringify({
    id,
    event: notice.event,
    at: notice.at,
    severity: message.severity,
    text: { title: message.title, body: plainBodyOf(message) },
    link: message.link?.url ?? null,
    ...contentOf(notice),
  });

/** A secret as Standard Webhooks writes it is base64; any other is what it is. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith(SECRET_START) ? Buffer.from(secret.slice(SECRET_START.length), 'base64') : Buffer.from(secret);

/** JSON to an address, signed as Standard Webhooks says it. Any 2xx is taken for an answer that the message is there. */
export const sendToWebhook: SendMessage = async (channel, delivery, context) => {
  const { notice } = delivery;
  const body = bodyOf(delivery, messageOf(notice, notice.language ?? channel.language, context.publicUrl));
  const timestamp = String(Math.floor(context.now().getTime() / 1000));
  const headers: Record<string, string> = { 'webhook-id': delivery.id, 'webhook-timestamp': timestamp };
  if (channel.secret !== null) {
    const signature = createHmac('sha256', keyOf(channel.secret)).update(`${delivery.id}.${timestamp}.${body}`);
    headers['webhook-signature'] = `v1,${signature.digest('base64')}`;
  }
  const answer = await postMessage(channel, { headers, body }, context);
  if (answer.status < 200 || answer.status > 299) throw refused(channel, answer);
};
