import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TokenVerifier } from '../platform/auth/token-verifier.js';
import { Env } from '../platform/config/env.js';
import { StartupError } from '../platform/errors/startup-error.js';
import { HealthRegistry, type DependencyHealth } from '../platform/health/health-registry.js';
import { MetricsRegistry } from '../platform/metrics/metrics-registry.js';
import { AlertChannelController } from './alert-channel/alert-channel.controller.js';
import { AlertChannelService } from './alert-channel/alert-channel.service.js';
import { ChannelCredentials } from './alert-channel/channel-credentials.js';
import { ChannelMessenger } from './alert-channel/channel-messenger.js';
import { ChannelTester } from './alert-channel/channel-tester.js';
import { AlertController } from './alert/alert.controller.js';
import { AlertService } from './alert/alert.service.js';
import { AlertRuleController } from './alert/alert-rule.controller.js';
import { AlertRuleService } from './alert/alert-rule.service.js';
import { AlertRuleWriter } from './alert/alert-rule.writer.js';
import { SilenceController } from './alert/silence.controller.js';
import { SilenceService } from './alert/silence.service.js';
import { AlertEvaluator } from './alert/evaluation/alert-evaluator.js';
import { AlertRetention } from './alert/evaluation/alert-retention.js';
import { AnswerCache } from './cache/answer-cache.js';
import { ConnectionTestClaims } from './connection-test/connection-test-claims.js';
import { BudgetController } from './budget/budget.controller.js';
import { BudgetService } from './budget/budget.service.js';
import { BudgetWatch } from './budget/budget-watch.js';
import { BudgetWriter } from './budget/budget.writer.js';
import { KeyRingHolder } from './crypto/key-ring-holder.js';
import { KeyRingWatcher } from './crypto/key-ring-watcher.js';
import { SecretVault } from './crypto/secret-vault.js';
import { DatabaseListener } from './database/database-listener.js';
import { ChangeService, REVISION_CHANNEL } from './database/change.service.js';
import { Database } from './database/database.js';
import { DeclarativeController } from './declarative/declarative.controller.js';
import { ExportService } from './declarative/export.service.js';
import { ImportService } from './declarative/import.service.js';
import { ModelImport } from './declarative/model-import.js';
import { PromptImport } from './declarative/prompt-import.js';
import { RuleImport } from './declarative/rule-import.js';
import { EncryptionKeyController } from './encryption-key/encryption-key.controller.js';
import { EncryptionKeyService } from './encryption-key/encryption-key.service.js';
import { KeyRewrapper } from './encryption-key/key-rewrapper.js';
import { KeyRingEditor } from './encryption-key/key-ring-editor.js';
import { HistoryController } from './history/history.controller.js';
import { HistoryService } from './history/history.service.js';
import { ChangeStream } from './internal/change-stream.js';
import { InstanceController } from './instance/instance.controller.js';
import { InstanceService } from './instance/instance.service.js';
import { WaitForApplied } from './instance/wait-for-applied.js';
import { InternalController } from './internal/internal.controller.js';
import { SnapshotService } from './internal/snapshot.service.js';
import { UnreadableSecrets } from './internal/unreadable-secrets.js';
import { ConfigCredentials } from './model-config/config-credentials.js';
import { ModelConfigController } from './model-config/model-config.controller.js';
import { ModelConfigEntity } from './model-config/model-config.entity.js';
import { ModelConfigService } from './model-config/model-config.service.js';
import { ModelConfigWriter } from './model-config/model-config.writer.js';
import { DeliveryTallies } from './notification/delivery-tallies.js';
import { DeliveryWorker } from './notification/delivery-worker.js';
import { NotificationController } from './notification/notification.controller.js';
import { NotificationQueue } from './notification/notification-queue.js';
import { NotificationRetention } from './notification/notification-retention.js';
import { NotificationService } from './notification/notification.service.js';
import { PromptChanges } from './prompt/prompt-changes.js';
import { PromptController } from './prompt/prompt.controller.js';
import { PromptLabelController } from './prompt/prompt-label.controller.js';
import { PromptLabelService } from './prompt/prompt-label.service.js';
import { PromptLabelWriter } from './prompt/prompt-label.writer.js';
import { PromptRenderController } from './prompt/prompt-render.controller.js';
import { PromptRenderService } from './prompt/prompt-render.service.js';
import { PromptService } from './prompt/prompt.service.js';
import { PromptUseService } from './prompt/prompt-use.service.js';
import { PromptVersionController } from './prompt/prompt-version.controller.js';
import { PromptWriter } from './prompt/prompt.writer.js';
import type { StorageResources } from './open-storage.js';
import { StoredSessions } from './session/stored-sessions.js';
import { StorageProcesses } from './process/storage-processes.js';
import { StatisticsController } from './statistics/statistics.controller.js';
import { StatisticsService } from './statistics/statistics.service.js';
import { EmbeddedServer } from './status/database-families.js';
import { StorageMetrics } from './status/storage-metrics.js';
import { KnownTokens } from './token/known-tokens.js';
import { StoredTokenVerifier } from './token/stored-token.verifier.js';
import { TokenController } from './token/token.controller.js';
import { TokenEntity } from './token/token.entity.js';
import { TokenService } from './token/token.service.js';
import { UsageRetention } from './usage/usage-retention.js';
import { UsageService } from './usage/usage.service.js';

