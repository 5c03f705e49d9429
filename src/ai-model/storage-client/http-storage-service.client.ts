import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { isPlainObject } from '../../contract/fields.js';
import type { ConnectionTestClaim, ConnectionTestGrant } from '../../contract/connection-test.contract.js';
import type { ModelConfigCreate, ModelConfigUpdate } from '../../contract/model-config.contract.js';
import type { ActiveModelList, ModelConfigList, ModelConfigView } from '../../contract/model-config-view.contract.js';
import type { ModelConfigQuery } from '../../contract/model-config-query.contract.js';
import { CONFIGS_PATH, INTERNAL_PATH, STORAGE_PREFIX } from '../../contract/paths.js';
import type { InstanceReport } from '../../contract/instance.contract.js';
import type { Snapshot, SnapshotDifference, SnapshotPromptVersion } from '../../contract/snapshot.contract.js';
import type { ModelStatistics } from '../../contract/statistics.contract.js';
import type { StatisticsQuery } from '../../contract/statistics-query.contract.js';
import type { UsageBatch, UsageReceipt } from '../../contract/usage.contract.js';
import { Env } from '../../platform/config/env.js';
import { etagOf } from '../../platform/http/etag.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import type { Secret } from '../../platform/secrets/secret.js';
import {
  type AnswerFields,
  checkAnswer,
  CONFIG,
  CONFIG_LIST,
  GRANT,
  HEALTH,
  receiptOf,
  STATISTICS,
} from './check-answer.js';
import { checkDifference, checkPromptVersion, checkSnapshot } from './check-snapshot.js';
import { withConnectTimeout } from './connect-timeout.js';
import { readRevisions } from './revision-stream.js';
import { StorageUnavailable, toStorageError } from './storage-errors.js';
import { type OnBehalfOf, type StorageHealth, StorageServiceClient } from './storage-service.client.js';

const MAX_ATTEMPTS = 3;
const FIRST_BACKOFF_MILLISECONDS = 100;
/** With less time left another attempt only adds load. */
const SHORTEST_ATTEMPT_MILLISECONDS = 50;
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);
/** Nothing was sent, so even a write may be tried again. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** Larger than 10,000 configs with everything in them. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

const AGENT_OPTIONS = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets: 32 };

interface Call extends Pick<AxiosRequestConfig, 'params' | 'data' | 'headers' | 'responseType'> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** May be sent twice without effect: reads, and writes that carry their own id. */
  repeatable: boolean;
  signal?: AbortSignal;
}

/** The token the AI model service shows to the storage service on `/internal`. */
export class ServiceToken {
  constructor(readonly secret: Secret) {}
}

/** Speaks HTTP to the storage service, wherever it runs: in this process by default. */
@Injectable()
export class HttpStorageServiceClient extends StorageServiceClient implements OnApplicationShutdown {
  private readonly httpAgent = withConnectTimeout(new HttpAgent(AGENT_OPTIONS));
  private readonly httpsAgent = withConnectTimeout(new HttpsAgent(AGENT_OPTIONS));

  constructor(
    private readonly http: HttpService,
    private readonly env: Env,
    private readonly address: ListenAddress,
    private readonly serviceToken: ServiceToken,
  ) {
    super();
  }

  onApplicationShutdown(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }

  getAllModels(query: ModelConfigQuery, caller: OnBehalfOf): Promise<ModelConfigList> {
    return this.read(CONFIGS_PATH, caller, CONFIG_LIST, query);
  }

  getModelByAlias(alias: string, caller: OnBehalfOf): Promise<ModelConfigView> {
    return this.read(`${CONFIGS_PATH}/by-alias/${encodeURIComponent(alias)}`, caller, CONFIG);
  }

  createModelConfig(body: ModelConfigCreate, caller: OnBehalfOf): Promise<ModelConfigView> {
    return this.send(
      { method: 'POST', path: CONFIGS_PATH, data: body, headers: headersOf(caller), repeatable: false },
      CONFIG,
    );
  }

