import type { ErrorCode } from '../../contract/error-codes.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import type { Attachment } from './attachment.js';
import { kindOf, type MediaKind, typeOf } from './media-types.js';
import { WIRE_MEDIA, type WireMedia } from './wire-media.js';

/** Why a model does not take an attachment. */
export interface MediaProblem {
  code: Extract<ErrorCode, 'modality_not_supported' | 'file_too_large'>;
  /** The attachment's, or `messages` when it is all of them together. */
  field: string;
  /** What the model does, as the rest of a sentence that begins with its alias. */
  problem: string;
}

export const MEGABYTE = 1024 * 1024;

type Flag = 'supports_images' | 'supports_files' | 'supports_audio' | 'supports_videos';

const FLAG: Readonly<Record<MediaKind, Flag>> = {
  image: 'supports_images',
  audio: 'supports_audio',
  video: 'supports_videos',
  pdf: 'supports_files',
  text: 'supports_files',
  document: 'supports_files',
};

const PLURAL: Readonly<Record<MediaKind, string>> = {
  image: 'images',
  audio: 'audio',
  video: 'videos',
  pdf: 'PDF files',
  text: 'text files',
  document: 'files of other types than PDF and text',
};

const FLAG_PLURAL: Readonly<Record<Flag, string>> = {
  supports_images: 'images',
  supports_files: 'files',
  supports_audio: 'audio',
  supports_videos: 'videos',
};

const matches = (type: string, pattern: string): boolean =>
  pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === typeOf(pattern);

const familyOf = (pattern: string): string => {
  const kind = kindOf(typeOf(pattern) ?? pattern);
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file';
};

/**
 * A list restricts what it speaks of: images only if it names a type of image, and so on; of files it always speaks. What
 * is not known yet passes until it is.
 */
const isListed = ({ type, kind }: Attachment, list: readonly string[]): boolean => {
  if (type === null) return true;
  const isMedia = kind === 'image' || kind === 'audio' || kind === 'video';
  if (isMedia && !list.some((pattern) => familyOf(pattern) === kind)) return true;
  return list.some((pattern) => matches(type, pattern));
};

const refused = ({ field }: Attachment, problem: string): MediaProblem => ({
  code: 'modality_not_supported',
  field,
  problem,
});

const problemWithConfig = (attachment: Attachment, model: SnapshotModel): MediaProblem | null => {
  const { field, kind, type, size } = attachment;
  const flag = FLAG[kind];
  if (!model[flag]) return refused(attachment, `takes no ${FLAG_PLURAL[flag]} (${flag})`);
  const { supported_file_types: list, max_file_size_mb: most } = model;
  if (list !== null && !isListed(attachment, list))
    return refused(attachment, `takes ${list.slice(0, 10).join(', ')} and not ${type} (supported_file_types)`);
  if (most === null || size === null || size <= most * MEGABYTE) return null;
  return { code: 'file_too_large', field, problem: `takes at most ${most} MB per attachment (max_file_size_mb)` };
};

/** The second wall: a flag may promise what the provider's format cannot carry. */
const problemWithWire = (attachment: Attachment, wire: WireMedia, provider: string): MediaProblem | null => {
  const { kind, source, type } = attachment;
  if ('fileId' in source && !wire.fileIds)
    return refused(attachment, `is called through ${provider}, which takes no file_id: send file_data`);
  if (wire.takes[kind] === 'refuse')
    return refused(attachment, `is called through ${provider}, which takes no ${PLURAL[kind]}`);
  const types = wire.types?.[kind];
  if (types === undefined || type === null || types.includes(type)) return null;
  return refused(attachment, `is called through ${provider}, which takes ${types.join(', ')} and not ${type}`);
};

const problemWithAll = (
  attachments: readonly Attachment[],
  { mostInlineBytes }: WireMedia,
  provider: string,
): MediaProblem | null => {
  if (mostInlineBytes === undefined) return null;
  const sum = attachments.reduce((bytes, { size }) => bytes + (size ?? 0), 0);
  if (sum <= mostInlineBytes) return null;
  const most = mostInlineBytes / MEGABYTE;
  const problem = `is called through ${provider}, which takes at most ${most} MB of attachments in one call`;
  return { code: 'file_too_large', field: 'messages', problem };
};

/** The first reason why this model does not take these attachments, as far as they are known by now; null: none. */
export const problemOf = (attachments: readonly Attachment[], model: SnapshotModel): MediaProblem | null => {
  const wire = WIRE_MEDIA[model.provider];
  const { name } = PROVIDER_REGISTRY[model.provider];
  for (const attachment of attachments) {
    const problem = problemWithConfig(attachment, model) ?? problemWithWire(attachment, wire, name);
    if (problem) return problem;
  }
  return problemWithAll(attachments, wire, name);
};
