import { type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import type { CallTracker } from '../calls/call-tracker.js';
import { ageOf } from '../model-directory/directory-freshness.js';
import type { ModelDirectory } from '../model-directory/model-directory.js';
import type { UsageBuffer } from '../usage/usage-buffer.js';

/** What the AI model service tells of itself. */
export const aiModelFamilies = (
  tracker: CallTracker,
  usage: UsageBuffer,
  directory: ModelDirectory,
): MetricFamily[] => [
  single('hub_open_calls', 'Calls under way.', 'gauge', () => tracker.openCalls),
  single('hub_usage_unsent_calls', 'Calls whose usage storage has not taken yet.', 'gauge', () => usage.unsentCalls),
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
];
