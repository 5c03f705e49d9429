import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Secret } from '../../platform/secrets/secret.js';
import type { KeyRingHolder } from './key-ring-holder.js';
import { SealError } from './seal-error.js';
import { keyIdOf, open, seal } from './sealed-secret.js';

/** 64 bits: no two secrets of an installation meet, and nothing of a secret can be computed from it. */
const FINGERPRINT_CHARACTERS = 16;

export type SealedField = 'api_key' | 'auth_headers' | 'url' | 'secret';

/** To whom a stored secret belongs and where it may be sent. */
export interface SecretOwner {
  table: string;
  rowId: string;
  field: SealedField;
  /** The origin of `api_base`, or `provider:<provider>` when that is null: a changed default locks nothing out. */
  allowedOrigin: string;
}

/** Seals and opens the secrets of rows with this process's key ring. */
@Injectable()
export class SecretVault {
  constructor(private readonly keys: KeyRingHolder) {}

  seal(plaintext: string, owner: SecretOwner): string {
    return seal(this.keys.current, plaintext, owner);
  }

  /**
   * The same for the same secret and useless without the ring: tells in a history whether two versions had one key.
   * Begins with the id of the key it was made with, since another key gives another text.
   */
  fingerprint(plaintext: string): string {
    const ring = this.keys.current;
    const digest = createHmac('sha256', ring.derive('audit')).update(plaintext).digest('hex');
    return `${ring.activeKeyId}:${digest.slice(0, FINGERPRINT_CHARACTERS)}`;
  }

  /** Throws a SealError when the text was changed, moved, or sealed under a key that is not in the ring. */
  open(sealed: string, owner: SecretOwner): Secret {
    return open(this.keys.forOpening(keyIdOf(sealed)), sealed, owner);
  }

  /** Whether a text holds this very secret for this very owner: then there is nothing to write. null: there is none. */
  holds(sealed: string | null, plaintext: string | null, owner: SecretOwner): boolean {
    if (plaintext === null || sealed === null) return plaintext === sealed;
    try {
      return this.open(sealed, owner).equals(Secret.of(plaintext));
    } catch (error) {
      if (error instanceof SealError) return false;
      throw error;
    }
  }
}
