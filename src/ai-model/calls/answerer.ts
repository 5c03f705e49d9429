import type { AppError } from '../../platform/errors/app-error.js';
import type { StreamedAnswer, WholeAnswer } from '../providers/provider.js';
import type { StreamEnd } from './stream-forwarder.js';
import type { ChatStreamTap } from './wire/chat-stream-tap.js';

/** Made for one head, which adds its own to it. */
export type AnswerHeaders = Record<string, string>;

/** What is known of a stream while it goes on, and after it broke. */
export interface StreamState {
  tap: ChatStreamTap;
  /** By `performance.now()`; null: nothing arrived. */
  firstByteAt: number | null;
}

/** The caller's side of a call: takes the answer. */
export interface Answerer {
  /** Something of an answer is with the caller: nothing can be taken back any more. */
  readonly hasStarted: boolean;
  /** `headers`: for the head, should this be the answer that is given. */
  whole(answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>, headers: () => AnswerHeaders): void;
  /** Begins to hand a stream on; `end` settles when it is over, and fails when the connection breaks. */
  stream(answer: StreamedAnswer, headers: () => AnswerHeaders): { state: StreamState; end: Promise<StreamEnd> };
  /** Tells, in a stream that has begun, that it broke off. */
  fail(error: AppError): void;
}
