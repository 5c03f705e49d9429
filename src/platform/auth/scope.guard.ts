import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import type { Identity } from './identity.js';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.js';
import { TokenVerifier } from './token-verifier.js';

const REALM = 'realm="AI Model Hub"';

const basicPassword = (credentials: string): string => {
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  return password;
};

/** The token of a request: `Authorization: Bearer`, under `/v1` also `x-api-key`; null: none was sent. */
const tokenOf = (request: FastifyRequest, access: RouteAccess): string | null => {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
    if (access.alsoBasic && /^basic$/i.test(scheme)) return basicPassword(credentials);
    return /^bearer$/i.test(scheme) ? credentials : '';
  }
  const key = request.headers['x-api-key'];
  return typeof key === 'string' && request.url.startsWith('/v1/') ? key : null;
};

const refusal = (code: 'token_missing' | 'token_invalid', access: RouteAccess): AppError =>
  new AppError(code, {
    headers: { 'www-authenticate': `${access.alsoBasic ? 'Basic' : 'Bearer'} ${REALM}` },
    detail:
      code === 'token_missing'
        ? 'Send a token: Authorization: Bearer <token>.'
        : 'The token is unknown, expired or revoked.',
  });

/** Lets a request through when its token has the scope that the matched route declares. */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly accesses = new Map<unknown, RouteAccess>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: TokenVerifier,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.accessOf(context);
    if (access.scope === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const token = tokenOf(request, access);
    if (token === null) throw refusal('token_missing', access);
    const identity = this.verifier.verify(token);
    // Not awaited when it is known at once: the calling path stays synchronous up to the provider.
    return identity instanceof Promise
      ? identity.then((found) => this.admit(found, access, request))
      : this.admit(identity, access, request);
  }

  /** Metadata never changes, and looking it up costs more than the rest of the guard. */
  private accessOf(context: ExecutionContext): RouteAccess {
    const handler = context.getHandler();
    const known = this.accesses.get(handler);
    if (known) return known;
    const access = this.reflector.getAllAndOverride<RouteAccess>(ROUTE_ACCESS, [handler, context.getClass()]);
    this.accesses.set(handler, access);
    return access;
  }

  private admit(identity: Identity | null, access: RouteAccess, request: FastifyRequest): boolean {
    if (!identity) throw refusal('token_invalid', access);
    if (access.scope !== 'any token' && access.scope !== 'public' && !identity.scopes.has(access.scope)) {
      throw new AppError('scope_missing', { detail: `This needs a token with scope ${access.scope}.` });
    }
    request.identity = identity;
    return true;
  }
}
