import type { Language, Severity } from '../../../contract/alert-kinds.js';
import type { Notice } from '../../../contract/alert-notice.js';

/** One thing a message says, such as "Since" and a time. Plain text of one line each. */
export interface MessageLine {
  label: string;
  value: string;
}

/** A notice in a language, in parts that every channel lays out in its own format. All texts are plain and of one line. */
export interface Message {
  event: Notice['event'];
  severity: Severity;
  language: Language;
  /** Begins with the severity, or with the word for "resolved". */
  title: string;
  lines: readonly MessageLine[];
  /** The alerts one by one, where there are several. */
  subjects: readonly string[];
  /** What stands for the alerts that are not named; null: all are. */
  more: string | null;
  /** Into the console; null: PUBLIC_URL is not set. */
  link: { text: string; url: string } | null;
  /** The same message with so many alerts named at most. */
  naming(count: number): Message;
}

/** Label and value as one line. */
export const lineText = ({ label, value }: MessageLine, language: Language): string =>
  `${label}${language === 'zh-CN' ? '：' : ': '}${value}`;

/** The alerts one by one, and how many more there are. */
export const subjectTexts = ({ subjects, more }: Message): string[] => [...subjects, ...(more === null ? [] : [more])];

/** The message without its title, as plain text. */
export const plainBodyOf = (message: Message): string =>
  [
    ...message.lines.map((line) => lineText(line, message.language)),
    ...subjectTexts(message).map((text) => `- ${text}`),
    ...(message.link ? [lineText({ label: message.link.text, value: message.link.url }, message.language)] : []),
  ].join('\n');

/** Lays a message out with as many alerts named as fit into so many bytes of UTF-8; null: it does not fit with none. */
export const layOutWithin = (
  message: Message,
  maxBytes: number,
  layOut: (message: Message) => string,
): string | null => {
  for (let count = message.subjects.length; count >= 0; count -= 1) {
    const text = layOut(message.naming(count));
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  return null;
};

/** So many bytes of UTF-8 at most, ended after a whole character. */
export const cutToBytes = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
};

/** So many characters at most; what is cut is told by an ellipsis. */
export const cutTo = (text: string, maxCharacters: number): string => {
  if (text.length <= maxCharacters) return text;
  const cut = text.slice(0, maxCharacters - 1);
  return `${/[\ud800-\udbff]$/u.test(cut) ? cut.slice(0, -1) : cut}…`;
};
