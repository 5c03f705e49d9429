import type { SendMessage } from '../channel-sender.js';
import { messageOf } from '../messages/message-of.js';
import { cutTo, lineText, subjectTexts, type Message } from '../messages/message.js';
import { postMessage, refused } from './post-message.js';

/** Characters, and blocks; a section is filled to less, since an escaped character is up to five. */
const MAX_HEADER = 150;
const MAX_SECTION = 3000;
const MAX_TEXT = 3000;
const MAX_BLOCKS = 50;

interface SlackBlock {
  type: 'header' | 'section' | 'context';
  text?: { type: 'plain_text' | 'mrkdwn'; text: string };
  elements?: { type: 'mrkdwn'; text: string }[];
}

/** Three characters have a meaning in Slack's texts, mentions and links among it; the rest is shown as it is. */
const escapeMrkdwn = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Whole lines, as many in a section as fit. */
const sectionsOf = (lines: readonly string[]): SlackBlock[] => {
  const texts: string[] = [];
  for (const line of lines.map((text) => escapeMrkdwn(cutTo(text, MAX_SECTION / 6)))) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= MAX_SECTION)
      texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts.map((text) => ({ type: 'section', text: { type: 'mrkdwn', text } }));
};

const blocksOf = (message: Message): SlackBlock[] => {
  const { link, lines, language } = message;
  const blocks: SlackBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: cutTo(message.title, MAX_HEADER) } },
    ...sectionsOf(lines.map((line) => lineText(line, language))),
    ...sectionsOf(subjectTexts(message).map((text) => `• ${text}`)),
  ];
  const foot: SlackBlock[] = link
    ? [{ type: 'context', elements: [{ type: 'mrkdwn', text: `<${encodeURI(link.url)}|${escapeMrkdwn(link.text)}>` }] }]
    : [];
  return [...blocks.slice(0, MAX_BLOCKS - foot.length), ...foot];
};

/**
 * To an incoming webhook of Slack: blocks, and a text for notifications. See https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/,
 * https://docs.slack.dev/messaging/formatting-message-text/ and https://docs.slack.dev/reference/block-kit/blocks/. Slack asks for patience
 * with 429 and Retry-After.
 */
export const sendToSlack: SendMessage = async (channel, { notice }, context) => {
  const message = messageOf(notice, notice.language ?? channel.language, context.publicUrl);
  const body = JSON.stringify({ text: escapeMrkdwn(cutTo(message.title, MAX_TEXT / 6)), blocks: blocksOf(message) });
  const answer = await postMessage(channel, { headers: {}, body }, context);
  if (answer.status < 200 || answer.status > 299) throw refused(channel, answer);
};
