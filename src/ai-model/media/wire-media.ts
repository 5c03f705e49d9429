import type { Provider } from '../../contract/providers.js';
import type { MediaPart } from './attachment.js';
import type { MediaKind } from './media-types.js';

/**
 * How a wire takes a kind of input: not at all, by its bytes alone (the hub fetches what is elsewhere), by its bytes or
 * an address, or as the text of the message, since it has no place for a file.
 */
export type Carriage = 'refuse' | 'inline' | 'url' | 'text';

/** Mistral's part for documents; no caller sends it. */
export type WirePart = MediaPart | 'document_url';

/** What a provider's wire format can carry, whatever a model's flags promise. */
export interface WireMedia {
  takes: Readonly<Record<MediaKind, Carriage>>;
  /** The part types it knows for each; the first one is made of all others. */
  parts: Readonly<Record<'image' | 'audio' | 'video' | 'file', readonly WirePart[]>>;
  /** MIME types it is limited to. */
  types?: Partial<Record<MediaKind, readonly string[]>>;
  /** What its text files are called, whatever their type, where it knows this one alone. */
  textType?: string;
  /** Whether a file may be one that was uploaded to the provider. */
  fileIds: boolean;
  /** Bytes of all that is sent inline in one call. */
  mostInlineBytes?: number;
  /** Addresses that mean something to the provider alone: they are handed on and never fetched. */
  ownUrls?: RegExp;
}

const MEGABYTE = 1024 * 1024;

/** Google documents 100 MB by now; 20 MB held for years and holds for every model. */
const GOOGLE_INLINE_BYTES = 20 * MEGABYTE;

const OPENAI_PARTS: WireMedia['parts'] = {
  image: ['image_url'],
  audio: ['input_audio'],
  video: ['video_url'],
  file: ['file'],
};
const SERVER_PARTS: WireMedia['parts'] = {
  ...OPENAI_PARTS,
  audio: ['input_audio', 'audio_url'],
  video: ['video_url', 'input_video'],
};
const NOTHING: WireMedia['takes'] = {
  image: 'refuse',
  pdf: 'refuse',
  text: 'text',
  document: 'refuse',
  audio: 'refuse',
  video: 'refuse',
};
const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

const OPENAI: WireMedia = {
  takes: { image: 'url', pdf: 'inline', text: 'text', document: 'inline', audio: 'inline', video: 'refuse' },
  parts: OPENAI_PARTS,
  types: { audio: ['audio/wav', 'audio/mpeg'] },
  fileIds: true,
};

/** Nobody can know which server it is: everything a server is known to take is handed on. */
const COMPATIBLE: WireMedia = {
  takes: { image: 'url', pdf: 'inline', text: 'text', document: 'inline', audio: 'url', video: 'url' },
  parts: SERVER_PARTS,
  fileIds: true,
};

const IMAGES_ALONE: WireMedia = { takes: { ...NOTHING, image: 'url' }, parts: OPENAI_PARTS, fileIds: false };

const GOOGLE: WireMedia = {
  takes: { image: 'inline', pdf: 'inline', text: 'inline', document: 'refuse', audio: 'inline', video: 'inline' },
  parts: OPENAI_PARTS,
  textType: 'text/plain',
  fileIds: false,
  mostInlineBytes: GOOGLE_INLINE_BYTES,
};

/** The second wall, behind the flags of a model: one line per provider. */
export const WIRE_MEDIA: Readonly<Record<Provider, WireMedia>> = {
  openai: OPENAI,
  azure_openai: OPENAI,
  huggingface: COMPATIBLE,
  openai_compatible: COMPATIBLE,
  // Which server it is cannot be known, so what one of the three does not take is not sent: Ollama takes no address,
  // and of images these types alone.
  local: {
    takes: { image: 'inline', pdf: 'refuse', text: 'text', document: 'refuse', audio: 'inline', video: 'inline' },
    parts: { ...SERVER_PARTS, audio: ['input_audio'] },
    types: { image: ['image/jpeg', 'image/png', 'image/webp'] },
    fileIds: false,
  },
  claude: {
    takes: { image: 'url', pdf: 'url', text: 'inline', document: 'refuse', audio: 'refuse', video: 'refuse' },
    parts: OPENAI_PARTS,
    types: { image: IMAGE_TYPES },
    textType: 'text/plain',
    fileIds: false,
  },
  gemini: {
    ...GOOGLE,
    ownUrls:
      /^https:\/\/(?:generativelanguage\.googleapis\.com\/v1beta\/files\/|(?:www\.)?youtube\.com\/watch\?|youtu\.be\/)/,
  },
  google_vertex: { ...GOOGLE, ownUrls: /^https:\/\/(?:www\.)?youtube\.com\/watch\?|^https:\/\/youtu\.be\// },
  mistral: {
    takes: { ...NOTHING, image: 'url', pdf: 'url', audio: 'inline' },
    parts: { ...OPENAI_PARTS, file: ['document_url'] },
    fileIds: false,
  },
  groq: IMAGES_ALONE,
  xai: IMAGES_ALONE,
  cohere: IMAGES_ALONE,
  deepseek: { takes: NOTHING, parts: OPENAI_PARTS, fileIds: false },
  amazon_bedrock: {
    takes: { ...NOTHING, image: 'inline', pdf: 'inline', text: 'inline', document: 'inline' },
    parts: OPENAI_PARTS,
    types: { image: IMAGE_TYPES },
    textType: 'text/plain',
    fileIds: false,
  },
};
