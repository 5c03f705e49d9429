import { createHmac } from 'node:crypto';
import { DeliveryError, type SendMessage } from '../channel-sender.js';
import { messageOf } from '../messages/message-of.js';
import { cutTo, layOutWithin } from '../messages/message.js';
import { expectTaken } from './answer-code.js';
import { asChatMarkdown, chatMarkdownOf } from './chat-markdown.js';
import { postMessage } from './post-message.js';

const MAX_TEXT_BYTES = 18_000;
const MAX_TITLE = 200;
/** More than 20 messages a minute shut a robot up for ten minutes. */
const TOO_MANY_SECONDS = 600;
const ANSWER = {
  code: 'errcode',
  reason: 'errmsg',
  waits: { 130101: TOO_MANY_SECONDS, 410100: TOO_MANY_SECONDS },
} as const;

/** The address with a signature of the moment; one that was in it already is replaced. */
const signedUrl = (address: string, secret: string | null, now: Date): URL => {
  const url = new URL(address);
  if (secret === null) return url;
  const timestamp = String(now.getTime());
  url.searchParams.set('timestamp', timestamp);
  url.searchParams.set('sign', createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64'));
  return url;
};

/**
 * To a custom robot of DingTalk: Markdown, signed if there is a secret. The clock must be right to the hour. See
 * https://open.dingtalk.com/document/robots/custom-robot-access and
 * https://open.dingtalk.com/document/robots/customize-robot-security-settings.
 */
export const sendToDingTalk: SendMessage = async (channel, { notice }, context) => {
  const message = messageOf(notice, notice.language ?? channel.language, context.publicUrl);
  const title = cutTo(message.title, MAX_TITLE);
  const text = layOutWithin(
    message,
    MAX_TEXT_BYTES,
    (fitted) => `### ${asChatMarkdown(title)}\n\n${chatMarkdownOf(fitted, '\n\n')}`,
  );
  if (text === null) throw new DeliveryError('The message is longer than DingTalk takes.');
  const url = signedUrl(channel.url ?? '', channel.secret, context.now());
  const body = JSON.stringify({ msgtype: 'markdown', markdown: { title, text } });
  expectTaken(channel, await postMessage(channel, { url, headers: {}, body }, context), ANSWER);
};
