/** What a token may do. `internal` is for the service token between the two services and can never be granted. */
export const GRANTABLE_SCOPES = [
  'models:read',
  'models:write',
  'prompts:read',
  'prompts:write',
  'usage:read',
  'alerts:read',
  'alerts:write',
  'invoke',
  'admin',
] as const;

export type GrantableScope = (typeof GRANTABLE_SCOPES)[number];
export type Scope = GrantableScope | 'internal';
