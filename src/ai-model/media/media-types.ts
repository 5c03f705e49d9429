/** What an attachment is to a model. Files are told apart further, since wires differ in which of them they take. */
export type MediaKind = 'image' | 'audio' | 'video' | 'pdf' | 'text' | 'document';

const TYPE_OF_EXTENSION: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  heic: 'image/heic',
  avif: 'image/avif',
  svg: 'image/svg+xml',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  weba: 'audio/webm',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mkv: 'video/matroska',
  avi: 'video/x-msvideo',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  '3gp': 'video/3gpp',
  pdf: 'application/pdf',
  txt: 'text/plain',
  log: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  htm: 'text/html',
  html: 'text/html',
  json: 'application/json',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  rtf: 'application/rtf',
  epub: 'application/epub+zip',
  zip: 'application/zip',
};

/** Other names of the same types, as callers, servers and file-type write them. */
const SAME_TYPE: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'audio/mp3': 'audio/mpeg',
  'audio/x-mp3': 'audio/mpeg',
  'audio/wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/x-m4a': 'audio/mp4',
  'audio/m4a': 'audio/mp4',
  'audio/x-aac': 'audio/aac',
  'audio/opus': 'audio/ogg',
  'application/ogg': 'audio/ogg',
  'video/x-matroska': 'video/matroska',
  'video/vnd.avi': 'video/x-msvideo',
  'video/x-m4v': 'video/mp4',
  'application/x-pdf': 'application/pdf',
  'text/json': 'application/json',
  'text/xml': 'application/xml',
  'application/x-yaml': 'application/yaml',
  'text/yaml': 'application/yaml',
  'text/x-yaml': 'application/yaml',
  'text/x-markdown': 'text/markdown',
};

/** Say nothing of what is inside. */
const UNSPECIFIC = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/x-download']);

/** Containers of sound as well as of moving pictures, whose first bytes do not say which. */
const AUDIO_IN: Readonly<Record<string, string>> = {
  'video/mp4': 'audio/mp4',
  'video/quicktime': 'audio/mp4',
  'video/webm': 'audio/webm',
  'video/matroska': 'audio/webm',
  'video/ogg': 'audio/ogg',
  'video/3gpp': 'audio/3gpp',
};

/** Containers of office documents: what was said is more precise than what the first bytes show. */
const DOCUMENT_CONTAINERS = new Set(['application/zip', 'application/x-cfb']);

const TEXT_TYPES = /^(?:text\/.+|application\/(?:json|xml|yaml|toml|javascript|sql|x-sh|.+\+(?:json|xml|yaml)))$/;

/** A MIME type without parameters, in its usual spelling; null: none, or one that says nothing. */
export const typeOf = (text: string | null | undefined): string | null => {
  const type = (text ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return UNSPECIFIC.has(type) ? null : (SAME_TYPE[type] ?? type);
};

/** By the extension of a file's name or a URL's path, or by an audio format such as `mp3`. */
export const typeOfName = (name: string | null): string | null => {
  const [, extension] = /(?:^|\.)([A-Za-z0-9]{1,5})$/.exec(name ?? '') ?? [];
  return (extension !== undefined && TYPE_OF_EXTENSION[extension.toLowerCase()]) || null;
};

export const kindOf = (type: string): MediaKind => {
  // Before the others: an SVG is XML, and an image all the same.
  const [family] = type.split('/', 1);
  if (family === 'image' || family === 'audio' || family === 'video') return family;
  if (type === 'application/pdf') return 'pdf';
  return TEXT_TYPES.test(type) ? 'text' : 'document';
};

/**
 * What a content is, by what was said of it and what its first bytes show. The bytes win, except over a text, of which
 * they show little, and over a more precise word for what is in a container.
 */
export const reconcile = (declared: string | null, sniffed: string | null): string | null => {
  if (sniffed === null || declared === null) return sniffed ?? declared;
  if (kindOf(sniffed) === 'text') return declared;
  if (kindOf(declared) === 'audio') return AUDIO_IN[sniffed] ?? sniffed;
  if (kindOf(declared) === 'document' && DOCUMENT_CONTAINERS.has(sniffed)) return declared;
  return sniffed;
};

/** The usual extension of a type, without a dot. */
export const extensionOf = (type: string): string =>
  Object.entries(TYPE_OF_EXTENSION).find(([, known]) => known === type)?.[0] ?? 'bin';

const AUDIO_FORMATS: Readonly<Record<string, string>> = { 'audio/mpeg': 'mp3', 'audio/mp4': 'm4a' };

/** OpenAI's word for a type of sound, such as `wav` or `mp3`. */
export const audioFormatOf = (type: string): string => AUDIO_FORMATS[type] ?? type.slice(type.indexOf('/') + 1);
