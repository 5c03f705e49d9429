import { isPlainObject } from '../../contract/fields.js';
import { AppError } from '../../platform/errors/app-error.js';
import { refuseField } from '../calls/incoming-call.js';
import { originOf } from '../calls/part-origins.js';
import { Attachment, MEDIA_PARTS, type MediaPart, type MediaSource, type Part } from './attachment.js';
import { decodedLength, isBase64, isDataUrl, readDataUrl } from './base64.js';
import type { MediaPolicy } from './media-policy.js';
import { typeOf, typeOfName } from './media-types.js';

export const MOST_ATTACHMENTS = 32;

/** What a model said, handed back to it: no attachment, and nothing to check. */
const SAID = new Set(['refusal', 'thinking', 'redacted_thinking', 'reasoning']);

const KNOWN_PARTS = ['text', ...MEDIA_PARTS].join(', ');

const isMediaPart = (type: unknown): type is MediaPart => (MEDIA_PARTS as readonly unknown[]).includes(type);

const contentOf = (message: unknown): unknown => (isPlainObject(message) ? message['content'] : undefined);

/** Whether any content is a list of parts: nothing else can hold an attachment. */
export const hasParts = (messages: unknown): messages is readonly unknown[] =>
  Array.isArray(messages) && messages.some((message) => Array.isArray(contentOf(message)));

/**
 * Finds everything in the messages that is not text. Throws `validation_failed` for a part that is malformed and
 * `media_not_allowed` for an address that the policy forbids, naming the field.
 */
export const readAttachments = (messages: readonly unknown[], policy: MediaPolicy): Attachment[] => {
  const found: Attachment[] = [];
  messages.forEach((message, index) => {
    const content = contentOf(message);
    if (!Array.isArray(content)) return;
    content.forEach((part: unknown, at) => {
      const attachment = readPart(part, `messages[${index}].content[${at}]`, policy);
      if (attachment) found.push(attachment);
    });
  });
  if (found.length <= MOST_ATTACHMENTS) return found;
  throw refuseField('messages', `A request takes at most ${MOST_ATTACHMENTS} attachments, not ${found.length}.`);
};

const readPart = (part: unknown, field: string, policy: MediaPolicy): Attachment | null => {
  if (!isPlainObject(part)) throw refuseField(field, `${field} must be a part with a type.`);
  const { type } = part;
  if (type === 'text') {
    if (typeof part['text'] === 'string') return null;
    throw refuseField(`${field}.text`, `${field}.text must be a text.`);
  }
  if (isMediaPart(type)) return new PartReader(part, type, field, policy).read();
  if (SAID.has(String(type))) return null;
  throw refuseField(`${field}.type`, `${field}.type must be one of ${KNOWN_PARTS}.`);
};

const EXAMPLE = 'data:image/png;base64,iVBORw0K';

/** Reads one part that carries something besides text. */
class PartReader {
  private readonly inner: Part;

  constructor(
    private readonly part: Part,
    private readonly type: MediaPart,
    private readonly field: string,
    private readonly policy: MediaPolicy,
  ) {
    const value = part[type];
    // Ollama and others take the address itself, where OpenAI has an object around it.
    const isBare = type.endsWith('_url') && typeof value === 'string';
    this.inner = isBare ? { url: value } : isPlainObject(value) ? value : {};
    if (!isBare && !isPlainObject(value)) throw this.refuse('', 'must be an object');
  }

  read(): Attachment {
    if (this.type === 'file') return this.readFile();
    return this.type.endsWith('_url') ? this.readUrl('url') : this.readData();
  }

  /** `image_url`, `audio_url`, `video_url`: an address or a data URL. */
  private readUrl(member: string): Attachment {
    const text = this.text(member, 'must be an https URL or a data URL');
    return isDataUrl(text) ? this.inline(member, text) : this.remote(member, text);
  }

  /** `input_audio`, `input_video`: bare base64, or at llama.cpp an address. */
  private readData(): Attachment {
    const format = typeof this.inner['format'] === 'string' ? this.inner['format'] : null;
    if (this.inner['data'] === undefined && this.inner['url'] !== undefined) return this.readUrl('url');
    if (this.type === 'input_audio' && format === null)
      throw this.refuse('format', 'must be the format of the sound, such as wav or mp3');
    const data = this.text('data', 'must be the content in base64');
    if (isDataUrl(data)) throw this.refuse('data', 'must be base64 alone, without the data: in front of it');
    if (!isBase64(data)) throw this.refuse('data', 'must be base64 with its padding, without line breaks');
    return this.attachment('data', { base64: data }, this.typeOfFormat(format));
  }

  private typeOfFormat(format: string | null): string | null {
    if (format === null) return null;
    return this.type === 'input_audio' ? typeOf(`audio/${format}`) : (typeOfName(format) ?? typeOf(`video/${format}`));
  }

  private readFile(): Attachment {
    const { inner } = this;
    if (inner['file_data'] !== undefined && inner['file_data'] !== null)
      return this.inline('file_data', this.text('file_data', 'must be a data URL'));
    const member = ['file_url', 'url'].find((name) => inner[name] !== undefined && inner[name] !== null);
    if (member !== undefined) return this.readUrl(member);
    const fileId = this.text('file_id', 'must be set, unless file_data or file_url is');
    return this.attachment('file_id', { fileId }, null);
  }

  private inline(member: string, text: string): Attachment {
    const data = readDataUrl(text);
    if (!data) throw this.refuse(member, `must be a data URL in base64, such as ${EXAMPLE}, without line breaks`);
    const declared = typeOf(data.type) ?? typeOfName(this.filename);
    const found = this.attachment(member, { base64: data.base64 }, declared);
    found.written = data.type.split(';', 1)[0] ?? '';
    return found;
  }

  private remote(member: string, text: string): Attachment {
    if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) throw this.refuse(member, 'must be an https URL or a data URL');
    const verdict = this.policy.checkMedia(text);
    if ('url' in verdict) {
      const declared = typeOfName(verdict.url.pathname) ?? typeOfName(this.filename);
      return this.attachment(member, { url: verdict.url, text }, declared);
    }
    const param = this.fieldOf(member);
    throw new AppError('media_not_allowed', { detail: `${param}: ${verdict.refused.message}`, param });
  }

  private attachment(member: string, source: MediaSource, declared: string | null): Attachment {
    const found = new Attachment(this.part, this.type, this.fieldOf(member), source, declared, this.filename);
    if ('base64' in source) found.size = decodedLength(source.base64);
    return found;
  }

  private get filename(): string | null {
    const name = this.inner['filename'];
    return typeof name === 'string' && name !== '' ? name : null;
  }

  private text(member: string, problem: string): string {
    const value = this.inner[member];
    if (typeof value === 'string' && value !== '') return value;
    throw this.refuse(member, problem);
  }

  private fieldOf(member: string): string {
    const { field, type } = this;
    const origin = originOf(this.part);
    if (origin !== undefined) return origin;
    if (member === '') return `${field}.${type}`;
    return typeof this.part[type] === 'string' ? `${field}.${type}` : `${field}.${type}.${member}`;
  }

  private refuse(member: string, problem: string): AppError {
    const param = this.fieldOf(member);
    return refuseField(param, `${param} ${problem}.`);
  }
}
