import type { Logger } from 'pino';

/** One request that is over. */
export interface AccessLine {
  id: string;
  method: string;
  /** Without secrets. */
  path: string;
  status: number;
  milliseconds: number;
  tokenId: string | undefined;
}

/** Polls and probes come every few seconds and tell nothing: they are logged at debug. */
const isRoutine = (path: string): boolean => path.startsWith('/health') || path.startsWith('/internal/');

/** One line per request. */
export const logAccess = (logger: Logger, { id, method, path, status, milliseconds, tokenId }: AccessLine): void => {
  const level = isRoutine(path) && status < 400 ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const duration = Math.round(milliseconds);
  logger[level]({ request_id: id, method, path, status, duration_ms: duration, token_id: tokenId }, 'request');
};
