import type { Env } from '../platform/config/env.js';
import type { ThisInstance } from '../platform/config/this-instance.js';
import type { ErrorFilter } from '../platform/errors/error-filter.js';
import type { MetricFamily } from '../platform/metrics/metric-family.js';

/** What every process tells of itself, whatever its role. */
export const processFamilies = (
  env: Env,
  { version, startedAt }: ThisInstance,
  errors: ErrorFilter,
): MetricFamily[] => [
  {
    name: 'hub_build_info',
    help: 'What runs here; always 1.',
    type: 'gauge',
    collect: () => [{ value: 1, labels: { version, role: env.SERVICE_ROLE, node: process.version } }],
  },
  {
    name: 'hub_started_at_seconds',
    help: 'When this process started, since 1970.',
    type: 'gauge',
    collect: () => [{ value: startedAt.getTime() / 1000 }],
  },
  {
    name: 'hub_error_answers_total',
    help: 'Requests that were refused or failed, by the code of their answer.',
    type: 'counter',
    collect: () => [...errors.answered].map(([code, value]) => ({ value, labels: { code } })),
  },
];
