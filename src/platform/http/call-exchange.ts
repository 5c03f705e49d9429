import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { CallLine } from '../logging/access-log.js';
import type { Identity } from '../auth/identity.js';
import type { Span } from '../tracing/span.js';

/** What a call's handler needs of its request: Fastify's has it, and that of the direct lane. */
export interface CallRequest {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody?: Buffer | undefined;
  readonly identity?: Identity | undefined;
  /** For the log: set by whoever answers the call, who fills it in as he goes. */
  call?: CallLine;
  /** Of a request that is traced. */
  readonly span?: Span | null;
}

/** And of its answer, which it writes on its own. */
export interface CallReply {
  readonly raw: ServerResponse;
  /** Milliseconds since the request arrived. */
  readonly elapsedTime: number;
  /** From here on the handler answers. */
  hijack(): unknown;
}

export type CallHandler = (request: CallRequest, reply: CallReply) => Promise<void>;
