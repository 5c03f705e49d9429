import { Injectable } from '@nestjs/common';
import type { Secret } from '../../platform/secrets/secret.js';
import type { KeyRing } from './key-ring.js';
import { open, seal } from './sealed-secret.js';

export type SealedField = 'api_key' | 'auth_headers';

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
  constructor(private readonly ring: KeyRing) {}

  seal(plaintext: string, owner: SecretOwner): string {
    return seal(this.ring, plaintext, owner);
  }

  /** Throws a SealError when the text was changed, moved, or sealed under a key that is not in the ring. */
  open(sealed: string, owner: SecretOwner): Secret {
    return open(this.ring, sealed, owner);
  }
}
