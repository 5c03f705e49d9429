import { AppError } from '../../platform/errors/app-error.js';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import { OutboundError } from '../../platform/http/outbound/outbound-error.js';
import { fromOutboundError } from '../providers/openai-errors.js';
import { ProviderError } from '../providers/provider-error.js';
import { SseLimitError } from './wire/sse-reader.js';

/** Why a call failed: the provider, or the hub. */
export type CallFailure = ProviderError | AppError;

/** Why a call failed; what ended it early counts before what broke because of that. */
export const failureOf = (error: unknown, signal: CancelSignal): CallFailure => {
  const cause: unknown = signal.aborted ? signal.reason : error;
  if (cause instanceof ProviderError || cause instanceof AppError) return cause;
  if (cause instanceof OutboundError) return fromOutboundError(cause);
  if (cause instanceof SseLimitError) return new ProviderError('bad_answer', { message: cause.message });
  return new AppError('internal_error', { cause });
};
