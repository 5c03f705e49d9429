import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { decrypt, encrypt } from '../secrets/aes-gcm.js';
import { Secret } from '../secrets/secret.js';

/** What is kept of a session: nothing that opens anything without the browser's cookie. */
export interface StoredSession {
  /** SHA-256 (hex) of the id that is in the cookie. */
  idSha256: string;
  /** Opens the token in the cookie; 32 bytes. */
  key: Buffer;
  expiresAt: Date;
}

/** Where sessions are kept: by the storage service, for all processes. */
export interface SessionStore {
  save(session: StoredSession): Promise<void>;
  /** null: there is none, it is over, or it was idle for too long. */
  find(idSha256: string): Promise<StoredSession | null>;
  remove(idSha256: string): Promise<void>;
}

export const SESSION_COOKIE = 'hub_session';
/** Sent by the console with every request: a page of another origin cannot, so a cookie alone opens nothing. */
export const CONSOLE_HEADER = 'x-hub-console';

const HOUR = 60 * 60 * 1000;
export const SESSION_MILLISECONDS = 7 * 24 * HOUR;
const ID_BYTES = 32;
const KEY_BYTES = 32;
const COOKIE_FORM = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{39,1000})$/;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Cookie {
  id: string;
  sealed: Buffer;
}

const cookieOf = ({ headers }: Pick<FastifyRequest, 'headers'>): Cookie | null => {
  const found = new RegExp(`(?:^|; ?)(?:__Host-)?${SESSION_COOKIE}=([^;]*)`).exec(headers.cookie ?? '');
  const [, id, sealed] = COOKIE_FORM.exec(found?.[1] ?? '') ?? [];
  return id !== undefined && sealed !== undefined ? { id, sealed: Buffer.from(sealed, 'base64url') } : null;
};

/** Whether the console's own page sent it; browsers say where a request comes from, where the connection is safe. */
const isFromConsole = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  headers[CONSOLE_HEADER] === '1' && (headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin';

/**
 * Sessions of the console. The token that somebody signed in with travels in the cookie, sealed under a key that the server alone has:
 * the database holds no token, the browser none that can be read, and a session that is removed is over everywhere. A request with a
 * cookie becomes one with its token before anything else looks at it: expiry, revocation and scopes are those of the token.
 */
@Injectable()
export class Sessions {
  private store: SessionStore | null = null;

  /** Without a store there are no sessions, as in a process of the AI model service alone. */
  use(store: SessionStore): void {
    this.store = store;
  }

  /** Begins a session; answers what goes into the cookie. */
  async open(token: Secret): Promise<{ cookie: string; expiresAt: Date }> {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const key = randomBytes(KEY_BYTES);
    const expiresAt = new Date(Date.now() + SESSION_MILLISECONDS);
    await this.needStore().save({ idSha256: sha256(id), key, expiresAt });
    const sealed = encrypt(key, Buffer.from(token.reveal(), 'utf8'), Buffer.from(id));
    return { cookie: `${id}.${sealed.toString('base64url')}`, expiresAt };
  }

  /** Ends the session of a request, if it has one. */
  async end(request: Pick<FastifyRequest, 'headers'>): Promise<void> {
    const cookie = cookieOf(request);
    if (cookie) await this.store?.remove(sha256(cookie.id));
  }

  /**
   * Gives the request the token of its session. null: it has none, or brings a token itself. Fails with `session_expired`, or
   * `token_check_unavailable` when nobody can say.
   */
  admit(request: FastifyRequest): Promise<void> | null {
    if (!this.store || request.headers.cookie === undefined) return null;
    const { headers } = request;
    if (headers.authorization !== undefined || !isFromConsole(request)) return null;
    const cookie = cookieOf(request);
    return cookie ? this.translate(request, cookie, this.store) : null;
  }

  private async translate(request: FastifyRequest, { id, sealed }: Cookie, store: SessionStore): Promise<void> {
    const session = await store.find(sha256(id));
    const token = session && decrypt(session.key, sealed, Buffer.from(id));
    if (!token) throw new AppError('session_expired');
    request.headers.authorization = `Bearer ${token.toString('utf8')}`;
  }

  private needStore(): SessionStore {
    if (!this.store) throw new AppError('route_not_found');
    return this.store;
  }
}
