import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../platform/secrets/secret.js';

const BYTES = 32;
const HOUR = 60 * 60 * 1000;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The link that the first start prints: it signs in once, within an hour, as the administrator. */
export class SignInCode {
  readonly text = randomBytes(BYTES).toString('base64url');
  private readonly until = Date.now() + HOUR;
  private isUsed = false;

  constructor(private readonly adminToken: Secret) {}

  /** The token it stands for; null: it is another one, too old, or was used. */
  redeem(code: string): Secret | null {
    if (!timingSafeEqual(sha256(code), sha256(this.text)) || this.isUsed || Date.now() > this.until) return null;
    this.isUsed = true;
    return this.adminToken;
  }
}
