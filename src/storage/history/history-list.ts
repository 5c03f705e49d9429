import type { EntityManager } from 'typeorm';
import type { HistoryEntry, HistoryKind, HistoryList, HistoryQuery } from '../../contract/history.contract.js';
import { contains } from '../database/like.js';

const DEFAULT_LIMIT = 100;

type Row = Omit<HistoryEntry, 'id' | 'revision' | 'changed_at'> & { id: string; revision: string; changed_at: Date };

const COLUMNS = `history.id, history.revision, history.changed_at, history.actor_id, token.name AS actor_name,
  history.request_id, history.kind, history.subject_id, history.subject_name, history.action, history.version,
  history.changes`;

/** Each filter's condition; `?` stands for its value. */
const CONDITIONS = {
  kind: 'history.kind = ?',
  action: 'history.action = ?',
  actor_id: 'history.actor_id = ?',
  subject_id: 'history.subject_id = ?',
  q: 'history.subject_name ILIKE ?',
  from: 'history.changed_at >= ?::timestamptz',
  to: 'history.changed_at < ?::timestamptz',
} as const;

const where = (query: HistoryQuery, kinds: readonly HistoryKind[]): { text: string; values: unknown[] } => {
  const values: unknown[] = [kinds];
  const conditions = ['history.kind = ANY($1)'];
  for (const [name, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, string][]) {
    const value = query[name];
    if (value === undefined) continue;
    values.push(name === 'q' ? contains(value) : value);
    conditions.push(condition.replace('?', `$${values.length}`));
  }
  return { text: conditions.join(' AND '), values };
};

/** One page and the number of all matches, newest first. */
export const listHistory = async (
  manager: EntityManager,
  query: HistoryQuery,
  kinds: readonly HistoryKind[],
): Promise<HistoryList> => {
  const page = { skip: query.skip ?? 0, limit: query.limit ?? DEFAULT_LIMIT };
  const { text, values } = where(query, kinds);
  const counted = await manager.query<{ total: string }[]>(
    `SELECT count(*) AS total FROM change_history AS history WHERE ${text}`,
    values,
  );
  const rows = await manager.query<Row[]>(
    `SELECT ${COLUMNS} FROM change_history AS history LEFT JOIN api_tokens AS token ON token.id::text = history.actor_id
     WHERE ${text} ORDER BY history.id DESC OFFSET ${page.skip} LIMIT ${page.limit}`,
    values,
  );
  return { entries: rows.map(toEntry), total: Number(counted[0]?.total ?? 0), ...page };
};

const toEntry = (row: Row): HistoryEntry => ({
  id: Number(row.id),
  revision: Number(row.revision),
  changed_at: row.changed_at.toISOString(),
  actor_id: row.actor_id,
  actor_name: row.actor_name,
  request_id: row.request_id,
  kind: row.kind,
  subject_id: row.subject_id,
  subject_name: row.subject_name,
  action: row.action,
  version: row.version,
  // jsonb has put the members in an order of its own.
  changes: row.changes.map(({ field, from, to }) => ({ field, from, to })),
});
