import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { MOST_CLAIMED_TESTS } from '../../contract/connection-test.contract.js';
import { PROVIDERS } from '../../contract/providers.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { Env } from '../../platform/config/env.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import { inParallel } from '../../platform/limits/in-parallel.js';
import type { Asker } from '../calls/asker.js';
import { ModelDirectory } from '../model-directory/model-directory.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import { StorageServiceClient } from '../storage-client/storage-service.client.js';
import { UsageBuffer } from '../usage/usage-buffer.js';
import { ConnectionTester } from './connection-tester.js';
import { defaultModalityOf } from './test-modality.js';

const LOOK_MILLISECONDS = 60_000;
const AT_ONCE = 4;
const NOTE_MILLISECONDS = 2000;

/**
 * Tests models from time to time, when the operator wants it: only those that did not answer anybody of late, so many a
 * day, and in one process. Which ones says storage, since it knows what all processes do.
 */
@Injectable()
export class ScheduledTests {
  private readonly logger = new Logger('ConnectionTest');
  /** Another one after each start. */
  private readonly holder = randomUUID();
  private readonly stopping = new AbortController();
  private running: Promise<number> | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly env: Env,
    private readonly storage: StorageServiceClient,
    private readonly directory: ModelDirectory,
    private readonly tester: ConnectionTester,
    private readonly usage: UsageBuffer,
    address: ListenAddress,
  ) {
    address.onListening(() => {
      if (this.isOn) this.timer = setInterval(() => void this.run(), LOOK_MILLISECONDS).unref();
    });
  }

  get isOn(): boolean {
    return this.env.CONNECTION_TEST_INTERVAL_MINUTES > 0;
  }

  /** At the end of the process: tests under way are given up; they are counted with the last usage. */
  stop(): void {
    clearInterval(this.timer);
    this.stopping.abort();
  }

  /** Tests what is due, one run at a time; answers how many models it tested. Never fails: the next run comes. */
  run(): Promise<number> {
    if (!this.isOn) return Promise.resolve(0);
    this.running ??= this.testDue().finally(() => (this.running = null));
    return this.running;
  }

  private async testDue(): Promise<number> {
    let tested = 0;
    try {
      for (let claimed = MOST_CLAIMED_TESTS; claimed === MOST_CLAIMED_TESTS; tested += claimed) {
        claimed = await this.testClaimed();
      }
    } catch (error) {
      if (!this.stopping.signal.aborted)
        this.logger.warn({ msg: 'Scheduled connection tests were put off', err: error });
    }
    return tested;
  }

  private async testClaimed(): Promise<number> {
    const { config_ids: ids } = await this.storage.claimConnectionTests({
      holder: this.holder,
      interval_minutes: this.env.CONNECTION_TEST_INTERVAL_MINUTES,
      per_day: this.env.CONNECTION_TESTS_PER_DAY,
      providers: PROVIDERS.filter((provider) => PROVIDER_REGISTRY[provider].load !== null),
    });
    if (ids.length === 0) return 0;
    await this.directory.requireCurrent();
    const due = this.directory.models().filter(({ id }) => ids.includes(id));
    await inParallel(due, AT_ONCE, (model) => this.test(model));
    // Before the next claim: what was tested is not due any more.
    await this.usage.sendSoon(NOTE_MILLISECONDS);
    return ids.length;
  }

  private async test(model: SnapshotModel): Promise<void> {
    const subject = { model, modality: defaultModalityOf(model), isSaved: true };
    const { failure } = await this.tester.test(subject, { asker: anAsker(), left: this.stopping.signal });
    if (failure === null) return;
    const { errorClass, words } = failure;
    this.logger.warn({ msg: 'A scheduled connection test failed', alias: model.alias, class: errorClass, words });
  }
}

const anAsker = (): Asker => {
  const startedAt = performance.now();
  return {
    requestId: randomUUID(),
    identity: undefined,
    source: 'test',
    span: null,
    elapsed: () => performance.now() - startedAt,
  };
};
