import { createSecretKey, randomBytes, scrypt, type KeyObject } from 'node:crypto';
import { isPlainObject } from '../../contract/fields.js';
import { AppError, invalidFields } from '../../platform/errors/app-error.js';
import { Turnstile } from '../../platform/limits/turnstile.js';
import { decrypt, encrypt } from '../../platform/secrets/aes-gcm.js';

/** How the secrets of a document are sealed; stands in the document, so that it can be opened anywhere. */
export interface Sealing {
  kdf: 'scrypt';
  n: number;
  r: number;
  p: number;
  /** base64url */
  salt: string;
  /** A known text, sealed: tells a wrong passphrase from a changed document. */
  check: string;
  /** Secrets that could not be opened here and are left out, as `alias.field`. */
  not_sealed: string[];
}

/** Where a sealed secret belongs: moved to another model, field or address it does not open. */
export interface SealedPlace {
  alias: string;
  field: string;
  /** See `allowedOriginOf`: a changed address in the document must not get the key. */
  allowedOrigin: string;
}

// The parameters are fixed: a document from outside could ask for so much memory that the process dies of it.
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
/** 128 · N · r bytes, and a little. */
const MAX_MEMORY = 160 * 1024 * 1024;
const KEY_BYTES = 32;
const SALT_BYTES = 32;
const CHECK_TEXT = 'ai-model-hub';

/** Each takes a third of a second of a processor and 128 MB: one at a time, and few that wait. */
const turnstile = new Turnstile('Deriving a key from a passphrase', 3);

const deriveKey = (passphrase: string, salt: Buffer): Promise<KeyObject> =>
  turnstile.pass(
    () =>
      new Promise((resolve, reject) => {
        // The same letters can be typed in several ways.
        const text = passphrase.normalize('NFKC');
        scrypt(text, salt, KEY_BYTES, { ...COST, maxmem: MAX_MEMORY }, (error, bytes) => {
          if (error) return reject(error);
          resolve(createSecretKey(bytes));
          bytes.fill(0);
        });
      }),
  );

const associatedData = (...place: string[]): Buffer => Buffer.from(JSON.stringify(['hub', 1, 'export', ...place]));
const dataOf = ({ alias, field, allowedOrigin }: SealedPlace): Buffer => associatedData(alias, field, allowedOrigin);

/** Seals and opens the secrets of one document. */
export class DocumentSeal {
  private constructor(
    private readonly key: KeyObject,
    private readonly salt: Buffer,
  ) {}

  static async create(passphrase: string): Promise<DocumentSeal> {
    const salt = randomBytes(SALT_BYTES);
    return new DocumentSeal(await deriveKey(passphrase, salt), salt);
  }

  /** Throws `passphrase_wrong`. */
  static async open(sealing: Sealing, passphrase: string): Promise<DocumentSeal> {
    const salt = Buffer.from(sealing.salt, 'base64url');
    const seal = new DocumentSeal(await deriveKey(passphrase, salt), salt);
    const text = decrypt(seal.key, Buffer.from(sealing.check, 'base64url'), associatedData());
    if (text?.toString('utf8') !== CHECK_TEXT) {
      throw new AppError('passphrase_wrong', { fields: [{ field: 'passphrase', message: 'passphrase is wrong' }] });
    }
    return seal;
  }

  describe(notSealed: string[]): Sealing {
    const { N: n, r, p } = COST;
    const check = encrypt(this.key, Buffer.from(CHECK_TEXT), associatedData()).toString('base64url');
    return { kdf: 'scrypt', n, r, p, salt: this.salt.toString('base64url'), check, not_sealed: notSealed };
  }

  seal(plaintext: string, place: SealedPlace): string {
    return encrypt(this.key, Buffer.from(plaintext, 'utf8'), dataOf(place)).toString('base64url');
  }

  /** null: it was changed, or sealed for another place. */
  open(sealed: string, place: SealedPlace): string | null {
    return decrypt(this.key, Buffer.from(sealed, 'base64url'), dataOf(place))?.toString('utf8') ?? null;
  }
}

const BASE64URL = /^[A-Za-z0-9_-]{16,200}$/;
const isText = (value: unknown): value is string => typeof value === 'string' && BASE64URL.test(value);

/** The sealing of a document that was read. Throws `validation_failed`. */
export const readSealing = (value: unknown): Sealing => {
  const { kdf, n, r, p, salt, check } = isPlainObject(value) ? value : {};
  const isKnown = kdf === 'scrypt' && n === COST.N && r === COST.r && p === COST.p && isText(salt) && isText(check);
  if (isKnown) return { kdf, n, r, p, salt, check, not_sealed: [] };
  const message = `sealing must be as an export writes it: kdf scrypt, n ${COST.N}, r ${COST.r}, p ${COST.p}, salt and check`;
  throw invalidFields({ field: 'sealing', message });
};
