import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Env } from '../../platform/config/env.js';
import type { MetricFamily } from '../../platform/metrics/metric-family.js';
import { MetricsRegistry } from '../../platform/metrics/metrics-registry.js';
import { AnswerCache } from '../cache/answer-cache.js';
import { KeyRingHolder } from '../crypto/key-ring-holder.js';
import { KeyRingWatcher } from '../crypto/key-ring-watcher.js';
import { ChangeService } from '../database/change.service.js';
import { Database } from '../database/database.js';
import { DatabaseListener } from '../database/database-listener.js';
import { ChangeStream } from '../internal/change-stream.js';
import { StorageProcesses } from '../process/storage-processes.js';
import { UsageService } from '../usage/usage.service.js';
import { databaseFamilies, embeddedDatabaseFamilies, EmbeddedServer } from './database-families.js';
import { cacheFamilies, changeFamilies, keyFamilies, receivedUsageFamilies } from './storage-families.js';

/** What the storage service tells on `/metrics`. All of it is in memory: a scrape asks neither the database nor Redis. */
@Injectable()
export class StorageMetrics implements OnModuleInit {
  private readonly families: MetricFamily[];

  constructor(
    private readonly registry: MetricsRegistry,
    env: Env,
    database: Database,
    listener: DatabaseListener,
    { running }: EmbeddedServer,
    changes: ChangeService,
    watchers: ChangeStream,
    processes: StorageProcesses,
    keys: KeyRingHolder,
    keyWatcher: KeyRingWatcher,
    usage: UsageService,
    cache: AnswerCache,
  ) {
    this.families = [
      ...databaseFamilies(database, listener),
      ...(running ? embeddedDatabaseFamilies(running) : []),
      ...changeFamilies(changes, watchers, processes),
      ...keyFamilies(keys, keyWatcher),
      ...receivedUsageFamilies(usage),
      ...(env.REDIS_URL ? cacheFamilies(cache) : []),
    ];
  }

  onModuleInit(): void {
    this.registry.add(...this.families);
  }
}
