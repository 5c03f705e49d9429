import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { AuthFailures } from './auth-failures.js';
import type { Identity } from './identity.js';
import { refuseToken, tokenOf } from './request-token.js';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.js';
import { TokenVerifier } from './token-verifier.js';

/** Lets a request through when its token has the scope that the matched route declares. */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly accesses = new Map<unknown, { controller: unknown; access: RouteAccess }>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: TokenVerifier,
    private readonly failures: AuthFailures,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.accessOf(context);
    if (access.scope === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    // Some routes know their caller before they read his body.
    if (request.identity) return this.admit(request.identity, access, request);
    const token = tokenOf(request, access);
    if (token === null) throw refuseToken('token_missing', access);
    const identity = this.verifier.verify(token);
    // Not awaited when it is known at once: the calling path stays synchronous up to the provider.
    return identity instanceof Promise
      ? identity.then((found) => this.admit(found, access, request))
      : this.admit(identity, access, request);
  }

  /** Metadata never changes, and looking it up costs more than the rest of the guard. */
  private accessOf(context: ExecutionContext): RouteAccess {
    const handler = context.getHandler();
    const controller = context.getClass();
    const known = this.accesses.get(handler);
    if (known?.controller === controller) return known.access;
    const access = this.reflector.getAllAndOverride<RouteAccess>(ROUTE_ACCESS, [handler, controller]);
    this.accesses.set(handler, { controller, access });
    return access;
  }

  private admit(identity: Identity | null, access: RouteAccess, request: FastifyRequest): boolean {
    if (!identity) throw this.failures.refuse(request, access);
    if (typeof access.scope !== 'string' && !access.scope.some((scope) => identity.scopes.has(scope))) {
      throw new AppError('scope_missing', { detail: `This needs a token with scope ${access.scope.join(' or ')}.` });
    }
    request.identity = identity;
    return true;
  }
}
