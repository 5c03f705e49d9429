import { isUtf8 } from 'node:buffer';
import { refuseField } from '../calls/incoming-call.js';
import type { Attachment } from './attachment.js';
import { decodeHead } from './base64.js';
import { kindOf, type MediaKind, reconcile, typeOf } from './media-types.js';

/** A character that the head ends in the middle of has at most so many bytes there. */
const CUT_CHARACTER_BYTES = 3;
const MEDIA_KINDS: ReadonlySet<MediaKind> = new Set<MediaKind>(['image', 'audio', 'video']);

const looksLikeText = (head: Buffer): boolean => {
  if (head.includes(0)) return false;
  for (let cut = 0; cut <= CUT_CHARACTER_BYTES; cut += 1) {
    if (isUtf8(head.subarray(0, head.length - cut))) return true;
  }
  return false;
};

/** The MIME type that the first bytes show; null: they show none, as those of a text. */
const sniff = async (head: Buffer): Promise<string | null> => {
  // Most calls have no attachment: it is loaded with the first one.
  const { fileTypeFromBuffer } = await import('file-type');
  const type = typeOf((await fileTypeFromBuffer(head).catch(() => undefined))?.mime);
  // "BMW" is no bitmap, although it begins like one.
  return type !== null && MEDIA_KINDS.has(kindOf(type)) && looksLikeText(head) ? null : type;
};

/** What a content is, by what is said of it and its first bytes; null: neither tells. */
export const typeByHead = async (declared: string | null, head: Buffer): Promise<string | null> =>
  reconcile(declared, await sniff(head));

/** Settles what an attachment is whose bytes are there. Throws `validation_failed` for a sound that is none. */
export const identify = async (attachment: Attachment): Promise<void> => {
  const { base64, partType, field } = attachment;
  if (base64 === null) return;
  const head = decodeHead(base64);
  attachment.type = await typeByHead(attachment.type, head);
  if (attachment.type === null && partType === 'file')
    attachment.type = looksLikeText(head) ? 'text/plain' : 'application/octet-stream';
  if (partType === 'input_audio' && attachment.kind !== 'audio')
    throw refuseField(field, `${field} must be a sound; it is ${attachment.type}.`);
};
