import { createHash, hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_CHARACTERS = 43; // 43 base62 characters carry 256 bits
const CHECKSUM_CHARACTERS = 6;
const FORM = /^hub_(?:api|admin|service)_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/;

export type TokenKind = 'api' | 'admin' | 'service';

const randomBase62 = (length: number): string => {
  let text = '';
  while (text.length < length) {
    // Bytes from 248 on are thrown away: 256 is no multiple of 62, and the first letters would come up more often.
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += BASE62[byte % 62];
  }
  return text;
};

const checksumOf = (text: string): string => {
  let rest = crc32(text);
  let checksum = '';
  for (let index = 0; index < CHECKSUM_CHARACTERS; index += 1) {
    checksum = BASE62[rest % 62] + checksum;
    rest = Math.floor(rest / 62);
  }
  return checksum;
};

/** `hub_<kind>_<id>_<43 base62 characters><6 of CRC-32>`: found by secret scanners, and a typing error shows. */
export const generateToken = (kind: TokenKind): { text: string; prefix: string } => {
  const prefix = `hub_${kind}_${randomBase62(8)}`;
  const body = `${prefix}_${randomBase62(SECRET_CHARACTERS)}`;
  return { text: body + checksumOf(body), prefix };
};

/** True for a text of the form above with a right checksum. Tokens set by the operator need not have it. */
export const isWellFormedToken = (text: string): boolean =>
  FORM.test(text) && checksumOf(text.slice(0, -CHECKSUM_CHARACTERS)) === text.slice(-CHECKSUM_CHARACTERS);

/** What any token looks like, also one that the operator made up for `ADMIN_TOKEN`: 32 to 256 printable characters. */
export const mayBeToken = (text: string): boolean => /^[\x21-\x7e]{32,256}$/.test(text);

/**
 * SHA-256 in hex: what is stored and compared instead of a token. No stretching: 256 random bits need none, and a slow
 * hash would be a denial of service on ourselves. Looking the digest up cannot leak the token by its timing.
 */
export const hashToken: (text: string) => string =
  typeof hash === 'function'
    ? (text) => hash('sha256', text, 'hex')
    : (text) => createHash('sha256').update(text).digest('hex');
