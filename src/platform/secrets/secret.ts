import { createHash, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that must not reach a log, an answer or an error by accident. Only `reveal()` gives it out, so a search for
 * that word finds every place where it happens.
 */
export class Secret {
  // A Buffer, because strings cannot be wiped; `#`, because neither JSON nor a debugger-style dump can see such a field.
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Refuses lone surrogates: UTF-8 cannot hold them, so `reveal()` would quietly return another text. */
  static of(text: string): Secret {
    // Not Buffer.from(text): that would place the value in a slab which other small buffers share through `.buffer`.
    const bytes = Buffer.alloc(Buffer.byteLength(text, 'utf8'));
    bytes.write(text, 'utf8');
    if (bytes.toString('utf8') !== text) throw new TypeError('A secret must be well-formed Unicode text.');
    return new Secret(bytes);
  }

  /** Takes the buffer over, without a copy: the caller must not use it afterwards. The bytes must be valid UTF-8. */
  static adopt(bytes: Buffer): Secret {
    return new Secret(bytes);
  }

  /** The value itself. Keep the result as short as possible and never put it in a message. */
  reveal(): string {
    return this.#bytes.toString('utf8');
  }

  /** In constant time; digests, because `timingSafeEqual` throws on unequal lengths and would so tell the length. */
  equals(other: Secret): boolean {
    return timingSafeEqual(digestOf(this.#bytes), digestOf(other.#bytes));
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

const digestOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
