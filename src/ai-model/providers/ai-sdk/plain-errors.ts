import { statusIn, toProviderError } from '../openai-errors.js';
import type { ProviderError } from '../provider-error.js';
import type { ErrorAnswer } from './sdk-wire.js';

/** For providers whose errors say no more than their status and a text. */
export const readPlainError = ({ status, body, headers, secrets }: ErrorAnswer): ProviderError =>
  toProviderError(status ?? statusIn(body), body, headers, secrets);
