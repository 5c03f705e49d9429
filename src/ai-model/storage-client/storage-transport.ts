import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpService } from '@nestjs/axios';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { Env } from '../../platform/config/env.js';
import { ListenAddress } from '../../platform/http/listen-address.js';
import type { Span } from '../../platform/tracing/span.js';
import { withConnectTimeout } from './connect-timeout.js';
import { StorageUnavailable } from './storage-errors.js';
import { traced } from './storage-span.js';

/** Larger than 10,000 configs with everything in them. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Those of the exchange, and the watch. */
const MAX_SOCKETS = 12;
const AGENT_OPTIONS = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets: MAX_SOCKETS };

export interface StorageRequest extends Pick<AxiosRequestConfig, 'params' | 'data' | 'headers' | 'responseType'> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Without the leading slash. */
  path: string;
  /** Of the request that it is sent for; none: it is not traced. */
  span?: Span | null | undefined;
}

export type StorageAnswer = AxiosResponse<unknown>;

/** One HTTP request to the storage service, wherever it runs: in this process by default. Any status is an answer. */
@Injectable()
export class StorageTransport implements OnApplicationShutdown {
  private readonly httpAgent = withConnectTimeout(new HttpAgent(AGENT_OPTIONS));
  private readonly httpsAgent = withConnectTimeout(new HttpsAgent(AGENT_OPTIONS));

  constructor(
    private readonly http: HttpService,
    private readonly env: Env,
    private readonly address: ListenAddress,
  ) {}

  onApplicationShutdown(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }

  /** When `signal` ends it, its connection is closed. */
  request({ span, ...request }: StorageRequest, signal: AbortSignal): Promise<StorageAnswer> {
    if (!span) return this.send(request, signal);
    return traced(span, { ...request, address: this.baseUrl() }, (headers) =>
      this.send({ ...request, headers: { ...request.headers, ...headers } }, signal),
    );
  }

  private send({ path, ...request }: Omit<StorageRequest, 'span'>, signal: AbortSignal): Promise<StorageAnswer> {
    return this.http.axiosRef.request({
      ...request,
      url: `${this.baseUrl()}/${path}`,
      httpAgent: this.httpAgent,
      httpsAgent: this.httpsAgent,
      signal,
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
}
