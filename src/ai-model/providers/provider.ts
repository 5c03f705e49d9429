import type { Readable } from 'node:stream';
import type { CancelSignal } from '../../platform/http/outbound/cancel-signal.js';
import type { TopLevel } from '../calls/wire/json-object-editor.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import type { ModelFacts } from '../known-models/model-facts.js';
import type { ProviderError } from './provider-error.js';

/** One call as the hub understands it: OpenAI's format of the operation, checked, with the model found. */
export interface ProviderRequest {
  model: SnapshotModel;
  /** The caller's body, byte for byte. */
  body: Buffer;
  /** Where its members stand, for editing it in place. */
  topLevel: TopLevel;
  /** The same, parsed; read-only. */
  parameters: Readonly<Record<string, unknown>>;
  stream: boolean;
  /** An entrance made the body: it may hold the extensions of `calls/incoming-call.ts`. */
  isTranslated: boolean;
}

/** OpenAI's chat request. */
export type ChatRequest = ProviderRequest;

/** OpenAI's embeddings request; never streamed. */
export type EmbeddingRequest = ProviderRequest;

/** What a whole answer and a stream have in common, both in OpenAI's format. */
interface AnswerHead {
  /** Headers worth handing on, such as the provider's rate limits. */
  headers: Record<string, string>;
  contentType: string;
  /** Parameters of the caller that this provider cannot honour, by OpenAI's names: told in `x-hub-ignored-parameters`. */
  ignored: readonly string[];
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

/** What a provider tells when it is asked for its models, scrubbed of the credential. */
export interface ModelListing {
  /** In the provider's order, at most {@link MAX_LISTED_MODELS}. */
  names: string[];
  /** Whether the config's own model is there; null: that was not to be found out. */
  isListed: boolean | null;
  /** What it says of the config's model; null where it says nothing. */
  facts: ModelFacts;
}

export const MAX_LISTED_MODELS = 1000;

/**
 * A wire format: sends one attempt of a call. Throws a {@link ProviderError} for every failure, network included; whoever
 * implements it knows best what may be retried and scrubs the credential from what the provider says. An AppError instead
 * means that the request cannot be said in this format: nothing was sent.
 */
export interface ChatProvider {
  chat(request: ChatRequest, signal: CancelSignal): Promise<ChatAnswer>;
  /** Vectors for texts; absent where the provider has none. */
  embed?(request: EmbeddingRequest, signal: CancelSignal): Promise<WholeAnswer>;
  /** Asks for the provider's models, and what it knows of this one; absent where the wire has no such question. */
  listModels?(model: SnapshotModel, signal: CancelSignal): Promise<ModelListing>;
}
