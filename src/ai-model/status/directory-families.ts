import { type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import { ageOf } from '../model-directory/directory-freshness.js';
import type { LastKnownGood } from '../model-directory/last-known-good.js';
import type { ModelDirectory } from '../model-directory/model-directory.js';

/** What calls are answered from, and what a start without storage would have. */
export const directoryFamilies = (directory: ModelDirectory, file: LastKnownGood): MetricFamily[] => [
  single(
    'hub_directory_revision',
    'Revision that calls are answered from.',
    'gauge',
    () => directory.freshness.revision,
  ),
  single('hub_directory_models', 'Models that are known here.', 'gauge', () => directory.freshness.models),
  single('hub_directory_age_seconds', 'Since storage last told that this revision is the newest.', 'gauge', () =>
    ageOf(directory.freshness),
  ),
  single('hub_storage_reachable', 'Whether storage could be asked the last time.', 'gauge', () =>
    directory.freshness.isStorageAway ? 0 : 1,
  ),
  single(
    'hub_snapshot_file_age_seconds',
    'Since the last-known-good file was written, or found to be in order.',
    'gauge',
    () => file.ageSeconds,
  ),
  single(
    'hub_snapshot_file_behind_seconds',
    'For how long the last-known-good file has not had what is known here; 0: it has.',
    'gauge',
    () => file.behindSeconds,
  ),
  single(
    'hub_snapshot_file_failed_writes_total',
    'Times that the last-known-good file could not be written.',
    'counter',
    () => file.failedWrites,
  ),
];
