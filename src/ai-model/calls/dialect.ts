import type { AppError } from '../../platform/errors/app-error.js';
import type { WholeAnswer } from '../providers/provider.js';
import type { IncomingCall } from './incoming-call.js';

/** A chunk of OpenAI's chat stream, parsed and otherwise as the provider sent it. */
export type ChatChunk = Readonly<Record<string, unknown>>;

/** Says a stream in the caller's words, server-sent events with their empty lines; one object per stream. */
export interface AnswerStream {
  /** Every chunk in order, the one with the usage included; may answer ''. */
  chunk(chunk: ChatChunk): string;
  /** After the last chunk of a complete answer. */
  end(): string;
  /** In place of the end, when the answer broke off; what was begun need not be closed. */
  error(error: AppError): string;
  /** Sent while nothing else is, so that nobody takes the connection for dead. */
  readonly heartbeat: string;
}

/**
 * How a caller speaks. An entrance has one: it reads what he asks as OpenAI's request, and says OpenAI's answer in his
 * words. Everything in between is the same for all of them.
 */
export interface Dialect {
  /** Throws `validation_failed` and the like, naming the caller's own field. */
  read(body: Buffer | undefined): IncomingCall;
  /** The answer as JSON. `parsed` is its body, an object. */
  whole(answer: WholeAnswer, parsed: Readonly<Record<string, unknown>>, call: IncomingCall): Buffer;
  /** null: the provider's events are the caller's own words, and go on byte for byte. */
  stream(call: IncomingCall): AnswerStream | null;
}
