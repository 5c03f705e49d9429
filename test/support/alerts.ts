import { DataSource } from 'typeorm';
import type { AlertNotice } from '../../src/contract/alert-notice.js';
import { connectionFromUrl } from '../../src/storage/database/connection.js';
import { dataSourceOptions } from '../../src/storage/database/data-source-options.js';
import { enqueue, type Outgoing } from '../../src/storage/notification/outbox.js';
import { Secret } from '../../src/platform/secrets/secret.js';
import type { TestDatabase } from './database.js';

export const CHANNELS = '/api/v1/alerts/channels';
export const NOTIFICATIONS = '/api/v1/alerts/notifications';

/** That a model fails. */
export const aNotice = (fields: Partial<AlertNotice> = {}): AlertNotice => ({
  event: 'firing',
  at: '2026-11-25T10:00:00.000Z',
  rule: {
    id: '5e4d3c2b-0000-4000-8000-000000000001',
    name: 'error-rate',
    description: 'A model fails one call in five',
    kind: 'error_rate',
    severity: 'critical',
    scope: 'all',
    scope_value: null,
    unit: 'percent',
    threshold: 20,
    window_minutes: 5,
  },
  language: null,
  alerts: [
    {
      id: '5e4d3c2b-0000-4000-8000-000000000002',
      subject: 'fast',
      value: 42.5,
      calls: 40,
      since: '2026-11-25T09:58:00.000Z',
      resolved_at: null,
      reason: null,
    },
  ],
  more: 0,
  ...fields,
});

export interface Outbox {
  /** Puts a message on its way as the evaluation does; answers to how many channels. */
  send(outgoing?: Partial<Outgoing>): Promise<number>;
  close(): Promise<void>;
}

/** The product's own way into the queue, in a transaction on the test's database. */
export const openOutbox = async ({ url }: Pick<TestDatabase, 'url'>): Promise<Outbox> => {
  const options = dataSourceOptions(connectionFromUrl(Secret.of(url)));
  const dataSource = await new DataSource(options).initialize();
  return {
    send: (outgoing = {}) =>
      dataSource.transaction((manager) =>
        enqueue(manager, { notice: aNotice(), severity: 'critical', channels: [], orderKey: 'rule:1', ...outgoing }),
      ),
    close: () => dataSource.destroy(),
  };
};
