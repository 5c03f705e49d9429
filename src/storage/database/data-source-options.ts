import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { migrations } from '../../../typeorm-migrations/index.js';
import { AlertEntity, AlertEvaluationEntity, AlertSilenceEntity } from '../alert/alert.entities.js';
import { AlertRuleEntity } from '../alert/alert-rule.entity.js';
import { AlertChannelEntity } from '../alert-channel/alert-channel.entity.js';
import { BudgetEntity, BudgetStateEntity } from '../budget/budget.entities.js';
import { ScheduledTestsEntity } from '../connection-test/scheduled-tests.entity.js';
import { HistoryEntity } from '../history/history.entity.js';
import { ModelConfigEntity } from '../model-config/model-config.entity.js';
import { NotificationEntity } from '../notification/notification.entity.js';
import { StorageProcessEntity } from '../process/storage-process.entity.js';
import { AiModelInstanceEntity } from '../instance/ai-model-instance.entity.js';
import { ProtectedLabelEntity, PromptLabelEntity } from '../prompt/prompt-label.entities.js';
import { PromptVersionEntity } from '../prompt/prompt-version.entity.js';
import { SystemPromptTemplateEntity } from '../prompt/system-prompt-template.entity.js';
import { ConsoleSessionEntity } from '../session/console-session.entity.js';
import { TokenEntity } from '../token/token.entity.js';
import {
  UsageBatchEntity,
  UsageDayEntity,
  UsageHourEntity,
  UsageMinuteEntity,
  UsageRetentionEntity,
  UsageSeriesEntity,
} from '../usage/usage.entities.js';
import type { DatabaseConnection } from './connection.js';
import { DeadlineClient } from './deadline-client.js';
import { IdempotencyKeyEntity, KeyCheckEntity, RevisionEntity } from './system.entities.js';

export const ENTITIES = [
  ModelConfigEntity,
  SystemPromptTemplateEntity,
  PromptVersionEntity,
  PromptLabelEntity,
  ProtectedLabelEntity,
  TokenEntity,
  UsageBatchEntity,
  UsageSeriesEntity,
  UsageMinuteEntity,
  UsageHourEntity,
  UsageDayEntity,
  UsageRetentionEntity,
  RevisionEntity,
  KeyCheckEntity,
  IdempotencyKeyEntity,
  HistoryEntity,
  StorageProcessEntity,
  AiModelInstanceEntity,
  ScheduledTestsEntity,
  AlertRuleEntity,
  AlertEntity,
  AlertEvaluationEntity,
  AlertSilenceEntity,
  AlertChannelEntity,
  NotificationEntity,
  ConsoleSessionEntity,
  BudgetEntity,
  BudgetStateEntity,
];

interface Limits {
  poolSize: number;
  /** Milliseconds; the server gives up a statement after this, the client a little later. */
  statementTimeout: number;
}

/** Serving: nothing may hold a request for long. */
export const SERVING: Limits = { poolSize: 10, statementTimeout: 2500 };
/** Migrating: a large table may take its time. One connection for the lock, one for the work. */
export const MIGRATING: Limits = { poolSize: 2, statementTimeout: 600_000 };

/** The one description of the database: for Nest, for migrations, for TypeORM's command line and for the tests. */
export const dataSourceOptions = (
  connection: DatabaseConnection,
  limits: Limits = SERVING,
  Pool: typeof pg.Pool = pg.Pool,
): DataSourceOptions => ({
  type: 'postgres',
  driver: { Pool },
  host: connection.host,
  port: connection.port,
  username: connection.user,
  password: connection.password,
  database: connection.database,
  ssl: connection.ssl,
  entities: ENTITIES,
  migrations,
  migrationsTransactionMode: 'each',
  synchronize: false,
  logging: false,
  uuidExtension: 'pgcrypto',
  installExtensions: false,
  applicationName: 'ai-model-hub',
  poolSize: limits.poolSize,
  // Also the wait for a connection of the pool that is free.
  connectTimeoutMS: 1000,
  // An idle connection that breaks must not end the process; the next query opens another one.
  poolErrorHandler: () => undefined,
  extra: {
    statement_timeout: limits.statementTimeout,
    // With a frozen server only the client's own timer fires.
    query_timeout: limits.statementTimeout + 500,
    lock_timeout: Math.min(limits.statementTimeout, 2000),
    Client: DeadlineClient,
    idle_in_transaction_session_timeout: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  },
});
