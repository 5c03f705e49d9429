import type { Readable } from 'node:stream';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { ProviderError } from './provider-error.js';

/** One call as the hub understands it: OpenAI's chat format, checked, with the model found. */
export interface ChatRequest {
  model: SnapshotModel;
  /** The caller's body, byte for byte. */
  body: Buffer;
  /** The same, parsed; read-only. */
  parameters: Readonly<Record<string, unknown>>;
  stream: boolean;
}

/** A whole answer or a stream, both in OpenAI's format. */
export interface ChatAnswer {
  /** Headers worth handing on, such as the provider's rate limits. */
  headers: Record<string, string>;
  contentType: string;
  /** Bytes of a whole answer (JSON) or of server-sent events. Ends with an error when the connection breaks. */
  body: Readable;
  /** For a whole answer: reads it to its end, within the size limit. */
  read(): Promise<Buffer>;
  /** What the provider said in a stream, or with a good status, of its own failure. */
  toError(error: unknown): ProviderError;
}

/**
 * A wire format: sends one attempt of a call. Throws a {@link ProviderError} for every failure, network included; whoever
 * implements it knows best what may be retried and scrubs the credential from what the provider says.
 */
export interface ChatProvider {
  chat(request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer>;
}
