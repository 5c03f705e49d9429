import type { EntityManager } from 'typeorm';
import { changesBetween } from '../../contract/history.contract.js';
import type { Author } from '../../platform/auth/author.js';
import type { ChangeRecord } from '../database/transaction.js';

const INSERT = `INSERT INTO change_history
    (revision, actor_id, request_id, kind, subject_id, subject_name, action, version, changes, state)
  SELECT $1, $2, $3, kind, subject_id, subject_name, action, version, changes, state
  FROM jsonb_to_recordset($4::jsonb) AS record (kind text, subject_id text, subject_name text, action text,
    version integer, changes jsonb, state jsonb)`;

interface Written {
  author: Author;
  revision: number;
  records: readonly ChangeRecord[];
}

/** An import of thousands in one statement would take longer than a statement may. */
const RECORDS_AT_ONCE = 500;

/** Writes what was changed, in the transaction of the change. */
export const writeHistory = async (manager: EntityManager, { author, revision, records }: Written): Promise<void> => {
  const rows = records.map(({ kind, subjectId, subjectName, action, version, before, after }) => ({
    kind,
    subject_id: subjectId,
    subject_name: subjectName,
    action,
    version,
    changes: changesBetween(before, after),
    state: after,
  }));
  for (let at = 0; at < rows.length; at += RECORDS_AT_ONCE) {
    const text = JSON.stringify(rows.slice(at, at + RECORDS_AT_ONCE));
    await manager.query(INSERT, [revision, author.tokenId, author.requestId, text]);
  }
};
