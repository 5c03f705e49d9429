import type { Scope } from '../../contract/scopes.js';

/** Metadata key under which a route says what it needs. */
export const ROUTE_ACCESS = 'hub:route-access';

/** What a route needs: nothing, any valid token, or one with a scope; of several scopes one will do. */
export interface RouteAccess {
  scope: readonly Scope[] | 'public' | 'any token';
  /** A browser may send the token as the password of HTTP Basic: for pages that have no form to enter it. */
  alsoBasic?: boolean;
}
