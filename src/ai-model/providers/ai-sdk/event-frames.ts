import { ProviderError } from '../provider-error.js';

/** A message of AWS's binary event stream. */
export interface Frame {
  /** All of it, as it came. */
  bytes: Buffer;
  /** Those that are texts. */
  headers: Readonly<Record<string, string>>;
  payload: Buffer;
}

/** As long as an event of any other stream may be. */
const MAX_FRAME_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;
/** The length of the frame, the length of its headers, and a checksum of both. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LEAST_FRAME_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;

const TEXT_TYPE = 7;
/** The bytes of a header's value by its type; the types that are not here begin with a length of two bytes. */
const SIZES: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

const UNREADABLE = 'an event of the stream has unreadable headers';

const broken = (message: string): ProviderError => new ProviderError('bad_answer', { message });

const lengthOf = (bytes: Buffer): number => {
  const length = bytes.readUInt32BE(0);
  if (length > MAX_FRAME_BYTES) throw broken(`an event of the stream is longer than ${MAX_FRAME_BYTES} bytes`);
  if (length < LEAST_FRAME_BYTES) throw broken('the stream holds something that is no event');
  return length;
};

/** Throws for what ends too early. */
const readHeaders = (bytes: Buffer): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const type = bytes.readUInt8(nameEnd);
    const fixed = SIZES[type];
    const start = nameEnd + (fixed === undefined ? 3 : 1);
    const end = start + (fixed ?? bytes.readUInt16BE(nameEnd + 1));
    if (type >= SIZES.length || end > bytes.length) throw broken(UNREADABLE);
    if (type === TEXT_TYPE) headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', start, end);
    at = end;
  }
  return headers;
};

/** The checksums are the library's to compare. */
const readFrame = (bytes: Buffer): Frame => {
  const headersEnd = PRELUDE_BYTES + bytes.readUInt32BE(LENGTH_BYTES);
  const payloadEnd = bytes.length - CHECKSUM_BYTES;
  if (headersEnd > payloadEnd) throw broken(UNREADABLE);
  try {
    const headers = readHeaders(bytes.subarray(PRELUDE_BYTES, headersEnd));
    return { bytes, headers, payload: bytes.subarray(headersEnd, payloadEnd) };
  } catch {
    throw broken(UNREADABLE);
  }
};

/** Cuts AWS's binary event stream into its messages, and holds back at most one. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private held = 0;
  private needed = LENGTH_BYTES;

  /** The frames that are complete now. Throws `bad_answer` for what cannot be one. */
  push(chunk: Buffer): Frame[] {
    this.pieces.push(chunk);
    this.held += chunk.length;
    if (this.held < this.needed) return [];
    let rest = this.pieces.length === 1 ? chunk : Buffer.concat(this.pieces);
    const frames: Frame[] = [];
    while (rest.length >= LENGTH_BYTES && rest.length >= lengthOf(rest)) {
      const length = lengthOf(rest);
      frames.push(readFrame(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    this.pieces = rest.length > 0 ? [rest] : [];
    this.held = rest.length;
    this.needed = rest.length < LENGTH_BYTES ? LENGTH_BYTES : lengthOf(rest);
    return frames;
  }

  /** Throws `bad_answer` when the stream broke off inside a frame. */
  end(): void {
    if (this.held > 0) throw broken('the stream broke off inside an event');
  }
}
