import type { EntityManager } from 'typeorm';
import type { Provider } from '../../contract/providers.js';
import { allowedOriginOf } from '../model-config/config-credentials.js';
import type { SealedField } from './secret-vault.js';

type Row = Readonly<Record<string, unknown>>;

/** A table with sealed columns. The names go into SQL as they are. */
export interface SealedTable {
  table: string;
  /** The column with a row's id, a uuid. */
  id: string;
  /** The sealed columns; each is named as the field it is sealed for. */
  fields: readonly SealedField[];
  /** The columns that tell where the secrets of a row may be sent. */
  originColumns: readonly string[];
  allowedOriginOf(row: Row): string;
}

/**
 * Every table with sealed columns: what is not in here is neither counted nor rewrapped, and its keys could be removed.
 * The database itself refuses rows under a removed key where the table has the trigger `key_in_ring`, which belongs to
 * the migration that adds the columns.
 */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    table: 'ai_model_configs',
    id: 'id',
    fields: ['api_key', 'auth_headers'],
    originColumns: ['provider', 'api_base'],
    allowedOriginOf: (row) =>
      allowedOriginOf({
        id: String(row['id']),
        provider: row['provider'] as Provider,
        apiBase: row['api_base'] as string | null,
      }),
  },
];

/** How many rows of a table have a text under this key; null: the text is not of our format. */
export interface KeyUse {
  table: string;
  keyId: string | null;
  rows: number;
}

const KEY_ID = '^hub1[.]([A-Za-z0-9_-]{1,32})[.]';
/** The key that a text says it is sealed under, in SQL; whatever follows may be damaged. */
export const KEY_ID_OF = (text: string): string => `substring(${text} FROM '${KEY_ID}')`;
/** The same of a text at hand; null: it is not of our format. */
export const claimedKeyIdOf = (text: string): string | null => new RegExp(KEY_ID).exec(text)?.[1] ?? null;

const usesOf = ({ table, id, fields }: SealedTable): string => {
  const texts = fields.map((field) => `SELECT ${id} AS id, ${field} AS text FROM ${table} WHERE ${field} IS NOT NULL`);
  return `SELECT '${table}' AS "table", ${KEY_ID_OF('text')} AS "keyId", count(DISTINCT id)::int AS rows
    FROM (${texts.join(' UNION ALL ')}) AS texts GROUP BY 2`;
};
const USES = SEALED_TABLES.map(usesOf).join(' UNION ALL ');

/** Which keys the stored secrets are sealed under. */
export const keyUses = (manager: Pick<EntityManager, 'query'>): Promise<KeyUse[]> => manager.query<KeyUse[]>(USES);
