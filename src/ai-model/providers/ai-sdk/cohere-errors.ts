import { type ErrorClass, ProviderError } from '../provider-error.js';
import { readPlainError } from './plain-errors.js';
import type { ErrorAnswer } from './sdk-wire.js';

/** Where Cohere's status says something else than anybody's, or too little. */
const ownClassOf = (status: number | null, message: string): ErrorClass | null => {
  // A word of its deny list in the request or in the answer.
  if (status === 498) return 'content_filter';
  if (status === 400 && /too many tokens|maximum context length/i.test(message)) return 'context_too_long';
  return status === 429 && /calls \/ month|monthly/i.test(message) ? 'quota' : null;
};

/** Reads `{message}`. */
export const readCohereError = (answer: ErrorAnswer): ProviderError => {
  const error = readPlainError(answer);
  const own = ownClassOf(answer.status, error.details.message ?? '');
  return own ? new ProviderError(own, error.details) : error;
};
