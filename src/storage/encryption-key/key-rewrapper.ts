import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { KeyRing } from '../crypto/key-ring.js';
import { SealError } from '../crypto/seal-error.js';
import { open, rewrap, type SealIdentity } from '../crypto/sealed-secret.js';
import { claimedKeyIdIn, SEALED_TABLES, type SealedTable } from '../crypto/sealed-tables.js';
import { SEALED_TEXT_START } from '../crypto/sealed-text.js';

const MAX_NAMED = 20;

type Row = Record<string, string | null>;

/** What became of a batch. */
export interface RewrapBatch {
  rewrapped: number;
  /** Rows to do that were not looked at, or that somebody else had locked. */
  remaining: number;
  /** Ids of rows that do not open, at most 20. */
  unreadable: string[];
  unreadableTotal: number;
}

interface RewrappedRow {
  id: string;
  /** By field: what was there, and what takes its place. */
  changes: Map<string, { before: string; after: string }>;
  isReadable: boolean;
}

interface Found {
  rewrapped: number;
  damaged: string[];
}

/** A sealed column under another key than the active one ($1), that the ring may open ($2), or cannot. */
const needsWork = (field: string): string => `${field} IS NOT NULL AND ${claimedKeyIdIn(field)} IS DISTINCT FROM $1`;
const mayOpen = (field: string): string =>
  `coalesce(${needsWork(field)} AND ${claimedKeyIdIn(field)} = ANY ($2), false)`;
const any = (fields: readonly string[], condition: (field: string) => string): string =>
  `(${fields.map((field) => `(${condition(field)})`).join(' OR ')})`;

const selectPage = ({ table, id, fields, originColumns }: SealedTable): string =>
  `SELECT ${[...new Set([id, ...fields, ...originColumns])].join(', ')} FROM ${table}
   WHERE ${any(fields, mayOpen)} AND ($3::uuid IS NULL OR ${id} > $3) ORDER BY ${id} LIMIT $4 FOR UPDATE SKIP LOCKED`;

/** What was changed since it was read keeps what it has: it is sealed under the active key already, or comes next. */
const update = ({ table, id }: SealedTable, field: string): string =>
  `UPDATE ${table} AS sealed SET ${field} = change.after
   FROM unnest($1::uuid[], $2::text[], $3::text[]) AS change (id, before, after)
   WHERE sealed.${id} = change.id AND sealed.${field} = change.before RETURNING sealed.${id} AS id, sealed.${field} AS text`;

const countToDo = ({ table, fields }: SealedTable): string =>
  `SELECT count(*)::int AS total, (count(*) FILTER (WHERE NOT ${any(fields, mayOpen)}))::int AS lost
   FROM ${table} WHERE ${any(fields, needsWork)}`;
const listLost = ({ table, id, fields }: SealedTable): string =>
  `SELECT ${id}::text AS id FROM ${table} WHERE ${any(fields, needsWork)} AND NOT ${any(fields, mayOpen)}
   ORDER BY ${id} LIMIT ${MAX_NAMED}`;

const identityOf = (table: SealedTable, row: Row, field: string): SealIdentity => ({
  table: table.table,
  rowId: String(row[table.id]),
  field,
  allowedOrigin: table.allowedOriginOf(row),
});

/** Seals stored secrets under the active key of a ring, in batches that do not wait for each other's rows. */
@Injectable()
export class KeyRewrapper {
  /**
   * One batch of at most `limit` rows, in the transaction of the caller. Rows that do not open are left as they are and
   * do not count towards the limit. The rows themselves are the progress: a batch that is lost is done again.
   */
  async rewrapBatch(manager: EntityManager, ring: KeyRing, limit: number): Promise<RewrapBatch> {
    const found: Found = { rewrapped: 0, damaged: [] };
    for (const table of SEALED_TABLES) await this.rewrapTable(manager, ring, table, { found, limit });
    return this.summarise(manager, ring, found);
  }

