import { isUtf8 } from 'node:buffer';
import { isPlainObject } from '../../contract/fields.js';
import { refuseField } from '../calls/incoming-call.js';
import type { Attachment, Part } from './attachment.js';
import { audioFormatOf, extensionOf } from './media-types.js';
import type { WireMedia, WirePart } from './wire-media.js';

/** The part type an attachment goes out as. */
const outgoingType = ({ kind, partType }: Attachment, { parts }: WireMedia): WirePart => {
  const known = parts[kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file'];
  return known.includes(partType) ? partType : (known[0] ?? partType);
};

/** Whether the wire gets the address of an attachment; else it gets the content. */
export const isPassedOn = (attachment: Attachment, wire: WireMedia): boolean => {
  const { url, kind, partType } = attachment;
  if (url === null) return false;
  if (wire.ownUrls?.test(url.href)) return true;
  const isCarrier = outgoingType(attachment, wire) !== 'input_audio' || partType === 'input_audio';
  return wire.takes[kind] === 'url' && isCarrier;
};

/** Whether the content of an attachment must be here before it can be sent. */
export const mustBeFetched = (attachment: Attachment, wire: WireMedia): boolean =>
  attachment.url !== null && attachment.base64 === null && !isPassedOn(attachment, wire);

/** The part as this wire takes it; the caller's own where it does as it is. */
export const writePart = (attachment: Attachment, wire: WireMedia): Part => {
  if ('fileId' in attachment.source) return attachment.part;
  if (isPassedOn(attachment, wire)) return withAddress(attachment, outgoingType(attachment, wire));
  if (wire.takes[attachment.kind] === 'text') return asText(attachment);
  return withContent(attachment, outgoingType(attachment, wire), wire);
};

/** What else the caller wrote beside the content, such as a mark for a prompt cache. */
const othersOf = ({ part, partType }: Attachment): Part =>
  Object.fromEntries(Object.entries(part).filter(([name]) => name !== 'type' && name !== partType));

const innerOf = ({ part, partType }: Attachment): Part => {
  const inner = part[partType];
  return isPlainObject(inner) ? inner : {};
};

const withAddress = (attachment: Attachment, type: WirePart): Part => {
  const { part, partType, source, filename } = attachment;
  const address = 'text' in source ? source.text : '';
  if (type === 'file') {
    if (innerOf(attachment)['file_url'] !== undefined) return part;
    return { ...othersOf(attachment), type, file: { file_url: address, ...(filename && { filename }) } };
  }
  if (type === partType) return part;
  if (type === 'document_url') return documentUrl(attachment, address);
  return { ...othersOf(attachment), type, [type]: { url: address } };
};

const withContent = (attachment: Attachment, type: WirePart, { textType }: WireMedia): Part => {
  const { part, partType, kind, url } = attachment;
  const written = attachment.written ?? attachment.declared;
  const known = attachment.type ?? 'application/octet-stream';
  const mimeType = kind === 'text' && textType !== undefined ? textType : known;
  // What came inline and is what it says it is stays as the caller wrote it.
  if (url === null && type === partType && (attachment.type === null || written === mimeType)) return part;
  return { ...othersOf(attachment), type, ...contentOf(attachment, type, mimeType) };
};

const contentOf = (attachment: Attachment, type: WirePart, mimeType: string): Part => {
  const { base64, filename, partType } = attachment;
  const dataUrl = `data:${mimeType};base64,${base64}`;
  const { url: _address, ...inner } = type === partType ? innerOf(attachment) : {};
  if (type === 'file') return { file: { filename: filename ?? `file.${extensionOf(mimeType)}`, file_data: dataUrl } };
  if (type === 'input_audio') return { input_audio: { ...inner, data: base64, format: audioFormatOf(mimeType) } };
  if (type === 'input_video') return { input_video: { ...inner, data: base64 } };
  if (type === 'document_url') return documentUrl(attachment, dataUrl);
  return { [type]: { ...inner, url: dataUrl } };
};

const documentUrl = (attachment: Attachment, address: string): Part => ({
  ...othersOf(attachment),
  type: 'document_url',
  document_url: address,
  ...(attachment.filename && { document_name: attachment.filename }),
});

/** For a wire without files: what a text file says, under its name. */
const asText = (attachment: Attachment): Part => {
  const { field, filename } = attachment;
  const bytes = Buffer.from(attachment.base64 ?? '', 'base64');
  if (!isUtf8(bytes)) throw refuseField(field, `${field} must be text in UTF-8.`);
  const text = new TextDecoder().decode(bytes);
  return { ...othersOf(attachment), type: 'text', text: filename === null ? text : `${filename}:\n\n${text}` };
};
