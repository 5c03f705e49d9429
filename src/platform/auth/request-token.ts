import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../errors/app-error.js';

const REALM = 'realm="AI Model Hub"';

export interface TokenOptions {
  /** A browser may send the token as the password of HTTP Basic. */
  alsoBasic?: boolean;
}

const basicPassword = (credentials: string): string => {
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  return password;
};

/** The token of a request: `Authorization: Bearer`, under `/v1` also `x-api-key`; null: none was sent. */
export const tokenOf = (
  request: { headers: IncomingHttpHeaders; url?: string | undefined },
  { alsoBasic }: TokenOptions = {},
): string | null => {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
    if (alsoBasic && /^basic$/i.test(scheme)) return basicPassword(credentials);
    return /^bearer$/i.test(scheme) ? credentials : '';
  }
  const key = request.headers['x-api-key'];
  return typeof key === 'string' && request.url?.startsWith('/v1/') ? key : null;
};

/** 401, with the challenge that HTTP asks for. */
export const refuseToken = (code: 'token_missing' | 'token_invalid', { alsoBasic }: TokenOptions = {}): AppError =>
  new AppError(code, {
    headers: { 'www-authenticate': `${alsoBasic ? 'Basic' : 'Bearer'} ${REALM}` },
    detail:
      code === 'token_missing'
        ? 'Send a token: Authorization: Bearer <token>.'
        : 'The token is unknown, expired or revoked.',
  });