/** Less than readiness waits for anything: a frozen database must not look like a process that can do nothing. */
const PING_MILLISECONDS = 700;

const answersWithin = async (milliseconds: number, work: Promise<unknown>): Promise<boolean> => {
  const late = sleep(milliseconds, false, { ref: false });
  return Promise.race([work.then(() => true).catch(() => false), late]);
};

/** SERVICE 1: owns PostgreSQL. */
@Module({})
export class StorageModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly database: Database,
    private readonly health: HealthRegistry,
    private readonly env: Env,
    private readonly keyRings: KeyRingWatcher,
    private readonly processes: StorageProcesses,
    private readonly listener: DatabaseListener,
    private readonly changes: ChangeService,
    private readonly metrics: MetricsRegistry,
    private readonly deliveries: DeliveryTallies,
  ) {}

  static register(resources: StorageResources, serviceToken: StorageResources['adminToken']): DynamicModule {
    const { database, keys, processes, embedded, listener, adminToken } = resources;
    if (adminToken.equals(serviceToken)) {
      throw new StartupError('STORAGE_SERVICE_TOKEN must not be the same as ADMIN_TOKEN.');
    }
    return {
      module: StorageModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...database.dataSource.options, manualInitialization: true }),
          dataSourceFactory: () => Promise.resolve(database.dataSource),
        }),
        TypeOrmModule.forFeature([ModelConfigEntity, TokenEntity]),
      ],
      controllers: [
        BudgetController,
        ModelConfigController,
        DeclarativeController,
        HistoryController,
        PromptController,
        PromptVersionController,
        PromptLabelController,
        PromptRenderController,
        StatisticsController,
        TokenController,
        EncryptionKeyController,
        InternalController,
        InstanceController,
        AlertChannelController,
        NotificationController,
        AlertController,
        AlertRuleController,
        SilenceController,
      ],
      providers: [
        { provide: Database, useValue: database },
        { provide: KeyRingHolder, useValue: keys },
        { provide: SecretVault, useValue: new SecretVault(keys) },
        { provide: StorageProcesses, useValue: processes },
        { provide: DatabaseListener, useValue: listener },
        { provide: EmbeddedServer, useValue: new EmbeddedServer(embedded) },
        { provide: KnownTokens, useValue: new KnownTokens(adminToken, serviceToken) },
        { provide: TokenVerifier, useClass: StoredTokenVerifier },
        AlertChannelService,
        AlertRuleService,
        AlertRuleWriter,
        AlertService,
        AlertEvaluator,
        AlertRetention,
        AnswerCache,
        BudgetService,
        BudgetWatch,
        BudgetWriter,
        ChangeService,
        ChangeStream,
        ChannelCredentials,
        ChannelMessenger,
        ChannelTester,
        ConfigCredentials,
        ConnectionTestClaims,
        DeliveryTallies,
        DeliveryWorker,
        EncryptionKeyService,
        ExportService,
        HistoryService,
        ImportService,
        InstanceService,
        WaitForApplied,
        KeyRewrapper,
        KeyRingEditor,
        KeyRingWatcher,
        ModelConfigService,
        ModelConfigWriter,
        ModelImport,
        NotificationQueue,
        NotificationRetention,
        NotificationService,
        PromptImport,
        PromptChanges,
        PromptLabelService,
        PromptLabelWriter,
        PromptRenderService,
        PromptService,
        PromptUseService,
        PromptWriter,
        RuleImport,
        SilenceService,
        SnapshotService,
        StatisticsService,
        StoredSessions,
        StorageMetrics,
        TokenService,
        UnreadableSecrets,
        UsageRetention,
        UsageService,
      ],
      exports: [TokenVerifier],
    };
  }

  onModuleInit(): void {
    this.health.register('database', () => this.checkDatabase());
    this.metrics.add(...this.deliveries.families());
    this.keyRings.start();
    this.processes.start();
    this.listenToOthers();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.listener.stop();
    this.keyRings.stop();
    await this.processes.leave();
    await this.database.close();
  }

  /** What was told while nobody listened is looked up. */
  private listenToOthers(): void {
    this.listener.on(REVISION_CHANNEL, (payload) => this.changes.hear(Number(payload)));
    this.listener.onConnected(() => void this.changes.lookForOthers());
    this.listener.start();
  }

  /** With the AI model service in the same process calls are answered from memory, so the process stays useful. */
  private async checkDatabase(): Promise<DependencyHealth> {
    const missing: DependencyHealth = {
      status: this.env.runsAiModel ? 'degraded' : 'down',
      reason: 'the database cannot be reached',
    };
    if (!this.database.isReady) return missing;
    const isThere = await answersWithin(PING_MILLISECONDS, this.database.ping());
    return isThere ? { status: 'up', embedded: this.env.isDatabaseEmbedded } : missing;
  }
}
