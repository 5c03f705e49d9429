import { randomBytes, randomUUID } from 'node:crypto';
import type { BudgetNotice } from '../../src/contract/alert-notice.js';
import type { UsageRecord } from '../../src/contract/usage.contract.js';
import { aUsageBatch, aUsageRecord } from '../factories/usage-record.js';
import type { Json } from './calls.js';
import type { TestDatabase } from './database.js';
import type { TestHub } from './hub.js';

export const BUDGETS = '/api/v1/budgets';

/** A budget of a dollar, valid as it is. */
export const aBudget = (fields: Json = {}): Json => ({
  name: `budget-${randomBytes(4).toString('hex')}`,
  limit_usd: 1,
  ...fields,
});

/** Calls that cost a cent each. */
export const centCalls = (calls: number, fields: Partial<UsageRecord> = {}): UsageRecord =>
  aUsageRecord({ calls, input_tokens: 0, cached_tokens: 0, output_tokens: calls * 10, ...CENT_PRICES, ...fields });

/** With them, ten tokens cost a cent. */
export const CENT_PRICES = { input_price_per_million: 0, output_price_per_million: 1000 } as const;
export const CENT_USAGE = { prompt_tokens: 0, completion_tokens: 10, total_tokens: 10 } as const;

/** Usage as an AI model process sends it. */
export const sendUsage = async (hub: TestHub, ...records: UsageRecord[]): Promise<void> =>
  void (await hub
    .request('post', '/internal/v1/usage', hub.serviceToken)
    .send(aUsageBatch(...records))
    .expect(200));

export const saveBudget = async (hub: TestHub, fields: Json = {}): Promise<Json> =>
  (await hub.request('post', `${BUDGETS}?wait=applied`).send(aBudget(fields)).expect(201)).body as Json;

export const readBudget = async (hub: TestHub, { id }: Json): Promise<Json> =>
  (await hub.request('get', `${BUDGETS}/${String(id)}`).expect(200)).body as Json;

/** A channel that takes every message and lets it lie: what is queued is what a test looks at. */
export const addChannel = async (database: TestDatabase): Promise<void> =>
  void (await database.query(`INSERT INTO alert_channels (id, name, kind) VALUES ($1, $2, 'webhook')`, [
    randomUUID(),
    `channel-${randomBytes(4).toString('hex')}`,
  ]));

/** What people are told of a budget, in its order. */
export const noticesOf = async (database: TestDatabase, { id }: Json): Promise<BudgetNotice[]> => {
  const rows = await database.query<{ notice: BudgetNotice }>(
    `SELECT notice FROM alert_notifications WHERE order_key = $1 ORDER BY sequence`,
    [`budget:${String(id)}`],
  );
  return rows.map(({ notice }) => notice);
};
