import type { EntityManager } from 'typeorm';
import type { ChannelKind } from '../../contract/alert-channel.contract.js';
import type { Provider } from '../../contract/providers.js';
import { allowedOriginOf } from '../../platform/secrets/destination.js';
import { channelOriginOf } from '../alert-channel/channel-origin.js';
import { isKeyId } from './key-ring.js';
import { SEALED_TEXT_START } from './sealed-text.js';
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
        provider: row['provider'] as Provider,
        apiBase: row['api_base'] as string | null,
      }),
  },
  {
    table: 'alert_channels',
    id: 'id',
    fields: ['url', 'secret'],
    originColumns: ['kind', 'smtp_host', 'smtp_port'],
    allowedOriginOf: (row) =>
      channelOriginOf({
        kind: row['kind'] as ChannelKind,
        smtpHost: row['smtp_host'] as string | null,
        smtpPort: row['smtp_port'] as number | null,
      }),
  },
];

/** How many rows of a table have a text under this key; null: the text is not of our format. */
export interface KeyUse {
  table: string;
  keyId: string | null;
  rows: number;
}

/** The key that a text says it is sealed under, in SQL: anything may stand there when somebody else wrote it. */
export const claimedKeyIdIn = (text: string): string =>
  `CASE WHEN starts_with(${text}, '${SEALED_TEXT_START}') THEN split_part(${text}, '.', 2) END`;

const usesOf = ({ table, id, fields }: SealedTable): string => {
  const keys = fields.map(
    (field) => `SELECT ${id} AS id, ${claimedKeyIdIn(field)} AS key FROM ${table} WHERE ${field} IS NOT NULL`,
  );
  // UNION, and not UNION ALL: a row with two secrets under one key is one row.
  return `SELECT '${table}' AS "table", key AS "keyId", count(*)::int AS rows FROM (${keys.join(' UNION ')}) AS used GROUP BY key`;
};
const USES = SEALED_TABLES.map(usesOf).join(' UNION ALL ');

/** Which keys the stored secrets are sealed under. */
export const keyUses = async (manager: Pick<EntityManager, 'query'>): Promise<KeyUse[]> => {
  const found = await manager.query<KeyUse[]>(USES);
  const recognised = found.filter(({ keyId }) => keyId !== null && isKeyId(keyId));
  return [...recognised, ...unrecognised(found.filter((use) => !recognised.includes(use)))];
};

const unrecognised = (uses: readonly KeyUse[]): KeyUse[] =>
  SEALED_TABLES.map(({ table }) => ({
    table,
    keyId: null,
    rows: uses.filter((use) => use.table === table).reduce((sum, { rows }) => sum + rows, 0),
  })).filter(({ rows }) => rows > 0);
