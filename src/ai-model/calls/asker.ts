import type { Identity } from '../../platform/auth/identity.js';
import type { CallReply, CallRequest } from '../../platform/http/call-exchange.js';
import type { Span } from '../../platform/tracing/span.js';
import type { CallSource } from '../../contract/usage.contract.js';
import { sourceOf } from '../usage/usage-record.js';

/** Who makes a call. */
export interface Asker {
  requestId: string;
  identity: Identity | undefined;
  source: CallSource;
  /** The request he makes it with; null: it is not traced. */
  span: Span | null;
  /** Milliseconds since the request arrived. */
  elapsed(): number;
}

/** The caller behind a request. */
export const askerOf = (request: CallRequest, reply: CallReply): Asker => ({
  requestId: request.id,
  identity: request.identity,
  source: sourceOf(request.headers['x-hub-source']),
  span: request.span ?? null,
  elapsed: () => reply.elapsedTime,
});
