import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type MetricFamily, single } from '../../platform/metrics/metric-family.js';
import { MetricsRegistry } from '../../platform/metrics/metrics-registry.js';
import { CallTracker } from '../calls/call-tracker.js';
import { LastKnownGood } from '../model-directory/last-known-good.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { StorageExchange } from '../storage-client/storage-exchange.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { UsageSpool } from '../usage/usage-spool.js';
import { callFamilies } from './call-families.js';
import { CallMetrics } from './call-metrics.js';
import { directoryFamilies } from './directory-families.js';
import { storageClientFamilies } from './storage-client-families.js';
import { usageFamilies } from './usage-families.js';

/** What the AI model service tells on `/metrics`. */
@Injectable()
export class AiModelMetrics implements OnModuleInit {
  private readonly families: MetricFamily[];

  constructor(
    private readonly registry: MetricsRegistry,
    calls: CallMetrics,
    tracker: CallTracker,
    usage: UsageBuffer,
    spool: UsageSpool,
    directory: ModelDirectory,
    file: LastKnownGood,
    storage: StorageExchange,
  ) {
    this.families = [
      ...callFamilies(calls),
      single('hub_open_calls', 'Calls under way.', 'gauge', () => tracker.openCalls),
      ...directoryFamilies(directory, file),
      ...usageFamilies(usage, spool),
      ...storageClientFamilies(storage),
    ];
  }

  onModuleInit(): void {
    this.registry.add(...this.families);
  }
}
