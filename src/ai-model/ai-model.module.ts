import { HttpModule } from '@nestjs/axios';
import { Module, type BeforeApplicationShutdown, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { MetricsRegistry } from '../platform/metrics/metrics-registry.js';
import { TokenVerifier } from '../platform/auth/token-verifier.js';
import { RedisConnection } from '../platform/redis/redis-connection.js';
import type { Secret } from '../platform/secrets/secret.js';
import { DirectoryTokenVerifier } from './auth/directory-token.verifier.js';
import { EarlyTokenCheck } from './auth/early-token-check.js';
import { ModelChooser } from './choosing/model-chooser.js';
import { ModelHealth } from './choosing/model-health.js';
import { RateLimiter } from './choosing/rate-limiter.js';
import { RetryBudget } from './choosing/retry-budget.js';
import { SharedRateLimiter } from './choosing/shared-rate-limiter.js';
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
import { ModelDirectory } from './model-directory/model-directory.js';
import { HubModelsController } from './models/hub-models.controller.js';
import { ModelsController } from './models/models.controller.js';
import { KeptVersions } from './prompts/kept-versions.js';
import { PromptLibrary } from './prompts/prompt-library.js';
import { ProviderLoader } from './providers/provider-loader.js';
import { aiModelFamilies } from './status/ai-model-families.js';
import { callFamilies } from './status/call-families.js';
import { CallMetrics } from './status/call-metrics.js';
import { StatusController } from './status/status.controller.js';
import { StatusService } from './status/status.service.js';
import { HttpStorageServiceClient, ServiceToken } from './storage-client/http-storage-service.client.js';
import { StorageServiceClient } from './storage-client/storage-service.client.js';
import { UsageBuffer } from './usage/usage-buffer.js';

const DRAIN_MILLISECONDS = 5000;
const FLUSH_MILLISECONDS = 3000;

const rateLimiter = {
  provide: RateLimiter,
  useFactory: (redis?: RedisConnection) => (redis ? new SharedRateLimiter(redis) : new SlidingWindowLimiter()),
  inject: [{ token: RedisConnection, optional: true }],
};

/** SERVICE 2: calls the providers. Owns no table; reaches storage through {@link StorageServiceClient} alone. */
@Module({})
export class AiModelModule implements BeforeApplicationShutdown, OnModuleInit {
  constructor(
    private readonly registry: MetricsRegistry,
    private readonly calls: CallMetrics,
    private readonly tracker: CallTracker,
    private readonly usage: UsageBuffer,
    private readonly directory: ModelDirectory,
  ) {}

  static register(serviceToken: Secret): DynamicModule {
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
        { provide: StorageServiceClient, useClass: HttpStorageServiceClient },
        { provide: TokenVerifier, useClass: DirectoryTokenVerifier },
        EarlyTokenCheck,
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
        SystemPrompts,
        TokenCounter,
        UsageBuffer,
      ],
      exports: [TokenVerifier],
    };
  }

  onModuleInit(): void {
    this.registry.add(...callFamilies(this.calls), ...aiModelFamilies(this.tracker, this.usage, this.directory));
  }

  /** While the listener is still open: in role `all` the usage goes through it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.tracker.drain(DRAIN_MILLISECONDS);
    await this.usage.flush(FLUSH_MILLISECONDS);
    this.directory.stop();
  }
}
