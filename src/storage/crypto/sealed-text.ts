import { OVERHEAD_BYTES } from '../../platform/secrets/aes-gcm.js';
import { isKeyId } from './key-ring.js';
import { decodeBase64Url } from './strict-base64.js';

/** A data key is as long as AES-256 wants it. */
export const DATA_KEY_BYTES = 32;

const PREFIX = 'hub1';
/** How every sealed text begins; the key id follows. */
export const SEALED_TEXT_START = `${PREFIX}.`;
const WRAPPED_KEY_BYTES = DATA_KEY_BYTES + OVERHEAD_BYTES;

/** The parts of a sealed text. Rotation replaces the first two and leaves the value as it is. */
export interface SealedParts {
  keyId: string;
  /** nonce | wrapped data key | tag */
  wrappedKey: Buffer;
  /** nonce | ciphertext | tag */
  value: Buffer;
}

export function formatSealedText({ keyId, wrappedKey, value }: SealedParts): string {
  return [PREFIX, keyId, wrappedKey.toString('base64url'), value.toString('base64url')].join('.');
}

/** Null for anything that `formatSealedText` would not write exactly so. */
export function parseSealedText(text: string): SealedParts | null {
  const [prefix, keyId = '', wrappedText = '', valueText = '', ...rest] = text.split('.', 5);
  if (prefix !== PREFIX || !isKeyId(keyId) || rest.length > 0) return null;
  const wrappedKey = decodeBase64Url(wrappedText);
  const value = decodeBase64Url(valueText);
  if (wrappedKey?.length !== WRAPPED_KEY_BYTES) return null;
  if (value === null || value.length < OVERHEAD_BYTES) return null;
  return { keyId, wrappedKey, value };
}
