import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { INSTANCE_REPORT_MILLISECONDS, type InstanceReport } from '../../contract/instance.contract.js';
import { Env } from '../../platform/config/env.js';
import { ThisInstance } from '../../platform/config/this-instance.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { StorageUnavailable } from '../storage-client/storage-errors.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { timeOf } from './directory-freshness.js';
import { ModelDirectory } from './model-directory.js';
import { OneAtATime } from '../../platform/limits/one-at-a-time.js';

const FAREWELL_MILLISECONDS = 500;

/**
 * Tells storage that this process is there and which revision its calls are answered from: every two seconds, and at once
 * after a newer one was taken over, since somebody may wait for that. No call waits for it.
 */
@Injectable()
export class InstanceReporter implements OnModuleInit {
  private readonly logger = new Logger('InstanceReporter');
  private readonly reports = new OneAtATime(() => this.report());
  private timer: NodeJS.Timeout | undefined;
  private isRefused = false;
  private isOver = false;

  constructor(
    private readonly storage: StorageServiceClient,
    private readonly directory: ModelDirectory,
    private readonly instance: ThisInstance,
    private readonly env: Env,
    private readonly address: ListenAddress,
  ) {}

  onModuleInit(): void {
    this.directory.onNews(() => void this.reports.runFromNow());
    this.address.onListening(() => {
      this.timer = setInterval(() => void this.reports.run(), INSTANCE_REPORT_MILLISECONDS);
      void this.reports.run();
    });
  }

  /** At the end of the process: nobody has to wait until it counts as gone. */
  async leave(): Promise<void> {
    this.isOver = true;
    clearInterval(this.timer);
    if (!this.timer) return;
    await Promise.race([this.forget(), sleep(FAREWELL_MILLISECONDS, undefined, { ref: false })]);
  }

  private async forget(): Promise<void> {
    // A report that arrives after it would bring this process back.
    await this.reports.current;
    await this.storage.forgetInstance(this.instance.id).catch(() => undefined);
  }

  /** Never fails. */
  private async report(): Promise<void> {
    if (this.isOver) return;
    try {
      await this.storage.reportInstance(this.describe());
      this.isRefused = false;
    } catch (error) {
      // That storage is away says the directory.
      if (error instanceof StorageUnavailable || this.isRefused) return;
      this.isRefused = true;
      const msg =
        'The storage service does not take reports of this process: writes do not wait for it with wait=applied';
      this.logger.warn({ msg, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  private describe(): InstanceReport {
    const { revision, source, contactAt } = this.directory.freshness;
    const { id, version, host, startedAt } = this.instance;
    return {
      id,
      role: this.env.runsStorage ? 'all' : 'ai-model',
      version,
      host,
      started_at: startedAt.toISOString(),
      revision,
      source,
      confirmed_at: timeOf(contactAt),
    };
  }
}
