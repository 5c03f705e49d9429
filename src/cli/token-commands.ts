import { randomUUID } from 'node:crypto';
import { TOKENS_PATH } from '../contract/paths.js';
import type { CreatedToken, TokenList, TokenView } from '../contract/token.contract.js';
import type { HubClient } from './hub-client.js';
import { table, type Terminal } from './terminal.js';

const PAGE = 1000;

export interface NewToken {
  name: string;
  scope: string[];
  expires?: string;
}

/** `hub token create`: the text is a result, and the only time it is shown. */
export const createToken = async (
  hub: HubClient,
  terminal: Terminal,
  { name, scope, expires }: NewToken,
): Promise<void> => {
  const body = { name, scopes: scope, ...(expires !== undefined && { expires_at: expires }) };
  const created = await hub.json<CreatedToken>({
    method: 'POST',
    path: TOKENS_PATH,
    body,
    idempotencyKey: randomUUID(),
  });
  terminal.note(`Created ${created.id} for ${created.name}. The token is shown this once:`);
  terminal.result(created.token, created);
};

const stateOf = ({ revoked_at: revoked, expires_at: expires }: TokenView): string => {
  if (revoked !== null) return `revoked ${revoked}`;
  return expires === null ? '' : `until ${expires}`;
};

/** `hub token list` */
export const listTokens = async (hub: HubClient, terminal: Terminal): Promise<void> => {
  const tokens: TokenView[] = [];
  for (let skip = 0, total = 1; skip < total; skip += PAGE) {
    const page = await hub.json<TokenList>({ path: TOKENS_PATH, query: { skip, limit: PAGE } });
    tokens.push(...page.tokens);
    ({ total } = page);
  }
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.scopes.join(','),
    token.last_used_at ?? 'never',
    stateOf(token),
  ]);
  terminal.result(table([['id', 'name', 'scopes', 'last used', ''], ...rows]), { tokens });
};

/** `hub token revoke` */
export const revokeToken = async (hub: HubClient, terminal: Terminal, id: string): Promise<void> => {
  await hub.text({ method: 'DELETE', path: `${TOKENS_PATH}/${encodeURIComponent(id)}` });
  terminal.result(`Revoked ${id}.`, { id, revoked: true });
};
