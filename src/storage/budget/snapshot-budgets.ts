import type { EntityManager } from 'typeorm';
import type { SnapshotBudget } from '../../contract/snapshot.contract.js';

type Row = Omit<SnapshotBudget, 'until'> & { until: Date };

const REFUSING = `SELECT name, scope, scope_value, period_to AS until
  FROM budgets JOIN budget_states ON budget_id = id
  WHERE is_enabled AND action = 'refuse' AND is_exhausted ORDER BY name`;

/** The budgets that refuse calls. One whose period is over says so itself: by its `until`. */
export const readSnapshotBudgets = async (manager: EntityManager): Promise<SnapshotBudget[]> => {
  const rows = await manager.query<Row[]>(REFUSING);
  return rows.map((row) => ({
    name: row.name,
    scope: row.scope,
    scope_value: row.scope_value,
    until: row.until.toISOString(),
  }));
};
