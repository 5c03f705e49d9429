import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiForbiddenResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { Scope } from '../../contract/scopes.js';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.js';
import { ScopeGuard } from './scope.guard.js';

type RouteDecorator = MethodDecorator & ClassDecorator;

/**
 * The scope a route or a whole controller needs; of several one will do, and what it opens is the handler's to narrow. It brings the guard along, so that a declared scope is always
 * enforced; that every route declares one is checked at start.
 */
export const RequireScope = (...scope: [Scope, ...Scope[]]): RouteDecorator => guarded({ scope });

/** Any valid token will do. */
export const RequireToken = (options: { alsoBasic?: boolean } = {}): RouteDecorator =>
  guarded({ scope: 'any token', ...options });

/** No token needed: for health alone. */
export const PublicRoute = (): RouteDecorator => SetMetadata(ROUTE_ACCESS, { scope: 'public' } satisfies RouteAccess);

const guarded = (access: RouteAccess): RouteDecorator =>
  applyDecorators(
    SetMetadata(ROUTE_ACCESS, access),
    UseGuards(ScopeGuard),
    ApiBearerAuth('token'),
    ApiUnauthorizedResponse({ description: '`token_missing`, `token_invalid`' }),
    ApiForbiddenResponse({ description: '`scope_missing`' }),
  );
