import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { isPlainObject } from '../../contract/fields.js';
import type { ConnectionTestClaim, ConnectionTestGrant } from '../../contract/connection-test.contract.js';
import type { InternalSession } from '../../contract/console.contract.js';
import type { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import { CONFIGS_PATH, INTERNAL_PATH, STORAGE_PREFIX } from '../../contract/paths.js';
import type { InstanceReport } from '../../contract/instance.contract.js';
import type { Snapshot, SnapshotDifference, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import type { ModelStatistics } from '../../contract/statistics.contract.js';
import type { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import type { UsageBatch, UsageReceipt } from '../../contract/usage.contract.js';
import { etagOf } from '../../platform/http/etag.js';
import type { Secret } from '../../platform/secrets/secret.js';
import type { Span } from '../../platform/tracing/span.js';
import {
  type AnswerFields,
  checkAnswer,
  CONFIG,
  CONFIG_LIST,
  GRANT,
  HEALTH,
  receiptOf,
  SESSION,
  STATISTICS,
} from './check-answer.js';
import { checkDifference, checkPromptVersion, checkSnapshot } from './check-snapshot.js';
import { readRevisions } from './revision-stream.js';
import { StorageUnavailable, toClientError, toStorageError } from './storage-errors.js';
import { type StorageCall, StorageExchange } from './storage-exchange.js';
import { type OnBehalfOf, type StorageHealth, StorageServiceClient } from './storage-service.client.js';
import { type StorageAnswer, StorageTransport } from './storage-transport.js';

const CALLERS = { lane: 'callers' } as const;
const READ = { ...CALLERS, method: 'GET', repeatable: true } as const;

/** The token the AI model service shows to the storage service on `/internal`. */
export class ServiceToken {
  constructor(readonly secret: Secret) {}
}

/** Speaks HTTP to the storage service, wherever it runs: in this process by default. */
@Injectable()
export class HttpStorageServiceClient extends StorageServiceClient {
  constructor(
    private readonly exchange: StorageExchange,
    private readonly transport: StorageTransport,
    private readonly serviceToken: ServiceToken,
  ) {
    super();
  }

  getAllModels(query: ModelConfigQuery, caller: OnBehalfOf): Promise<ModelConfigList> {
    return this.read(CONFIGS_PATH, caller, CONFIG_LIST, query);
  }

  getModelByAlias(alias: string, caller: OnBehalfOf): Promise<ModelConfigView> {
    return this.read(`${CONFIGS_PATH}/by-alias/${encodeURIComponent(alias)}`, caller, CONFIG);
  }

  createModelConfig(body: ModelConfigCreate, caller: OnBehalfOf): Promise<ModelConfigView> {
    return this.send(
      { ...CALLERS, ...inNameOf(caller), method: 'POST', path: CONFIGS_PATH, data: body, repeatable: false },
      CONFIG,
    );
  }

  updateModelConfig(
    id: string,
    body: ModelConfigUpdate,
    caller: OnBehalfOf,
    ifMatch?: string,
  ): Promise<ModelConfigView> {
    const path = `${CONFIGS_PATH}/${id}`;
    return this.send(
      { ...CALLERS, ...inNameOf(caller, ifMatch), method: 'PUT', path, data: body, repeatable: false },
      CONFIG,
    );
  }

  async deleteModelConfig(id: string, caller: OnBehalfOf, ifMatch?: string): Promise<void> {
    const path = `${CONFIGS_PATH}/${id}`;
    await this.exchange.run({ ...CALLERS, ...inNameOf(caller, ifMatch), method: 'DELETE', path, repeatable: false });
  }

  getActiveModels(caller: OnBehalfOf): Promise<ActiveModelList> {
    return this.read(`${STORAGE_PREFIX}/active`, caller, CONFIG_LIST);
  }

  getModelStatistics(caller: OnBehalfOf, query?: Omit<StatisticsQuery, 'format'>): Promise<ModelStatistics> {
    return this.read(`${STORAGE_PREFIX}/statistics`, caller, STATISTICS, query);
  }

  async healthCheck(): Promise<StorageHealth> {
    return this.send({ ...READ, path: 'health/ready' }, HEALTH);
  }

  async getSnapshot(revision: number | null, span?: Span | null): Promise<Snapshot | null> {
    const answer = await this.askForSnapshot(revision, {}, span);
    return answer.status === 304 ? null : checkSnapshot(answer.data);
  }

  async getSnapshotSince(since: number, span?: Span | null): Promise<Snapshot | SnapshotDifference | null> {
    const answer = await this.askForSnapshot(since, { since }, span);
    if (answer.status === 304) return null;
    return isPlainObject(answer.data) && 'since' in answer.data
      ? checkDifference(answer.data, since)
      : checkSnapshot(answer.data);
  }

  async reportInstance(report: InstanceReport): Promise<void> {
    await this.exchange.run({
      lane: 'instance',
      method: 'POST',
      path: `${INTERNAL_PATH}/instances`,
      data: report,
      headers: this.ownHeaders(),
      repeatable: true,
    });
  }

  async forgetInstance(id: string): Promise<void> {
    await this.exchange.run({
      lane: 'instance',
      method: 'DELETE',
      path: `${INTERNAL_PATH}/instances/${id}`,
      headers: this.ownHeaders(),
      repeatable: true,
    });
  }

  async getPromptVersion(name: string, version: number, span?: Span | null): Promise<SnapshotPromptVersion> {
    const path = `${INTERNAL_PATH}/prompts/${encodeURIComponent(name)}/versions/${version}`;
    const answer = await this.exchange.run({ ...READ, path, headers: this.ownHeaders(), span });
    return checkPromptVersion(answer.data, version);
  }

  async watchRevision(onRevision: (revision: number) => void, signal: AbortSignal): Promise<void> {
    const path = `${INTERNAL_PATH}/changes`;
    try {
      const answer = await this.transport.request(
        { method: 'GET', path, headers: this.ownHeaders(), responseType: 'stream' },
        signal,
      );
      if (answer.status !== 200) throw toStorageError(answer.status, null);
      await readRevisions(answer.data as Readable, onRevision);
      throw new StorageUnavailable('The stream of changes ended.');
    } catch (error) {
      if (signal.aborted) return;
      throw toClientError(error);
    }
  }

  recordUsage(batch: UsageBatch): Promise<UsageReceipt> {
    const path = `${INTERNAL_PATH}/usage`;
    return this.send(
      { lane: 'usage', method: 'POST', path, data: batch, headers: this.ownHeaders(), repeatable: true },
      receiptOf(batch.batch_id),
    );
  }

  async findSession(idSha256: string): Promise<InternalSession['session']> {
    const path = `${INTERNAL_PATH}/sessions/${idSha256}`;
    const { session } = await this.send<InternalSession>({ ...READ, path, headers: this.ownHeaders() }, SESSION);
    return session;
  }

  /** Not repeated: what was handed out before would count twice. */
  claimConnectionTests(claim: ConnectionTestClaim): Promise<ConnectionTestGrant> {
    const path = `${INTERNAL_PATH}/connection-tests`;
    return this.send(
      { ...CALLERS, method: 'POST', path, data: claim, headers: this.ownHeaders(), repeatable: false },
      GRANT,
    );
  }

  private read<Answer>(path: string, caller: OnBehalfOf, fields: AnswerFields, params?: object): Promise<Answer> {
    return this.send({ ...READ, ...inNameOf(caller), path, params }, fields);
  }

  private async send<Answer>(call: StorageCall, fields: AnswerFields): Promise<Answer> {
    return checkAnswer((await this.exchange.run(call)).data, fields) as Answer;
  }

  private askForSnapshot(revision: number | null, params: object, span?: Span | null): Promise<StorageAnswer> {
    const headers = { ...this.ownHeaders(), ...(revision !== null && { 'if-none-match': etagOf(revision) }) };
    return this.exchange.run({ ...READ, lane: 'snapshot', path: `${INTERNAL_PATH}/snapshot`, params, headers, span });
  }

  private ownHeaders(): Record<string, string> {
    return { authorization: `Bearer ${this.serviceToken.secret.reveal()}` };
  }
}

const inNameOf = (
  { authorization, requestId, span }: OnBehalfOf,
  ifMatch?: string,
): Pick<StorageCall, 'headers' | 'span'> => ({
  headers: { authorization, 'x-request-id': requestId, ...(ifMatch && { 'if-match': ifMatch }) },
  span,
});
