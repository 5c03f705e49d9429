import type { EntityManager } from 'typeorm';

const FIND = 'SELECT id::text AS id, name FROM api_tokens WHERE id::text = ANY ($1::text[])';

/** Names of tokens by their ids; one that is configured and not stored has none here. */
export const tokenNames = async (
  manager: EntityManager,
  ids: readonly (string | null)[],
): Promise<ReadonlyMap<string, string>> => {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (wanted.length === 0) return new Map();
  const rows = await manager.query<{ id: string; name: string }[]>(FIND, [wanted]);
  return new Map(rows.map(({ id, name }) => [id, name]));
};
