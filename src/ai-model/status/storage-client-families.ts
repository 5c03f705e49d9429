import { labelled, type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import type { BreakerState } from '../storage-client/storage-breaker.js';
import type { StorageExchange } from '../storage-client/storage-exchange.js';

const STATE_NUMBERS: Record<BreakerState, number> = { closed: 0, open: 1, half_open: 2 };

/** How this process gets on with the storage service. */
export const storageClientFamilies = (exchange: StorageExchange): MetricFamily[] => [
  single(
    'hub_storage_client_breaker_state',
    '0: closed, storage is asked; 1: open, it is left alone; 2: half open, one request is tried.',
    'gauge',
    () => STATE_NUMBERS[exchange.breakerState],
  ),
  labelled(
    'hub_storage_client_requests_total',
    'Requests to the storage service, retries included in one, by kind and how they ended.',
    'counter',
    function* () {
      for (const [kind, outcomes] of exchange.counts.byKind) {
        for (const [outcome, count] of outcomes) yield [{ kind, outcome }, count];
      }
    },
  ),
  single(
    'hub_storage_client_retries_total',
    'Attempts after the first one of a request.',
    'counter',
    () => exchange.counts.retries,
  ),
  labelled('hub_storage_client_open_requests', 'Requests that storage is at work on, by kind.', 'gauge', () =>
    exchange.load.map(({ lane: kind, atWork }) => [{ kind }, atWork] as const),
  ),
  labelled('hub_storage_client_waiting_requests', 'Requests that wait for a place, by kind.', 'gauge', () =>
    exchange.load.map(({ lane: kind, waiting }) => [{ kind }, waiting] as const),
  ),
];
