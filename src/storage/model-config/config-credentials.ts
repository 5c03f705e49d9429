import { Injectable } from '@nestjs/common';
import type { ModelConfigUpdate } from '../../contract/model-config.contract.js';
import {
  allowedOriginOf,
  isSameDestination,
  type SecretDestination,
  secretsRequired,
} from '../../platform/secrets/destination.js';
import { SealError } from '../crypto/seal-error.js';
import { SecretVault, type SealedField, type SecretOwner } from '../crypto/secret-vault.js';
import type { ModelConfigEntity } from './model-config.entity.js';

/** A config, as far as it decides where its secrets go. */
export interface Destination extends SecretDestination {
  id: string;
}

/** A config's stored secrets, read with their columns selected. */
export interface StoredSecrets {
  apiKey: string | null;
  authHeaders: string | null;
}

export interface OpenedCredentials {
  apiKey: string | null;
  authHeaders: Record<string, string> | null;
  /** False when one of them was stored but does not open. */
  readable: boolean;
}

const HINT_CHARACTERS = 4;
/** A short key shows less of itself: at most a quarter. */
const hintOf = (key: string): string => key.slice(-Math.min(HINT_CHARACTERS, Math.floor(key.length / 4)));

/** Seals what is written, opens what is read, and keeps a stored secret from following a changed address. */
@Injectable()
export class ConfigCredentials {
  constructor(private readonly vault: SecretVault) {}

  /**
   * The secret columns of a change. `before` is null when the config is new.
   * Throws `credential_required` when a stored secret would have to go to another place than it was entered for.
   */
  columnsFor(
    after: Destination,
    change: ModelConfigUpdate,
    before: (Destination & StoredSecrets) | null,
  ): Partial<ModelConfigEntity> {
    if (before && !isSameDestination(before, after)) refuseStoredSecrets(before, change);
    const columns: Partial<ModelConfigEntity> = {};
    const { api_key: key, auth_headers: headers } = change;
    if (key !== undefined && !this.vault.holds(before?.apiKey ?? null, key, ownerOf(after, 'api_key'))) {
      columns.apiKey = this.seal(key, after, 'api_key');
      columns.apiKeyHint = key === null ? null : hintOf(key);
      columns.apiKeyFingerprint = key === null ? null : this.vault.fingerprint(key);
    }
    const headersText = headers === undefined || headers === null ? headers : JSON.stringify(headers);
    const headersOwner = ownerOf(after, 'auth_headers');
    if (headersText !== undefined && !this.vault.holds(before?.authHeaders ?? null, headersText, headersOwner)) {
      columns.authHeaders = this.seal(headersText, after, 'auth_headers');
      columns.authHeaderNames = Object.keys(headers ?? {});
      columns.authHeadersFingerprint = headersText === null ? null : this.vault.fingerprint(headersText);
    }
    // What is entered anew may be right now; what is still wrong with it shows at the next use.
    if (key !== undefined || headers !== undefined) columns.credentialError = null;
    return columns;
  }

  /** Opens both secrets; one that does not open is a state of this config, not a failure of the caller's list. */
  open(config: Destination & StoredSecrets): OpenedCredentials {
    try {
      const apiKey = this.reveal(config.apiKey, config, 'api_key');
      const headers = this.reveal(config.authHeaders, config, 'auth_headers');
      return {
        apiKey,
        authHeaders: headers === null ? null : (JSON.parse(headers) as Record<string, string>),
        readable: true,
      };
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      return { apiKey: null, authHeaders: null, readable: false };
    }
  }

  private seal(plaintext: string | null, config: Destination, field: SealedField): string | null {
    return plaintext === null ? null : this.vault.seal(plaintext, ownerOf(config, field));
  }

  private reveal(sealed: string | null, config: Destination, field: SealedField): string | null {
    return sealed === null ? null : this.vault.open(sealed, ownerOf(config, field)).reveal();
  }
}

const ownerOf = (config: Destination, field: SealedField): SecretOwner => ({
  table: 'ai_model_configs',
  rowId: config.id,
  field,
  allowedOrigin: allowedOriginOf(config),
});

const refuseStoredSecrets = (stored: StoredSecrets, change: ModelConfigUpdate): void => {
  const missing = [
    ...(stored.apiKey !== null && change.api_key === undefined ? ['api_key'] : []),
    ...(stored.authHeaders !== null && change.auth_headers === undefined ? ['auth_headers'] : []),
  ];
  if (missing.length > 0) throw secretsRequired(missing);
};
