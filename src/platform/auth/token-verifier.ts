import type { Identity } from './identity.js';

/**
 * Port: tells whose token this is. The storage service asks PostgreSQL, the AI model service its directory.
 *
 * Answers `null` for a token that does not exist, is expired or revoked. Throws `token_check_unavailable` when a
 * well-formed token is not known and the source cannot be asked: nobody unknown ever gets in.
 */
export abstract class TokenVerifier {
  abstract verify(token: string): Identity | null | Promise<Identity | null>;
}
