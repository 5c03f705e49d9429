import { ModelConfigs1795392000001 } from './1795392000001-model-configs.js';
import { SystemPromptTemplates1795392000002 } from './1795392000002-system-prompt-templates.js';
import { ApiTokens1795392000003 } from './1795392000003-api-tokens.js';
import { Usage1795392000004 } from './1795392000004-usage.js';
import { RevisionAndKeyChecks1795392000005 } from './1795392000005-revision-and-key-checks.js';
import { CachedInputPrice1795478400001 } from './1795478400001-cached-input-price.js';
import { ChangeHistory1795478400002 } from './1795478400002-change-history.js';
import { UsageSeries1795478400003 } from './1795478400003-usage-series.js';
import { SystemPromptVersions1795478400004 } from './1795478400004-system-prompt-versions.js';
import { IdempotencyKeys1795478400005 } from './1795478400005-idempotency-keys.js';
import { StorageProcesses1795478400006 } from './1795478400006-storage-processes.js';
import { ConfigListIndexes1795478400007 } from './1795478400007-config-list-indexes.js';
import { MoreProviders1795564800001 } from './1795564800001-more-providers.js';
import { ScheduledTests1795564800002 } from './1795564800002-scheduled-tests.js';
import { Instances1795651200001 } from './1795651200001-instances.js';
import { Alerts1795737600001 } from './1795737600001-alerts.js';
import { ConsoleSessions1795737600003 } from './1795737600003-console-sessions.js';
import { Budgets1795737600002 } from './1795737600002-budgets.js';

/** Oldest first. Classes, never a glob: a stale compiled file must not run. Merged migrations are frozen. */
export const migrations = [
  ModelConfigs1795392000001,
  SystemPromptTemplates1795392000002,
  ApiTokens1795392000003,
  Usage1795392000004,
  RevisionAndKeyChecks1795392000005,
  CachedInputPrice1795478400001,
  ChangeHistory1795478400002,
  UsageSeries1795478400003,
  SystemPromptVersions1795478400004,
  IdempotencyKeys1795478400005,
  StorageProcesses1795478400006,
  ConfigListIndexes1795478400007,
  MoreProviders1795564800001,
  ScheduledTests1795564800002,
  Instances1795651200001,
  Alerts1795737600001,
  ConsoleSessions1795737600003,
  Budgets1795737600002,
];
