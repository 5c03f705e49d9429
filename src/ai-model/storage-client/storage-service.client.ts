import type { ConnectionTestClaim, ConnectionTestGrant } from '../../contract/connection-test.contract.js';
import type { InternalSession } from '../../contract/console.contract.js';
import type { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import type { InstanceReport } from '../../contract/instance.contract.js';
import type { Snapshot, SnapshotDifference, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import type { ModelStatistics } from '../../contract/statistics.contract.js';
import type { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import type { UsageBatch, UsageReceipt } from '../../contract/usage.contract.js';
import type { Span } from '../../platform/tracing/span.js';

/**
 * In whose name a call is made: the caller's own token goes along, so that the storage service decides by the caller's
 * scopes and knows who made a change. The service token opens `/internal` and nothing else.
 */
export interface OnBehalfOf {
  authorization: string;
  requestId: string;
  /** The request of his that it is made for, when that is traced. */
  span?: Span | null | undefined;
}

/** What `GET /health/ready` of the storage service says. */
export interface StorageHealth {
  status: 'ready' | 'degraded' | 'not_ready';
}

/**
 * Port and injection token: all that the AI model service knows of the storage service.
 *
 * Failures are {@link StorageError}s: `StorageUnavailable` (not reached, or not in time), `StorageNotFound`,
 * `StorageConflict`, `StorageInvalid`, `StorageRefused`. Every call ends within `STORAGE_SERVICE_TIMEOUT`.
 * `span`: of the request that a call is made for, whose trace then goes on in the storage service.
 */
export abstract class StorageServiceClient {
  abstract getAllModels(query: ModelConfigQuery, caller: OnBehalfOf): Promise<ModelConfigList>;
  abstract getModelByAlias(alias: string, caller: OnBehalfOf): Promise<ModelConfigView>;
  abstract createModelConfig(body: ModelConfigCreate, caller: OnBehalfOf): Promise<ModelConfigView>;
  /** `ifMatch`: the ETag that the change is based on. */
  abstract updateModelConfig(
    id: string,
    body: ModelConfigUpdate,
    caller: OnBehalfOf,
    ifMatch?: string,
  ): Promise<ModelConfigView>;
  abstract deleteModelConfig(id: string, caller: OnBehalfOf, ifMatch?: string): Promise<void>;
  abstract getActiveModels(caller: OnBehalfOf): Promise<ActiveModelList>;
  abstract getModelStatistics(caller: OnBehalfOf, query?: Omit<StatisticsQuery, 'format'>): Promise<ModelStatistics>;
  abstract healthCheck(): Promise<StorageHealth>;
  /** null: `revision` is still the newest. */
  abstract getSnapshot(revision: number | null, span?: Span | null): Promise<Snapshot | null>;
  /** What changed after `since`, or the whole where that is simpler; null: nothing. */
  abstract getSnapshotSince(since: number, span?: Span | null): Promise<Snapshot | SnapshotDifference | null>;
  /** Tells what this process runs and which revision it has applied. */
  abstract reportInstance(report: InstanceReport): Promise<void>;
  /** At the end of the process: nobody waits for it any more. */
  abstract forgetInstance(id: string): Promise<void>;
  /** Any version of a prompt; it never changes. */
  abstract getPromptVersion(name: string, version: number, span?: Span | null): Promise<SnapshotPromptVersion>;
  /** Calls `onRevision` whenever the revision moves. Ends without error on abort, else fails when the stream breaks. */
  abstract watchRevision(onRevision: (revision: number) => void, signal: AbortSignal): Promise<void>;
  /** Safe to repeat with the same batch id. */
  abstract recordUsage(batch: UsageBatch): Promise<UsageReceipt>;
  /** The console's session with this id; null: there is none. */
  abstract findSession(idSha256: string): Promise<InternalSession['session']>;
  /** Which models this process may test now; counted as tested, whatever becomes of them. */
  abstract claimConnectionTests(claim: ConnectionTestClaim): Promise<ConnectionTestGrant>;
}
