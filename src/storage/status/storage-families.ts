import { labelled, type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import type { AnswerCache } from '../cache/answer-cache.js';
import type { KeyRingHolder } from '../crypto/key-ring-holder.js';
import type { KeyRingWatcher } from '../crypto/key-ring-watcher.js';
import type { ChangeService } from '../database/change.service.js';
import type { ChangeStream } from '../internal/change-stream.js';
import type { StorageProcesses } from '../process/storage-processes.js';
import type { UsageService } from '../usage/usage.service.js';

/** Where the changes are, and who hears of them. */
export const changeFamilies = (
  changes: ChangeService,
  watchers: ChangeStream,
  processes: StorageProcesses,
): MetricFamily[] => [
  single(
    'hub_storage_revision',
    'Newest revision that this storage process has told of.',
    'gauge',
    () => changes.newestTold,
  ),
  single('hub_storage_watchers', 'Processes that hear of changes from this one.', 'gauge', () => watchers.watcherCount),
  single(
    'hub_storage_processes',
    'Storage processes of this database that lived at the last beat, two seconds ago at most.',
    'gauge',
    () => processes.lastSeen,
  ),
];

/** The keys that seal secrets: how many, never which. */
export const keyFamilies = (keys: KeyRingHolder, watcher: KeyRingWatcher): MetricFamily[] => [
  single('hub_encryption_keys', 'Keys in the ring.', 'gauge', () => keys.current.keyIds.length),
  single(
    'hub_encryption_key_file_refused',
    'Whether the file with the keys was changed and is not used; the log says why.',
    'gauge',
    () => (watcher.problem === null ? 0 : 1),
  ),
];

/** The usage that AI model services deliver. */
export const receivedUsageFamilies = ({ received }: UsageService): MetricFamily[] => [
  labelled(
    'hub_usage_received_batches_total',
    'Batches of usage that came in: counted, or a duplicate that was counted before.',
    'counter',
    () => [
      [{ result: 'counted' }, received.batches],
      [{ result: 'duplicate' }, received.duplicates],
    ],
  ),
  single(
    'hub_usage_received_records_total',
    'Records in the batches that were counted.',
    'counter',
    () => received.records,
  ),
];

/** Told by a process that has a REDIS_URL. */
export const cacheFamilies = ({ lookups }: AnswerCache): MetricFamily[] => [
  labelled(
    'hub_answer_cache_lookups_total',
    'Questions whose answer was looked for in Redis: hit, it was there; miss, the database was asked.',
    'counter',
    () => [
      [{ result: 'hit' }, lookups.hit],
      [{ result: 'miss' }, lookups.miss],
    ],
  ),
];