  private async rewrapTable(
    manager: EntityManager,
    ring: KeyRing,
    table: SealedTable,
    { found, limit }: { found: Found; limit: number },
  ): Promise<void> {
    let after: string | null = null;
    while (found.rewrapped < limit) {
      const values: unknown[] = [ring.activeKeyId, ring.keyIds, after, limit - found.rewrapped];
      const rows = await manager.query<Row[]>(selectPage(table), values);
      if (rows.length === 0) return;
      const results = rows.map((row) => rewrapRow(ring, table, row));
      for (const field of table.fields) await this.write(manager, ring, { table, field, rows, results });
      found.rewrapped += results.filter(({ changes }) => changes.size > 0).length;
      found.damaged.push(...results.filter(({ isReadable }) => !isReadable).map(({ id }) => id));
      after = results.at(-1)?.id ?? null;
    }
  }

  /** Whatever is written is read back and opened before it counts. */
  private async write(
    manager: EntityManager,
    ring: KeyRing,
    work: { table: SealedTable; field: string; rows: Row[]; results: RewrappedRow[] },
  ): Promise<void> {
    const { table, field, rows, results } = work;
    const changed = results.flatMap(({ id, changes }) => {
      const change = changes.get(field);
      return change ? [{ id, ...change }] : [];
    });
    if (changed.length === 0) return;
    const columns = [
      changed.map(({ id }) => id),
      changed.map(({ before }) => before),
      changed.map(({ after }) => after),
    ];
    const [written] = await manager.query<[{ id: string; text: string }[], number]>(update(table, field), columns);
    const byId = new Map(rows.map((row) => [row[table.id], row]));
    for (const { id, text } of written) open(ring, text, identityOf(table, byId.get(id) as Row, field));
  }

  private async summarise(manager: EntityManager, ring: KeyRing, { rewrapped, damaged }: Found): Promise<RewrapBatch> {
    const values = [ring.activeKeyId, ring.keyIds];
    const unreadable = [...damaged];
    let remaining = -damaged.length;
    let unreadableTotal = damaged.length;
    for (const table of SEALED_TABLES) {
      const [count] = await manager.query<{ total: number; lost: number }[]>(countToDo(table), values);
      remaining += (count?.total ?? 0) - (count?.lost ?? 0);
      unreadableTotal += count?.lost ?? 0;
      if (count?.lost) {
        const lost = await manager.query<{ id: string }[]>(listLost(table), values);
        unreadable.push(...lost.map(({ id }) => id));
      }
    }
    return { rewrapped, remaining, unreadable: unreadable.slice(0, MAX_NAMED), unreadableTotal };
  }
}

const rewrapRow = (ring: KeyRing, table: SealedTable, row: Row): RewrappedRow => {
  const result: RewrappedRow = { id: String(row[table.id]), changes: new Map(), isReadable: true };
  for (const field of table.fields) {
    const before = row[field];
    if (!before || !mayBeRewrapped(ring, before)) continue;
    const after = rewrapText(ring, before, identityOf(table, row, field));
    if (after === null) result.isReadable = false;
    else result.changes.set(field, { before, after });
  }
  return result;
};

/** As `mayOpen` says it in SQL; what is under a key that the ring lacks is counted there. */
const mayBeRewrapped = (ring: KeyRing, sealed: string): boolean => {
  const keyId = sealed.split('.', 2)[1] ?? '';
  return sealed.startsWith(SEALED_TEXT_START) && keyId !== ring.activeKeyId && ring.has(keyId);
};

/** The text under the active key; null: it does not open. */
const rewrapText = (ring: KeyRing, sealed: string, identity: SealIdentity): string | null => {
  try {
    // The whole of it: a data key that can be unwrapped may belong to a damaged value.
    open(ring, sealed, identity);
    return rewrap(ring, sealed, identity);
  } catch (error) {
    if (error instanceof SealError) return null;
    throw error;
  }
};
