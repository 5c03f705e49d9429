import type { LanguageModelV3FilePart } from '@ai-sdk/provider';
import { isPlainObject } from '../../../contract/fields.js';
import { AppError } from '../../../platform/errors/app-error.js';
import { canParseUrl } from '../../../platform/http/can-parse-url.js';
import { refuseField } from '../../calls/incoming-call.js';
import type { SdkWire } from './sdk-wire.js';

type Part = Readonly<Record<string, unknown>>;

/** Where a part has its content, and what it is as long as nothing says more. */
interface Place {
  /** Beside the part's type, such as `image_url.url`. */
  field: string;
  content: unknown;
  presumed: string;
  filename?: unknown;
}

const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', m4a: 'audio/mp4' };

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

const inner = (part: Part, name: string): Part => {
  const value = part[name];
  if (isPlainObject(value)) return value;
  return typeof value === 'string' ? { url: value } : {};
};

const audioPlace = ({ data, url, format }: Part): Place => {
  const type = AUDIO_TYPES[textIn(format)] ?? `audio/${textIn(format) || 'wav'}`;
  if (data === undefined) return { field: 'url', content: url, presumed: type };
  return { field: 'data', content: `data:${type};base64,${textIn(data)}`, presumed: type };
};

const videoPlace = ({ data, url }: Part): Place =>
  data === undefined
    ? { field: 'url', content: url, presumed: 'video/mp4' }
    : { field: 'data', content: `data:video/mp4;base64,${textIn(data)}`, presumed: 'video/mp4' };

const filePlace = ({ file_data: data, file_url: url, file_id: id, filename }: Part): Place => {
  const presumed = 'application/pdf';
  if (data !== undefined) return { field: 'file_data', content: data, presumed, filename };
  if (url !== undefined) return { field: 'file_url', content: url, presumed, filename };
  return { field: id === undefined ? 'file_data' : 'file_id', content: null, presumed, filename };
};

const urlPlace =
  (presumed: string) =>
  ({ url }: Part): Place => ({ field: 'url', content: url, presumed });

const PLACES: Readonly<Record<string, (part: Part) => Place>> = {
  image_url: urlPlace('image/*'),
  file: filePlace,
  input_audio: audioPlace,
  audio_url: urlPlace('audio/mpeg'),
  video_url: urlPlace('video/mp4'),
  input_video: videoPlace,
};

const cannotTake = (field: string, wire: SdkWire, what: string): AppError =>
  new AppError('modality_not_supported', { detail: `${wire.name} takes no ${what} here (${field}).`, param: field });

const readDataUrl = (text: string): { mediaType: string; data: string } | null => {
  const comma = text.indexOf(',');
  const [, type] =
    /^data:([\w.+/-]*)(?:;[^;,]+)*;base64$/i.exec(text.slice(0, Math.max(0, Math.min(comma, 300)))) ?? [];
  return type === undefined || comma === text.length - 1 ? null : { mediaType: type, data: text.slice(comma + 1) };
};

/**
 * Something that is no text, as the library takes it. Contents come as data URLs; an address is handed on where the
 * provider itself fetches it, and refused otherwise.
 * @param at the part's field, such as `messages[0].content[1]`
 */
export const toFilePart = (part: Part, at: string, wire: SdkWire): LanguageModelV3FilePart => {
  const type = textIn(part['type']);
  const place = PLACES[type]?.(inner(part, type));
  if (!place) throw refuseField(`${at}.type`, `${at}.type is none that ${wire.name} knows: ${type.slice(0, 50)}.`);
  const field = `${at}.${type}.${place.field}`;
  const filename = typeof place.filename === 'string' ? { filename: place.filename } : {};
  if (typeof place.content !== 'string') throw refuseField(field, `${field} must be a data URL or an address.`);
  if (/^data:/i.test(place.content)) return { type: 'file', ...inline(place.content, place, field, wire), ...filename };
  if (!canParseUrl(place.content)) throw refuseField(field, `${field} must be a data URL or an address.`);
  const data = new URL(place.content);
  if (!wire.takesUrl(place.presumed, data)) throw cannotTake(field, wire, `address of ${place.presumed}`);
  return { type: 'file', mediaType: place.presumed, data, ...filename };
};

const inline = (
  content: string,
  { presumed }: Place,
  field: string,
  wire: SdkWire,
): Pick<LanguageModelV3FilePart, 'mediaType' | 'data'> => {
  const found = readDataUrl(content);
  if (!found) throw refuseField(field, `${field} must be a data URL in base64, such as data:image/png;base64,….`);
  const mediaType = found.mediaType === '' ? presumed : found.mediaType.toLowerCase();
  if (!wire.takes(mediaType)) throw cannotTake(field, wire, mediaType);
  return { mediaType, data: found.data };
};
