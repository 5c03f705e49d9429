import { labelled, type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';
import type { UsageSpool } from '../usage/usage-spool.js';

/** What is counted here and not yet with storage: in memory, and on disk while storage takes none. */
export const usageFamilies = (usage: UsageBuffer, spool: UsageSpool): MetricFamily[] => [
  single(
    'hub_usage_unsent_calls',
    'Calls whose usage storage has not taken yet, those on disk included.',
    'gauge',
    () => usage.unsentCalls,
  ),
  single(
    'hub_usage_waiting_records',
    'Sums of calls that are alike, in memory and in no batch yet.',
    'gauge',
    () => usage.waitingRecords,
  ),
  single(
    'hub_usage_waiting_batches',
    'Batches in memory: on their way to storage, or to be sent again.',
    'gauge',
    () => usage.waitingBatches,
  ),
  single('hub_usage_spool_batches', 'Batches that are kept on disk.', 'gauge', () => spool.batches),
  single('hub_usage_spool_calls', 'Calls in the batches on disk.', 'gauge', () => spool.calls),
  single('hub_usage_spool_bytes', 'What the batches take of the disk.', 'gauge', () => spool.usedBytes),
  single('hub_usage_spool_limit_bytes', 'What they may take: USAGE_SPOOL_MB.', 'gauge', () => spool.maxBytes),
  labelled('hub_usage_lost_calls_total', 'Calls that will never be counted, by why.', 'counter', () =>
    Object.entries(usage.lostCalls).map(([reason, calls]) => [{ reason }, calls] as const),
  ),
];