  updateModelConfig(
    id: string,
    body: ModelConfigUpdate,
    caller: OnBehalfOf,
    ifMatch?: string,
  ): Promise<ModelConfigView> {
    const headers = { ...headersOf(caller), ...(ifMatch && { 'if-match': ifMatch }) };
    return this.send({ method: 'PUT', path: `${CONFIGS_PATH}/${id}`, data: body, headers, repeatable: false }, CONFIG);
  }

  async deleteModelConfig(id: string, caller: OnBehalfOf, ifMatch?: string): Promise<void> {
    const headers = { ...headersOf(caller), ...(ifMatch && { 'if-match': ifMatch }) };
    await this.exchange({ method: 'DELETE', path: `${CONFIGS_PATH}/${id}`, headers, repeatable: false });
  }

  getActiveModels(caller: OnBehalfOf): Promise<ActiveModelList> {
    return this.read(`${STORAGE_PREFIX}/active`, caller, CONFIG_LIST);
  }

  getModelStatistics(caller: OnBehalfOf, query?: Omit<StatisticsQuery, 'format'>): Promise<ModelStatistics> {
    return this.read(`${STORAGE_PREFIX}/statistics`, caller, STATISTICS, query);
  }

  async healthCheck(): Promise<StorageHealth> {
    return this.send({ method: 'GET', path: 'health/ready', repeatable: true }, HEALTH);
  }

  async getSnapshot(revision: number | null): Promise<Snapshot | null> {
    const headers = { ...this.ownHeaders(), ...(revision !== null && { 'if-none-match': etagOf(revision) }) };
    const answer = await this.exchange({ method: 'GET', path: `${INTERNAL_PATH}/snapshot`, headers, repeatable: true });
    return answer.status === 304 ? null : checkSnapshot(answer.data);
  }

  async getSnapshotSince(since: number): Promise<Snapshot | SnapshotDifference | null> {
    const headers = { ...this.ownHeaders(), 'if-none-match': etagOf(since) };
    const path = `${INTERNAL_PATH}/snapshot`;
    const answer = await this.exchange({ method: 'GET', path, params: { since }, headers, repeatable: true });
    if (answer.status === 304) return null;
    return isPlainObject(answer.data) && 'since' in answer.data
      ? checkDifference(answer.data, since)
      : checkSnapshot(answer.data);
  }

  async reportInstance(report: InstanceReport): Promise<void> {
    const path = `${INTERNAL_PATH}/instances`;
    await this.exchange({ method: 'POST', path, data: report, headers: this.ownHeaders(), repeatable: true });
  }

  async forgetInstance(id: string): Promise<void> {
    const path = `${INTERNAL_PATH}/instances/${id}`;
    await this.exchange({ method: 'DELETE', path, headers: this.ownHeaders(), repeatable: true });
  }

  async getPromptVersion(name: string, version: number): Promise<SnapshotPromptVersion> {
    const path = `${INTERNAL_PATH}/prompts/${encodeURIComponent(name)}/versions/${version}`;
    const answer = await this.exchange({ method: 'GET', path, headers: this.ownHeaders(), repeatable: true });
    return checkPromptVersion(answer.data, version);
  }

