import { createHmac, type KeyObject } from 'node:crypto';
import { decrypt, encrypt } from '../../platform/secrets/aes-gcm.js';

const MAGIC = Buffer.from('hub-lkg\n');
/** Goes up when a process could misread what an older one has written. */
const FORMAT = 1;
const FORMAT_AT = MAGIC.length;
const REVISION_AT = FORMAT_AT + 2;
const SAVED_AT = REVISION_AT + 8;
const KEY_MARK_AT = SAVED_AT + 8;
const KEY_MARK_BYTES = 8;
/** Magic, format, revision, time, mark of the key. */
export const HEADER_BYTES = KEY_MARK_AT + KEY_MARK_BYTES;

/** What can be read without a key; authentic once the text behind it was opened. */
export interface SnapshotHeader {
  revision: number;
  /** Milliseconds since 1970. */
  savedAt: number;
  /** Of the key that sealed it. */
  keyMark: string;
}

/** Why a file is not used. */
export type SealProblem = 'empty' | 'foreign' | 'format' | 'key' | 'damaged';

/** Tells keys apart without saying anything about them. */
export const keyMarkOf = (key: KeyObject): string =>
  createHmac('sha256', key).update('mark').digest().toString('hex', 0, KEY_MARK_BYTES);

const writeHeader = ({ revision, savedAt, keyMark }: SnapshotHeader): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16BE(FORMAT, FORMAT_AT);
  header.writeBigUInt64BE(BigInt(revision), REVISION_AT);
  header.writeBigUInt64BE(BigInt(savedAt), SAVED_AT);
  header.write(keyMark, KEY_MARK_AT, 'hex');
  return header;
};

/** The header of a file, or why it has none. */
export const readHeader = (file: Buffer): SnapshotHeader | SealProblem => {
  if (file.length === 0) return 'empty';
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) return 'foreign';
  if (file.length < HEADER_BYTES) return 'damaged';
  if (file.readUInt16BE(FORMAT_AT) !== FORMAT) return 'format';
  return {
    revision: Number(file.readBigUInt64BE(REVISION_AT)),
    savedAt: Number(file.readBigUInt64BE(SAVED_AT)),
    keyMark: file.toString('hex', KEY_MARK_AT, HEADER_BYTES),
  };
};

/** `header|nonce|ciphertext|tag`, AES-256-GCM with the header as associated data. */
export const sealSnapshot = (key: KeyObject, revision: number, content: Buffer): Buffer => {
  const header = writeHeader({ revision, savedAt: Date.now(), keyMark: keyMarkOf(key) });
  return Buffer.concat([header, encrypt(key, content, header)]);
};

/** The content, authentic to the last bit, or why it is not to be had. */
export const openSnapshot = (
  keys: readonly KeyObject[],
  file: Buffer,
): { header: SnapshotHeader; content: Buffer } | SealProblem => {
  const header = readHeader(file);
  if (typeof header === 'string') return header;
  const key = keys.find((one) => keyMarkOf(one) === header.keyMark);
  if (!key) return 'key';
  const content = decrypt(key, file.subarray(HEADER_BYTES), file.subarray(0, HEADER_BYTES));
  return content ? { header, content } : 'damaged';
};
