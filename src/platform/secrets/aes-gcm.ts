import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What encryption adds to a text: nonce and tag. */
export const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** AES-256-GCM as nonce|ciphertext|tag. The nonce is made here and taken from nobody: one repetition breaks GCM. */
export function encrypt(key: KeyObject | Buffer, plaintext: Buffer, associatedData: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]);
}

/** The plaintext, or null if it is not authentic. */
export function decrypt(key: KeyObject | Buffer, blob: Buffer, associatedData: Buffer): Buffer | null {
  // Without the exact lengths Node 20 accepts tags of 4 bytes, and those can be guessed.
  if (blob.length < OVERHEAD_BYTES) return null;
  const nonce = blob.subarray(0, NONCE_BYTES);
  const ciphertext = blob.subarray(NONCE_BYTES, blob.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  // GCM is a stream mode: update() gives all of the text, not yet authentic, and final() only checks the tag.
  const unverified = decipher.update(ciphertext);
  try {
    decipher.final();
    return unverified;
  } catch {
    unverified.fill(0);
    return null;
  }
}
