import { createHmac } from 'node:crypto';
import { DeliveryError, type SendMessage } from '../channel-sender.js';
import { messageOf } from '../messages/message-of.js';
import { cutTo, layOutWithin, lineText, subjectTexts, type Message } from '../messages/message.js';
import { expectTaken } from './answer-code.js';
import { postMessage } from './post-message.js';

const MAX_BODY_BYTES = 20_000;
const MAX_LINE = 1000;
/** A robot takes 5 messages a second, and 100 a minute. */
const ANSWER = { code: 'code', reason: 'msg', waits: { 11232: 60 } } as const;

const COLOURS = { critical: 'red', warning: 'orange', info: 'blue' } as const;

interface CardElement {
  tag: string;
  [field: string]: unknown;
}

const textElement = (lines: readonly string[]): CardElement[] =>
  lines.length === 0
    ? []
    : [{ tag: 'div', text: { tag: 'plain_text', content: lines.map((line) => cutTo(line, MAX_LINE)).join('\n') } }];

/** Every text is plain: in Feishu's Markdown a name could mention everybody. */
const cardOf = (message: Message): object => {
  const { event, severity, lines, language, link } = message;
  const button = link && {
    tag: 'button',
    text: { tag: 'plain_text', content: link.text },
    type: 'default',
    url: link.url,
  };
  return {
    config: { wide_screen_mode: true },
    header: {
      template: event === 'resolved' ? 'green' : COLOURS[severity],
      title: { tag: 'plain_text', content: cutTo(message.title, MAX_LINE) },
    },
    elements: [
      ...textElement(lines.map((line) => lineText(line, language))),
      ...textElement(subjectTexts(message).map((text) => `• ${text}`)),
      ...(button ? [{ tag: 'action', actions: [button] }] : []),
    ],
  };
};

/** The key is what is usually the text, and the text is empty. */
const signatureOf = (timestamp: string, secret: string): string =>
  createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64');

/**
 * To a custom robot of Feishu or Lark: an interactive card, signed if there is a secret. The clock must be right to the hour. See
 * https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
 */
export const sendToFeishu: SendMessage = async (channel, { notice }, context) => {
  const message = messageOf(notice, notice.language ?? channel.language, context.publicUrl);
  const timestamp = String(Math.floor(context.now().getTime() / 1000));
  const signed = channel.secret === null ? {} : { timestamp, sign: signatureOf(timestamp, channel.secret) };
  const body = layOutWithin(message, MAX_BODY_BYTES, (fitted) =>
    JSON.stringify({ ...signed, msg_type: 'interactive', card: cardOf(fitted) }),
  );
  if (body === null) throw new DeliveryError('The message is longer than Feishu takes.');
  expectTaken(channel, await postMessage(channel, { headers: {}, body }, context), ANSWER);
};
