import type { SendMessage } from '../channel-sender.js';
import { messageOf } from '../messages/message-of.js';
import { cutTo, cutToBytes, layOutWithin, type Message } from '../messages/message.js';
import { expectTaken } from './answer-code.js';
import { asChatMarkdown, chatMarkdownOf } from './chat-markdown.js';
import { postMessage } from './post-message.js';

const MAX_BYTES = 4096;
const MAX_TITLE = 200;
/** A robot takes 20 messages a minute. */
const ANSWER = { code: 'errcode', reason: 'errmsg', waits: { 45009: 60 } } as const;

const layOut = (message: Message): string =>
  `### ${asChatMarkdown(cutTo(message.title, MAX_TITLE))}\n${chatMarkdownOf(message, '\n')}`;

/**
 * To a robot of a WeCom group: Markdown of at most 4096 bytes. Fewer alerts are named first; then it is cut. See
 * https://developer.work.weixin.qq.com/document/path/91770.
 */
export const sendToWeCom: SendMessage = async (channel, { notice }, context) => {
  const message = messageOf(notice, notice.language ?? channel.language, context.publicUrl);
  const content = layOutWithin(message, MAX_BYTES, layOut) ?? cutToBytes(layOut(message.naming(0)), MAX_BYTES);
  const body = JSON.stringify({ msgtype: 'markdown', markdown: { content } });
  expectTaken(channel, await postMessage(channel, { headers: {}, body }, context), ANSWER);
};
