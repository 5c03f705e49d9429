/** Bytes that are looked at to tell what a content is. */
export const HEAD_BYTES = 65_536;

const HEAD_CHARACTERS = (HEAD_BYTES / 3 + 1) * 4;

/** Standard base64 with its padding and nothing else. One pass, and never back: the text may have 40 MB. */
export const isBase64 = (text: string): boolean => {
  if (text.length === 0 || text.length % 4 !== 0) return false;
  const end = text.search(/[^A-Za-z0-9+/]/);
  return end === -1 || (text.length - end <= 2 && text.slice(end) === '='.repeat(text.length - end));
};

/** How many bytes a valid base64 text stands for. */
export const decodedLength = (base64: string): number =>
  (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

/** The first bytes, up to {@link HEAD_BYTES}. */
export const decodeHead = (base64: string): Buffer =>
  Buffer.from(base64.slice(0, HEAD_CHARACTERS - (HEAD_CHARACTERS % 4)), 'base64').subarray(0, HEAD_BYTES);

export interface DataUrl {
  /** As it was written, with parameters; '': none. */
  type: string;
  base64: string;
}

const LONGEST_HEADER = 300;

/** Whether a text means to be a data URL. */
export const isDataUrl = (text: string): boolean => /^data:/i.test(text);

/** Takes a data URL in base64 apart; null: it is broken, or not in base64. */
export const readDataUrl = (text: string): DataUrl | null => {
  const comma = text.slice(0, LONGEST_HEADER).indexOf(',');
  const [, type] = /^data:([^,]*?);base64$/i.exec(text.slice(0, Math.max(0, comma))) ?? [];
  if (type === undefined || !/^(?:[\w.+-]+\/[\w.+-]+(?:;[^;,]+)*)?$/.test(type)) return null;
  const base64 = text.slice(comma + 1);
  return isBase64(base64) ? { type, base64 } : null;
};
