import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from './span.js';

/** Costs nothing as long as nothing is run within it. */
const current = new AsyncLocalStorage<Span | null>();

/** The request on whose behalf this is done; null: nobody's that is traced. */
export const currentSpan = (): Span | null => current.getStore() ?? null;

/** Does it on behalf of this request. */
export const within = <Result>(span: Span, work: () => Result): Result => current.run(span, work);

/** Does it on nobody's behalf: what the process does by itself, whoever gave the occasion. */
export const onNobodysBehalf = <Result>(work: () => Result): Result =>
  currentSpan() === null ? work() : current.run(null, work);
