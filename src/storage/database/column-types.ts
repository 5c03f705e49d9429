import type { ColumnOptions } from 'typeorm';

/** PostgreSQL's bigint and numeric arrive as text, since they can exceed a double; ours stay below 2^53. */
export const asNumber = {
  from: (value: string | null): number | null => (value === null ? null : Number(value)),
  to: (value: number | null): number | null => value,
};

/** A counter. */
export const COUNTER: ColumnOptions = { type: 'bigint', default: 0, transformer: asNumber };

/** US dollars per million tokens. */
export const PRICE: ColumnOptions = { type: 'numeric', precision: 14, scale: 6, nullable: true, transformer: asNumber };
