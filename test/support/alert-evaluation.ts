import { DataSource } from 'typeorm';
import type { AlertNotice } from '../../src/contract/alert-notice.js';
import { ListenAddress } from '../../src/platform/http/listen-address.js';
import { AlertEvaluator } from '../../src/storage/alert/evaluation/alert-evaluator.js';
import type { TestDatabase } from './database.js';
import type { TestHub } from './hub.js';

/** One that evaluates when it is told, as of the time it is told; the hub's own one is stopped. */
export const toldEvaluator = async (hub: TestHub): Promise<AlertEvaluator> => {
  await hub.application.nest.get(AlertEvaluator, { strict: false }).beforeApplicationShutdown();
  return new AlertEvaluator(hub.application.nest.get(DataSource, { strict: false }), new ListenAddress());
};

type Row = Record<string, unknown>;

const insert = async ({ query }: TestDatabase, table: string, row: Row): Promise<void> => {
  const names = Object.keys(row);
  const values = names.map((_, index) => `$${index + 1}`).join(', ');
  await query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${values})`, Object.values(row));
};

/** Columns of `alert_rules`; what is left out is the default of the kind. */
export const addRule = (database: TestDatabase, row: Row): Promise<void> => insert(database, 'alert_rules', row);

export const addSilence = (database: TestDatabase, row: Row): Promise<void> =>
  insert(database, 'alert_silences', { comment: 'maintenance', created_by: 'test', ...row });

/** A channel that wants everything; its messages stay where they are queued. */
export const addChannel = (database: TestDatabase, row: Row = {}): Promise<void> =>
  insert(database, 'alert_channels', { id: crypto.randomUUID(), name: 'team', kind: 'webhook', ...row });

/** Everything that was put on its way, in its order. */
export const noticesOf = async ({ query }: TestDatabase): Promise<AlertNotice[]> =>
  (await query<{ notice: AlertNotice }>('SELECT notice FROM alert_notifications ORDER BY sequence')).map(
    ({ notice }) => notice,
  );

/** Such as `error-rate firing: fast, slow`, without the time. */
export const inShort = ({ event, rule, alerts }: AlertNotice): string =>
  `${rule.name} ${event}: ${alerts.map(({ subject }) => subject).join(', ')}`;
