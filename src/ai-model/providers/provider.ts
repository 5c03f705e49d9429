import type { Readable } from 'node:stream';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { TopLevel } from '../chat/wire/json-object-editor.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { ProviderError } from './provider-error.js';

/** One call as the hub understands it: OpenAI's chat format, checked, with the model found. */
export interface ChatRequest {
  model: SnapshotModel;
  /** The caller's body, byte for byte. */
  body: Buffer;
  /** Where its members stand, for editing it in place. */
  topLevel: TopLevel;
  /** The same, parsed; read-only. */
  parameters: Readonly<Record<string, unknown>>;
  stream: boolean;
}

/** What a whole answer and a stream have in common, both in OpenAI's format. */
interface AnswerHead {
  /** Headers worth handing on, such as the provider's rate limits. */
  headers: Record<string, string>;
  contentType: string;
  /** What the provider said in a stream, or with a good status, of its own failure. */
  toError(error: unknown): ProviderError;
}

/** The JSON text of an answer. */
export interface WholeAnswer extends AnswerHead {
  kind: 'whole';
  body: Buffer;
}

/** Bytes of server-sent events. Ends with an error when the connection breaks. */
export interface StreamedAnswer extends AnswerHead {
  kind: 'stream';
  body: Readable;
}

/** Streamed when that was asked for, else whole. */
export type ChatAnswer = WholeAnswer | StreamedAnswer;

/**
 * A wire format: sends one attempt of a call. Throws a {@link ProviderError} for every failure, network included; whoever
 * implements it knows best what may be retried and scrubs the credential from what the provider says.
 */
export interface ChatProvider {
  chat(request: ChatRequest, signal: CancelSignal): Promise<ChatAnswer>;
}
