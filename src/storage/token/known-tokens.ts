import { GRANTABLE_SCOPES, type Scope } from '../../contract/scopes.js';
import type { Identity } from '../../platform/auth/identity.js';
import { hashToken } from '../../platform/auth/token-text.js';
import type { Secret } from '../../platform/secrets/secret.js';

export const ADMIN_TOKEN_ID = 'admin';
export const SERVICE_TOKEN_ID = 'service';

/** A token that is configured and not stored: the bootstrap admin token and the service token. */
export interface ConfiguredToken {
  id: string;
  sha256: string;
  scopes: readonly Scope[];
}

/** The tokens that hold without a database row. */
export class KnownTokens {
  readonly admin: ConfiguredToken;
  private readonly byHash: ReadonlyMap<string, Identity>;

  constructor(adminToken: Secret, serviceToken: Secret) {
    this.admin = { id: ADMIN_TOKEN_ID, sha256: hashToken(adminToken.reveal()), scopes: GRANTABLE_SCOPES };
    const service: ConfiguredToken = {
      id: SERVICE_TOKEN_ID,
      sha256: hashToken(serviceToken.reveal()),
      scopes: ['internal'],
    };
    this.byHash = new Map(
      [this.admin, service].map(({ id, sha256, scopes }) => [sha256, { tokenId: id, scopes: new Set(scopes) }]),
    );
  }

  find(sha256: string): Identity | null {
    return this.byHash.get(sha256) ?? null;
  }
}