  async watchRevision(onRevision: (revision: number) => void, signal: AbortSignal): Promise<void> {
    const path = `${INTERNAL_PATH}/changes`;
    try {
      const answer = await this.attempt(
        { method: 'GET', path, headers: this.ownHeaders(), responseType: 'stream', repeatable: true, signal },
        null,
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
      { method: 'POST', path, data: batch, headers: this.ownHeaders(), repeatable: true },
      receiptOf(batch.batch_id),
    );
  }

  /** Not repeated: what was handed out before would count twice. */
  claimConnectionTests(claim: ConnectionTestClaim): Promise<ConnectionTestGrant> {
    const path = `${INTERNAL_PATH}/connection-tests`;
    return this.send({ method: 'POST', path, data: claim, headers: this.ownHeaders(), repeatable: false }, GRANT);
  }

  private read<Answer>(path: string, caller: OnBehalfOf, fields: AnswerFields, params?: object): Promise<Answer> {
    return this.send({ method: 'GET', path, headers: headersOf(caller), params, repeatable: true }, fields);
  }

  private async send<Answer>(call: Call, fields: AnswerFields): Promise<Answer> {
    return checkAnswer((await this.exchange(call)).data, fields) as Answer;
  }

  /** One logical call: attempts, waits and all within the deadline. */
  private async exchange(call: Call): Promise<AxiosResponse<unknown>> {
    const deadline = Date.now() + this.env.STORAGE_SERVICE_TIMEOUT * 1000;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.tryOnce(call, deadline);
      if ('answer' in outcome) return outcome.answer;
      const wait = outcome.waitMilliseconds ?? Math.random() * FIRST_BACKOFF_MILLISECONDS * 2 ** attempt;
      const hasTime = Date.now() + wait + SHORTEST_ATTEMPT_MILLISECONDS < deadline;
      if (!outcome.mayRepeat || attempt === MAX_ATTEMPTS || !hasTime) throw outcome.error;
      await sleep(wait);
    }
  }

  private async tryOnce(
    call: Call,
    deadline: number,
  ): Promise<
    { answer: AxiosResponse<unknown> } | { error: Error; mayRepeat: boolean; waitMilliseconds?: number | undefined }
  > {
    try {
      const answer = await this.attempt(call, deadline);
      if ((answer.status >= 200 && answer.status < 300) || answer.status === 304) return { answer };
      const mayRepeat = call.repeatable && RETRYABLE_STATUSES.has(answer.status);
      return { error: toStorageError(answer.status, answer.data), mayRepeat, waitMilliseconds: retryAfterOf(answer) };
    } catch (error) {
      return { error: toClientError(error), mayRepeat: call.repeatable || NEVER_SENT.has(codeOf(error)) };
    }
  }

  /** `deadline` null: as long as it takes, for a stream. */
  private attempt({ path, signal, ...call }: Call, deadline: number | null): Promise<AxiosResponse<unknown>> {
    const limit = deadline === null ? undefined : AbortSignal.timeout(Math.max(1, deadline - Date.now()));
    return this.http.axiosRef.request({
      ...call,
      url: `${this.baseUrl()}/${path}`,
      httpAgent: this.httpAgent,
      httpsAgent: this.httpsAgent,
      signal: signal ?? limit,
      validateStatus: () => true,
      paramsSerializer: { indexes: null },
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      maxBodyLength: MAX_ANSWER_BYTES,
      proxy: false,
      // Only long snapshots come packed; what they hold is bounded above, unpacked.
      decompress: true,
    } as AxiosRequestConfig);
  }

  private baseUrl(): string {
    const url = this.env.STORAGE_SERVICE_URL ?? this.address.url;
    if (!url) throw new StorageUnavailable('This process does not listen yet.');
    return url.replace(/\/$/, '');
  }

  private ownHeaders(): Record<string, string> {
    return { authorization: `Bearer ${this.serviceToken.secret.reveal()}` };
  }
}

const headersOf = (caller: OnBehalfOf): Record<string, string> => ({
  authorization: caller.authorization,
  'x-request-id': caller.requestId,
});

const codeOf = (error: unknown): string => {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

const retryAfterOf = (answer: AxiosResponse<unknown>): number | undefined => {
  const seconds = Number(answer.headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
};

/** axios' errors carry the request with its headers: only the code survives. */
const toClientError = (error: unknown): Error => {
  if (error instanceof StorageUnavailable) return error;
  const code = codeOf(error);
  const isLate = code === 'ERR_CANCELED' || code === 'ETIMEDOUT' || code === 'ECONNABORTED';
  const detail = isLate ? 'The storage service did not answer in time.' : 'The storage service cannot be reached';
  return new StorageUnavailable(isLate || code === '' ? detail : `${detail} (${code}).`);
};
