import { AppError } from '../../../platform/errors/app-error.js';
import { refuseField } from '../../calls/incoming-call.js';
import { noteOrigin } from '../../calls/part-origins.js';
import { given, isGiven } from '../given.js';
import type { AudioPart, FilePart, ImagePart, InputPart } from './responses-request.js';

/** A part of a message in OpenAI's chat format. */
export type ChatPart = Readonly<Record<string, unknown>> & { readonly type: string };

const WEB_URL = /^https?:\/\/[^/]/i;
const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+(?:;[^;,]{0,100}){0,10};base64,[A-Za-z0-9+/]/;

/** Names what is asked for and cannot be had from any model. */
export const refuseUnsupported = (param: string, detail: string): AppError =>
  new AppError('parameter_not_supported', { detail, param });

/**
 * A part as OpenAI's chat format has it.
 * @param path of the part, in the caller's words
 * @param ignored takes the names of what has no place there
 */
export const toChatPart = (part: InputPart, path: string, ignored: Set<string>): ChatPart =>
  noteOrigin(
    {
      ...bodyOfPart(part, path, ignored),
      ...given({ prompt_cache_breakpoint: part.prompt_cache_breakpoint }),
    },
    path,
  );

const bodyOfPart = (part: InputPart, path: string, ignored: Set<string>): ChatPart => {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.text };
    // The model's own words, for whoever reads them next: servers other than OpenAI's know no part of this type.
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'input_image':
      return imagePart(part, path, ignored);
    case 'input_file':
      return filePart(part, path, ignored);
    case 'input_audio':
      return audioPart(part, path);
    default:
      throw unknownPart(part, path);
  }
};

const unknownPart = ({ type }: { type: string }, path: string): AppError => {
  const known = 'input_text, input_image, input_file, input_audio, output_text and refusal';
  return refuseUnsupported(`${path}.type`, `${path}.type: ${type} is not known here; there are ${known}.`);
};

const imagePart = (
  { image_url: url, file_id: id, detail }: ImagePart,
  path: string,
  ignored: Set<string>,
): ChatPart => {
  if (isGiven(id)) {
    throw refuseUnsupported(`${path}.file_id`, `${path}.file_id: the hub keeps no files; send the image in image_url.`);
  }
  requireUrl(url, `${path}.image_url`);
  // No other API has it; the next best is the most that they have.
  if (detail === 'original') ignored.add('input_image.detail');
  const level = detail === 'original' ? 'high' : detail;
  return { type: 'image_url', image_url: { url, ...given({ detail: level }) } };
};

/** An address has a place of its own, which OpenAI's chat lacks: the hub fetches it where the provider does not. */
const filePart = (part: FilePart, path: string, ignored: Set<string>): ChatPart => {
  const { file_data: data, file_url: url, file_id: id, filename, detail } = part;
  if ([data, url, id].filter(isGiven).length !== 1) {
    const field = `${path}.file_data`;
    throw refuseField(field, `${field}: one of file_data, file_url and file_id must be given, and no other.`);
  }
  if (isGiven(data)) requireDataUrl(data, `${path}.file_data`);
  if (isGiven(url) && !WEB_URL.test(url))
    throw refuseField(`${path}.file_url`, `${path}.file_url must be an http or https URL.`);
  if (isGiven(detail)) ignored.add('input_file.detail');
  return { type: 'file', file: given({ file_data: data, file_url: url, file_id: id, filename }) };
};

const audioPart = ({ input_audio: { data, format } }: AudioPart, path: string): ChatPart => {
  if (data === '' || data.startsWith('data:')) {
    const field = `${path}.input_audio.data`;
    throw refuseField(field, `${field} must be base64 alone, without data: in front.`);
  }
  return { type: 'input_audio', input_audio: { data, format } };
};

const requireDataUrl = (value: string, field: string): void => {
  if (!DATA_URL.test(value)) {
    throw refuseField(field, `${field} must be a data URL such as data:application/pdf;base64,….`);
  }
};

function requireUrl(value: string | null | undefined, field: string): asserts value is string {
  if (!isGiven(value) || !(WEB_URL.test(value) || DATA_URL.test(value))) {
    throw refuseField(field, `${field} must be an http or https URL, or a data URL such as data:image/png;base64,….`);
  }
}
