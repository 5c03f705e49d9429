import { AppError } from '../../../platform/errors/app-error.js';
import { refuseField } from '../../calls/incoming-call.js';
import { noteOrigin } from '../../calls/part-origins.js';
import { given, isGiven } from '../given.js';
import type {
  Base64Source,
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  SearchResultBlock,
  UrlSource,
} from './messages-request.js';

/** A part of a message in OpenAI's chat format. */
export type ChatPart = Readonly<Record<string, unknown>> & { readonly type: string };

const WEB_URL = /^https?:\/\/[^/]/i;
const BASE64_START = /^[A-Za-z0-9+/]/;
const MEDIA_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;
const KNOWN = 'text, image, document, search_result and tool_result';

/** Names what is asked for and cannot be had from any model. */
export const refuseUnsupported = (param: string, reason: string): AppError =>
  new AppError('parameter_not_supported', { detail: `${param}: ${reason}.`, param });

const textPart = (text: string): ChatPart => ({ type: 'text', text });

/**
 * A block of a message as parts of OpenAI's chat format.
 * @param path of the block, in the caller's words
 * @param ignored takes the names of what has no place there
 */
export const toChatParts = (block: ContentBlock, path: string, ignored: Set<string>): ChatPart[] => {
  const parts = partsOf(block, path, ignored);
  const cache = (block as { cache_control?: unknown }).cache_control;
  const marked = isGiven(cache) ? withCacheControl(parts, cache) : parts;
  return marked.map((part) => noteOrigin(part, path));
};

/** The cache ends behind the last of the parts. */
const withCacheControl = (parts: readonly ChatPart[], cache: unknown): ChatPart[] =>
  parts.map((part, index) => (index === parts.length - 1 ? { ...part, cache_control: cache } : part));

const partsOf = (block: ContentBlock, path: string, ignored: Set<string>): ChatPart[] => {
  if (block.type === 'text') return [textPart(block.text)];
  if (block.type === 'image') return [imagePart(block, path, ignored)];
  if (block.type === 'document') return documentParts(block, path, ignored);
  if (block.type === 'search_result') return [searchResultPart(block, ignored)];
  throw refuseUnsupported(`${path}.type`, `${block.type.slice(0, 64)} has no place here; there are ${KNOWN}`);
};

const imagePart = ({ source, transformations }: ImageBlock, path: string, ignored: Set<string>): ChatPart => {
  if (isGiven(transformations)) ignored.add('image.transformations');
  if (source.type === 'file') throw refuseStoredFile(path);
  return { type: 'image_url', image_url: { url: urlOf(source, path) } };
};

const urlOf = (source: Base64Source | UrlSource, path: string): string => {
  if (source.type === 'base64') return dataUrlOf(source, path);
  if (WEB_URL.test(source.url)) return source.url;
  throw refuseField(`${path}.source.url`, `${path}.source.url must be an http or https URL.`);
};

const dataUrlOf = ({ media_type: mediaType, data }: Base64Source, path: string): string => {
  if (!MEDIA_TYPE.test(mediaType)) {
    const field = `${path}.source.media_type`;
    throw refuseField(field, `${field} must be a media type such as image/png.`);
  }
  if (!BASE64_START.test(data) || data.startsWith('data:')) {
    const field = `${path}.source.data`;
    throw refuseField(field, `${field} must be base64 alone, without data: in front.`);
  }
  return `data:${mediaType};base64,${data}`;
};

const refuseStoredFile = (path: string): AppError =>
  refuseUnsupported(`${path}.source.file_id`, 'the hub keeps no files; send the data itself, or an address');

/** What is text is said as text, which every model reads; an address goes where the data would. */
const documentParts = (block: DocumentBlock, path: string, ignored: Set<string>): ChatPart[] => {
  const { source, title, context, citations } = block;
  if (citations?.enabled === true) ignored.add('document.citations');
  if (source.type === 'file') throw refuseStoredFile(path);
  if (source.type === 'text') return [textPart(paragraphs(title, context, source.data))];
  const heading = paragraphs(title, context);
  const above = heading === '' ? [] : [textPart(heading)];
  if (source.type === 'content') {
    const { content } = source;
    if (typeof content === 'string') return [textPart(paragraphs(title, context, content))];
    const inner = content.map((part, index) => toChatParts(part, `${path}.source.content[${index}]`, ignored));
    return [...above, ...inner.flat()];
  }
  const file = { file_data: urlOf(source, path), filename: title ?? 'document.pdf' };
  return [...(isGiven(context) ? [textPart(context)] : []), { type: 'file', file }];
};

const searchResultPart = ({ source, title, content, citations }: SearchResultBlock, ignored: Set<string>): ChatPart => {
  if (citations?.enabled === true) ignored.add('search_result.citations');
  return textPart(paragraphs(title, source, ...content.map(({ text }) => text)));
};

const paragraphs = (...texts: (string | null | undefined)[]): string =>
  texts.filter((text) => isGiven(text) && text !== '').join('\n\n');

/** A single text is written as text, which every server reads. */
export const contentOf = (parts: readonly ChatPart[]): string | readonly ChatPart[] => {
  const [first, ...others] = parts;
  if (first === undefined) return '';
  const isPlain = first.type === 'text' && others.length === 0 && Object.keys(first).length === 2;
  return isPlain ? String(first['text']) : parts;
};

/** What a provider cannot do without, where the block has it. */
export const extensionsOf = (members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  given({ cache_control: members['cache_control'], extra_content: members['extra_content'] });
