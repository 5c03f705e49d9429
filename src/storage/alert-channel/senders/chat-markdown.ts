import { lineText, subjectTexts, type Message } from '../messages/message.js';

const WIDE: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  ']': '］',
  '*': '＊',
  '`': '｀',
  '#': '＃',
  '|': '｜',
};

/**
 * The Markdown of chats' robots knows no escapes. What could begin a link, a mention, a picture or a colour is written in its full
 * width, which looks much the same and means nothing.
 */
export const asChatMarkdown = (text: string): string =>
  text.replaceAll(/[<>*`#|]|\](?=\()/g, (character) => WIDE[character] ?? '');

/** The message without its title. `between` separates lines: what a chat takes for the end of one. */
export const chatMarkdownOf = (message: Message, between: string): string =>
  [
    ...message.lines.map(({ label, value }) =>
      lineText({ label: `**${asChatMarkdown(label)}**`, value: asChatMarkdown(value) }, message.language),
    ),
    ...subjectTexts(message).map((text) => `- ${asChatMarkdown(text)}`),
    ...(message.link ? [`[${message.link.text}](${encodeURI(message.link.url)})`] : []),
  ].join(between);
