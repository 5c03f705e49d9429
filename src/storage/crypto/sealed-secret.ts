import { randomBytes } from 'node:crypto';
import { Secret } from '../../platform/secrets/secret.js';
import { decrypt, encrypt } from '../../platform/secrets/aes-gcm.js';
import type { KeyRing } from './key-ring.js';
import { SealError } from './seal-error.js';
import { DATA_KEY_BYTES, formatSealedText, parseSealedText } from './sealed-text.js';
import type { SealedParts } from './sealed-text.js';

/** Where a sealed text belongs. It opens there and nowhere else; change one part and it must be entered again. */
export interface SealIdentity {
  table: string;
  rowId: string;
  field: string;
  /** The origin a key may be sent to; null for what is sent nowhere. */
  allowedOrigin: string | null;
}

/**
 * Seals a text under a data key of its own, wrapped by a key of the ring (the active one):
 * `hub1.<key id>.<b64u(nonce|wrapped key|tag)>.<b64u(nonce|ciphertext|tag)>`. The format is frozen for ever.
 */
export function seal(ring: KeyRing, plaintext: string, identity: SealIdentity, keyId = ring.activeKeyId): string {
  const bytes = Buffer.from(plaintext, 'utf8');
  const dataKey = randomBytes(DATA_KEY_BYTES);
  try {
    // UTF-8 has no lone surrogates: another text than the given one would be kept.
    if (bytes.toString('utf8') !== plaintext) throw new SealError('malformed', 'The text is not well-formed Unicode.');
    const value = encrypt(dataKey, bytes, valueData(identity));
    return formatSealedText({ ...wrapDataKey(ring, keyId, dataKey, identity), value });
  } finally {
    dataKey.fill(0);
    bytes.fill(0);
  }
}

/** The text that was sealed for this very identity; everything else is a `SealError`. */
export function open(ring: KeyRing, sealed: string, identity: SealIdentity): Secret {
  const parts = parseSealedText(sealed);
  if (parts === null) throw new SealError('malformed');
  const dataKey = unwrapDataKey(ring, parts, identity);
  try {
    const bytes = decrypt(dataKey, parts.value, valueData(identity));
    if (bytes === null) throw new SealError('not_authentic');
    return Secret.adopt(bytes);
  } finally {
    dataKey.fill(0);
  }
}

/** The same secret under the active key: its data key is wrapped anew, the value stays as it is. Throws as `open` does. */
export function rewrap(ring: KeyRing, sealed: string, identity: SealIdentity): string {
  const parts = parseSealedText(sealed);
  if (parts === null) throw new SealError('malformed');
  const dataKey = unwrapDataKey(ring, parts, identity);
  try {
    return formatSealedText({ ...wrapDataKey(ring, ring.activeKeyId, dataKey, identity), value: parts.value });
  } finally {
    dataKey.fill(0);
  }
}

/** The id of the key a text is sealed under, null for a text that is not of our format. Proves nothing more. */
export function keyIdOf(sealed: string): string | null {
  return parseSealedText(sealed)?.keyId ?? null;
}

// Neither associated data holds the key id: the format is fixed without it, and the value must stay valid when rotation
// wraps its data key anew. A swapped id fails all the same, since it names another wrapping key: the ring refuses the
// same key under two ids.
function wrapDataKey(
  ring: KeyRing,
  keyId: string,
  dataKey: Buffer,
  identity: SealIdentity,
): Omit<SealedParts, 'value'> {
  return { keyId, wrappedKey: encrypt(ring.wrappingKey(keyId), dataKey, wrapData(identity)) };
}

function unwrapDataKey(ring: KeyRing, { keyId, wrappedKey }: SealedParts, identity: SealIdentity): Buffer {
  if (!ring.has(keyId)) throw new SealError('unknown_key');
  const dataKey = decrypt(ring.wrappingKey(keyId), wrappedKey, wrapData(identity));
  if (dataKey === null) throw new SealError('not_authentic');
  return dataKey;
}

// An array of fixed length has one spelling only in JSON, whatever dots, quotes or brackets its parts contain.
function wrapData({ table, rowId, field, allowedOrigin }: SealIdentity): Buffer {
  return Buffer.from(JSON.stringify(['hub', 1, table, rowId, field, allowedOrigin]), 'utf8');
}

// The added word keeps the two blobs from standing in for each other.
function valueData(identity: SealIdentity): Buffer {
  return Buffer.concat([wrapData(identity), Buffer.from('value', 'utf8')]);
}
