import { createHash } from 'node:crypto';

type Query = <Row extends object>(text: string) => Promise<Row[]>;

/** Every row of every table of the application, all columns as text, in a fixed order. */
export const dumpTables = async (query: Query, without: readonly string[] = []): Promise<Record<string, string[]>> => {
  const tables = await query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  );
  const dump: Record<string, string[]> = {};
  for (const { name } of tables.filter((table) => !without.includes(table.name))) {
    const rows = await query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM "${name}" t ORDER BY 1`);
    dump[name] = rows.map(({ row }) => row);
  }
  return dump;
};

/** Changes with any change of any row. */
export const hashOfTables = async (query: Query, without: readonly string[] = []): Promise<string> =>
  createHash('sha256')
    .update(JSON.stringify(await dumpTables(query, without)))
    .digest('hex');
