import type { Logger } from 'pino';
import { scrub } from './scrub.js';

/** What became of a call of a model; texts that the hub chose, never what was said. */
export interface CallLine {
  /** As the caller named it. */
  alias: string;
  /** The model that answered, or failed last; null: none was asked. */
  model: string | null;
  provider: string | null;
  source: string;
  streamed: boolean;
  attempts: number;
  /** `ok`, or the class of the failure; null: the hub refused it. */
  outcome: string | null;
  /** Name of a used-up budget that refused the call, or a model that was asked for; another one may have answered. */
  budget?: string;
  input_tokens: number | null;
  output_tokens: number | null;
  first_byte_ms: number | null;
  /** What the hub itself took; null: nothing was answered. */
  overhead_ms: number | null;
}

/** One request that is over. */
export interface AccessLine {
  id: string;
  method: string;
  /** Without secrets. */
  path: string;
  status: number;
  milliseconds: number;
  tokenId: string | undefined;
  /** Of a request that called a model, once that is known. */
  call?: CallLine | undefined;
  /** Of a request that is traced. */
  traceId?: string | undefined;
}

/** Polls and probes come every few seconds and tell nothing: they are logged at debug. */
const isRoutine = (path: string): boolean => path.startsWith('/health') || path.startsWith('/internal/');

/** One line per request. */
export const logAccess = (
  logger: Logger,
  { id, method, path, status, milliseconds, tokenId, call, traceId }: AccessLine,
): void => {
  const level = isRoutine(path) && status < 400 ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const duration = Math.round(milliseconds);
  // What no model is called may be anything, such as a key in the wrong place.
  const known = call?.model === null ? { ...call, alias: scrub(call.alias) } : call;
  logger[level](
    { request_id: id, trace_id: traceId, method, path, status, duration_ms: duration, token_id: tokenId, ...known },
    'request',
  );
};
