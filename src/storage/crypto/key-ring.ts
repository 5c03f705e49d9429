import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeAnyBase64 } from './strict-base64.js';

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const HOW_TO_MAKE_ONE = 'make one with: openssl rand -base64 32';

/** What else is derived from a ring key, apart from the wrapping of secrets. */
export type DerivedKeyLabel = 'audit' | 'snapshot' | 'cookie' | 'cache';

/** The key text cannot be used. The message never holds any part of a key, so it may be shown and logged. */
export class KeyRingError extends Error {
  override readonly name = 'KeyRingError';
}

/** Key ids stand between dots in a sealed text, so they have none themselves. */
export const isKeyId = (text: string): boolean => KEY_ID.test(text);

/** The keys of ENCRYPTION_KEYS: the first seals and opens, the others only open. */
export class KeyRing {
  // KeyObjects, because they print and serialise as nothing, and nobody can write into them.
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #derived = new Map<string, KeyObject>();

  private constructor(
    keys: ReadonlyMap<string, KeyObject>,
    readonly activeKeyId: string,
  ) {
    this.#keys = keys;
  }

  /** Reads `id:base64-of-32-bytes`, comma-separated; white space around the parts does not count. */
  static parse(text: string): KeyRing {
    if (text.trim() === '')
      throw new KeyRingError(`There is no key; expected id:base64-of-32-bytes, ${HOW_TO_MAKE_ONE}.`);
    const keys = new Map<string, KeyObject>();
    for (const [index, entry] of text.split(',').entries()) {
      const { id, key } = parseEntry(entry, index + 1);
      refuseRepetition(keys, id, key, index + 1);
      keys.set(id, key);
    }
    const [activeKeyId = ''] = keys.keys();
    return new KeyRing(keys, activeKeyId);
  }

  /** A ring of one new key, and the text to keep of it. The random part tells two keys of one day apart. */
  static generate(date = new Date()): { text: string; ring: KeyRing } {
    const day = date.toISOString().slice(0, 10).replaceAll('-', '');
    const id = `k${day}-${randomBytes(3).toString('hex')}`;
    const text = `${id}:${randomBytes(KEY_BYTES).toString('base64')}`;
    return { text, ring: KeyRing.parse(text) };
  }

  /** All key ids, the active one first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** Whether the other ring has the same keys in the same order. */
  equals(other: KeyRing): boolean {
    const others = [...other.#keys];
    return (
      others.length === this.#keys.size &&
      [...this.#keys].every(([id, key], index) => others[index]?.[0] === id && others[index][1].equals(key))
    );
  }

  /** The key that wraps data keys; the ring key itself never encrypts anything. */
  wrappingKey(keyId: string): KeyObject {
    return this.#deriveOnce('hub/wrap/v1', keyId);
  }

  /** A key for another purpose. With a key id for what was made under an earlier active key. */
  derive(label: DerivedKeyLabel, keyId = this.activeKeyId): KeyObject {
    return this.#deriveOnce(`hub/${label}/v1`, keyId);
  }

  #deriveOnce(info: string, keyId: string): KeyObject {
    const cacheKey = `${info} ${keyId}`;
    const derived = this.#derived.get(cacheKey) ?? this.#deriveNow(info, keyId);
    this.#derived.set(cacheKey, derived);
    return derived;
  }

  #deriveNow(info: string, keyId: string): KeyObject {
    const ringKey = this.#keys.get(keyId);
    if (ringKey === undefined) throw new KeyRingError('The ring has no key of the id asked for.');
    const bytes = Buffer.from(hkdfSync('sha256', ringKey, Buffer.alloc(0), info, KEY_BYTES));
    return toKeyObject(bytes);
  }
}

// Before the key half is proved good, messages give the position only: in `key:id`, the wrong way round, the "id" is
// key text.
function parseEntry(entry: string, position: number): { id: string; key: KeyObject } {
  const colon = entry.indexOf(':');
  if (colon < 0) throw new KeyRingError(`Key ${position} must be id:base64-of-32-bytes; it has no colon.`);
  const id = entry.slice(0, colon).trim();
  if (!isKeyId(id)) {
    throw new KeyRingError(
      `The id of key ${position} must be 1 to 32 of the characters A-Z a-z 0-9 _ -, then a colon.`,
    );
  }
  const bytes = decodeAnyBase64(entry.slice(colon + 1).trim());
  if (bytes === null) throw new KeyRingError(`Key ${position} is not canonical base64; ${HOW_TO_MAKE_ONE}.`);
  if (bytes.length !== KEY_BYTES) {
    const found = bytes.fill(0).length;
    throw new KeyRingError(`Key ${position} has ${found} bytes, not exactly ${KEY_BYTES}; ${HOW_TO_MAKE_ONE}.`);
  }
  if (bytes.every((byte) => byte === 0)) {
    throw new KeyRingError(`Key ${position} (id ${id}) is all zeros, not random; ${HOW_TO_MAKE_ONE}.`);
  }
  return { id, key: toKeyObject(bytes) };
}

// One key under two ids is refused too: then a key id swapped inside a sealed text always means another wrapping key.
function refuseRepetition(keys: ReadonlyMap<string, KeyObject>, id: string, key: KeyObject, position: number): void {
  if (keys.has(id)) throw new KeyRingError(`Key ${position} repeats the id ${id}; every key needs an id of its own.`);
  const twin = [...keys].find(([, known]) => known.equals(key));
  if (twin !== undefined) {
    throw new KeyRingError(`Key ${position} (id ${id}) is the same key as ${twin[0]}; ${HOW_TO_MAKE_ONE}.`);
  }
}

function toKeyObject(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
