import type { SendMailOptions } from 'nodemailer';
import type { Delivery } from '../../../contract/alert-notice.js';
import type { OpenEmail } from '../channel-sender.js';
import { cutTo, lineText, plainBodyOf, subjectTexts, type Message, type MessageLine } from '../messages/message.js';

const MAX_SUBJECT = 200;
const SENDER_NAME = 'AI Model Hub';

const COLOURS = { critical: '#c92a2a', warning: '#e67700', info: '#1971c2' } as const;
const RESOLVED_COLOUR = '#2b8a3e';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const rowOf = ({ label, value }: MessageLine): string =>
  `<tr><td style="padding:4px 16px 4px 0;color:#666;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</td>` +
  `<td style="padding:4px 0">${escapeHtml(value)}</td></tr>`;

const htmlOf = (message: Message): string => {
  const { title, lines, language, link } = message;
  const colour = message.event === 'resolved' ? RESOLVED_COLOUR : COLOURS[message.severity];
  const subjects = subjectTexts(message).map((text) => `<li>${escapeHtml(text)}</li>`);
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"></head>`,
    '<body style="font-family:sans-serif;font-size:14px;color:#222">',
    `<h2 style="font-size:18px;border-left:4px solid ${colour};padding-left:12px">${escapeHtml(title)}</h2>`,
    `<table style="border-collapse:collapse">${lines.map(rowOf).join('')}</table>`,
    ...(subjects.length === 0 ? [] : [`<ul>${subjects.join('')}</ul>`]),
    ...(link ? [`<p><a href="${escapeHtml(encodeURI(link.url))}">${escapeHtml(link.text)}</a></p>`] : []),
    '</body></html>',
  ].join('\n');
};

/**
 * The mail of a message: plain text, and the same as HTML. It has the notification's id in its Message-ID, so that a mail that is sent
 * again after an answer got lost is the same mail.
 */
export const mailOf = (message: Message, { id }: Delivery, email: OpenEmail, date: Date): SendMailOptions => ({
  from: { name: SENDER_NAME, address: email.from },
  to: email.to.map((address) => ({ name: '', address })),
  subject: cutTo(message.title, MAX_SUBJECT),
  text: `${lineText({ label: SENDER_NAME, value: message.title }, message.language)}\n\n${plainBodyOf(message)}\n`,
  html: htmlOf(message),
  messageId: `<${id}@${email.from.slice(email.from.lastIndexOf('@') + 1)}>`,
  date,
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Hub-Notification-Id': id },
  disableFileAccess: true,
  disableUrlAccess: true,
});
