import { HttpModule } from '@nestjs/axios';
import { Logger, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { TokenVerifier } from '../platform/auth/token-verifier.js';
import type { Ending } from '../platform/lifecycle/ending.js';
import { RedisConnection } from '../platform/redis/redis-connection.js';
import type { Secret } from '../platform/secrets/secret.js';
import { DirectoryTokenVerifier } from './auth/directory-token.verifier.js';
import { EarlyTokenCheck } from './auth/early-token-check.js';
import { RemoteSessions } from './auth/remote-sessions.js';
import { ModelChooser } from './choosing/model-chooser.js';
import { ModelHealth } from './choosing/model-health.js';
import { RateLimiter } from './choosing/rate-limiter.js';
import { SharedRateLimiter } from './choosing/shared-rate-limiter.js';
import { RetryBudget } from '../platform/limits/retry-budget.js';
import { SlidingWindowLimiter } from './choosing/sliding-window.js';
import { CallTracker } from './calls/call-tracker.js';
import { ChatController } from './entrances/chat/chat.controller.js';
import { EmbeddingsController } from './entrances/embeddings/embeddings.controller.js';
import { ResponsesController } from './entrances/responses/responses.controller.js';
import { MessagesController } from './entrances/messages/messages.controller.js';
import { TokenCounter } from './entrances/messages/token-counter.js';
import { CallService } from './calls/call.service.js';
import { CallMedia } from './media/call-media.js';
import { SystemPrompts } from './calls/system-prompts.js';
import { ConnectionTestController } from './connection-test/connection-test.controller.js';
import { ConnectionTestService } from './connection-test/connection-test.service.js';
import { ConnectionTester } from './connection-test/connection-tester.js';
import { KeyProof } from './connection-test/key-proof.js';
import { ScheduledTests } from './connection-test/scheduled-tests.js';
import { DiscoverController } from './known-models/discover.controller.js';
import { DiscoverService } from './known-models/discover.service.js';
import { KnownModelsController } from './known-models/known-models.controller.js';
import { ModelCatalogue } from './known-models/model-catalogue.js';
import { DirectCalls } from './entrances/direct-calls.js';
import { ManagementProviders } from './management/management-providers.js';
import { ManagementTests } from './management/management-tests.js';
import { ManagementController } from './management/management.controller.js';
import { ManagementService } from './management/management.service.js';
import { InstanceReporter } from './model-directory/instance-reporter.js';
import { LastKnownGood } from './model-directory/last-known-good.js';
import { ModelDirectory } from './model-directory/model-directory.js';
import { SnapshotKeys } from './model-directory/snapshot-keys.js';
import { HubModelsController } from './models/hub-models.controller.js';
import { ModelsController } from './models/models.controller.js';
import { KeptVersions } from './prompts/kept-versions.js';
import { PromptLibrary } from './prompts/prompt-library.js';
import { ProviderLoader } from './providers/provider-loader.js';
import { AiModelMetrics } from './status/ai-model-metrics.js';
import { CallMetrics } from './status/call-metrics.js';
import { StatusController } from './status/status.controller.js';
import { StatusService } from './status/status.service.js';
import { HttpStorageServiceClient, ServiceToken } from './storage-client/http-storage-service.client.js';
import { StorageExchange } from './storage-client/storage-exchange.js';
import { StorageServiceClient } from './storage-client/storage-service.client.js';
import { StorageTransport } from './storage-client/storage-transport.js';
import { UsageBuffer } from './usage/usage-buffer.js';
import { UsageSpool } from './usage/usage-spool.js';

const rateLimiter = {
  provide: RateLimiter,
  useFactory: (redis?: RedisConnection) => (redis ? new SharedRateLimiter(redis) : new SlidingWindowLimiter()),
  inject: [{ token: RedisConnection, optional: true }],
};

/** SERVICE 2: calls the providers. Owns no table; reaches storage through {@link StorageServiceClient} alone. */
@Module({})
export class AiModelModule implements BeforeApplicationShutdown {
  constructor(
    private readonly tracker: CallTracker,
    private readonly usage: UsageBuffer,
    private readonly directory: ModelDirectory,
    private readonly instances: InstanceReporter,
    private readonly scheduledTests: ScheduledTests,
  ) {}

  static register(serviceToken: Secret, snapshotKeys: SnapshotKeys): DynamicModule {
    return {
      module: AiModelModule,
      imports: [HttpModule],
      controllers: [
        ChatController,
        EmbeddingsController,
        ResponsesController,
        MessagesController,
        ModelsController,
        ManagementController,
        KnownModelsController,
        DiscoverController,
        HubModelsController,
        ConnectionTestController,
        StatusController,
      ],
      providers: [
        { provide: ServiceToken, useValue: new ServiceToken(serviceToken) },
        { provide: SnapshotKeys, useValue: snapshotKeys },
        { provide: StorageServiceClient, useClass: HttpStorageServiceClient },
        { provide: TokenVerifier, useClass: DirectoryTokenVerifier },
        AiModelMetrics,
        EarlyTokenCheck,
        RemoteSessions,
        rateLimiter,
        CallMedia,
        CallMetrics,
        CallService,
        CallTracker,
        ConnectionTestService,
        ConnectionTester,
        KeptVersions,
        DirectCalls,
        KeyProof,
        DiscoverService,
        InstanceReporter,
        LastKnownGood,
        ManagementProviders,
        ManagementService,
        ManagementTests,
        ModelCatalogue,
        ModelChooser,
        ModelDirectory,
        ModelHealth,
        PromptLibrary,
        ProviderLoader,
        RetryBudget,
        ScheduledTests,
        StatusService,
        StorageExchange,
        StorageTransport,
        SystemPrompts,
        TokenCounter,
        UsageBuffer,
        UsageSpool,
      ],
      exports: [TokenVerifier],
    };
  }

  /** Ends the calls and delivers their usage. While the listener is still open: in role `all` the usage goes through it. */
  async drain(ending: Ending): Promise<void> {
    const startedAt = performance.now();
    this.scheduledTests.stop();
    const calls = await this.tracker.drain(ending);
    const milliseconds = Math.round(performance.now() - startedAt);
    if (calls.open > 0) new Logger('Shutdown').log({ msg: 'The open calls are over', ...calls, milliseconds });
    await this.usage.flush(ending.left('usage'));
    await this.instances.leave();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.directory.stop();
  }
}
