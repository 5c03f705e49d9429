import type { EmbeddingModelV3, LanguageModelV3, SharedV3ProviderOptions } from '@ai-sdk/provider';
import type { SnapshotModel } from '../../../contract/snapshot.contract.js';
import type { OutboundResponseHeaders } from '../../../platform/http/outbound/outbound-exchange.js';
import type { ProviderError } from '../provider-error.js';
import type { KeyHeader } from '../provider-target.js';
import type { ModelList } from './model-lists.js';

/** What every provider of the library is made with: our address and our `fetch`; the key is added by the latter alone. */
export interface SdkSettings {
  baseURL: string;
  fetch: typeof globalThis.fetch;
  headers: Record<string, string>;
}

/** An error as the provider said it. */
export interface ErrorAnswer {
  /** null: it came in a stream or under a good status. */
  status: number | null;
  body: unknown;
  headers: OutboundResponseHeaders;
  secrets: readonly string[];
}

/** What the caller wants of the model's thinking. */
export interface ReasoningRequest {
  model: SnapshotModel;
  /** OpenAI's word, such as `low`. */
  effort: string;
  /** The most output tokens of this call, thoughts included; null: not limited. */
  maxTokens: number | null;
  /** A loop of tool calls goes on whose thoughts did not come back. */
  lacksThoughts: boolean;
}

/** How a provider is told to think; `maxTokens` where the library wants another limit because of it. */
export interface ReasoningOptions {
  options: Record<string, unknown>;
  maxTokens?: number;
}

/** How a provider makes vectors. */
export interface SdkEmbeddings {
  model(settings: SdkSettings, modelName: string): EmbeddingModelV3;
  /** The lengths of a vector that the library lets a caller ask for; null: any. */
  lengths(modelName: string): readonly number[] | null;
  /** OpenAI's `dimensions` in the provider's words. */
  sized(dimensions: number, modelName: string): Record<string, unknown>;
}

/** What is a provider's own beside everything that all of the library's providers have in common. */
export interface SdkWire {
  /** For messages, and the library's key of options. */
  readonly name: string;
  readonly optionsName: string;
  readonly keyHeader: KeyHeader;
  /** How a stream is cut: server-sent events, or a binary framing that the library reads itself. */
  readonly framing: 'events' | 'binary';
  /** The limit of the output has to be sent, so the config's is when the caller gives none. */
  readonly requiresMaxTokens: boolean;
  languageModel(settings: SdkSettings, modelName: string): LanguageModelV3;
  /** Absent where the provider makes no vectors. */
  readonly embeddings?: SdkEmbeddings | undefined;
  /** Whether a message can hold a file of this type. */
  takes(mediaType: string): boolean;
  /** Whether the provider itself fetches it. Nothing else is sent as an address: the library must not fetch anything. */
  takesUrl(mediaType: string, url: URL): boolean;
  /** Whether the result of a tool can hold more than text; where not, the rest follows as a message of the user. */
  takesMediaInResults(modelName: string): boolean;
  /** null: the model cannot be told, and the parameter is ignored. */
  reasoning(request: ReasoningRequest): ReasoningOptions | null;
  /** Parameters that only this provider has, by OpenAI's names, as its options. */
  readonly optionOf: Readonly<Record<string, (value: unknown) => Record<string, unknown> | null>>;
  /** What the provider does not know, though the library has a place for it and does not say so. */
  readonly lacks?: readonly ('top_k' | 'json_object')[];
  /** Options that every call has. */
  readonly always?: Record<string, unknown>;
  readError(answer: ErrorAnswer): ProviderError;
  /** Headers of an answer worth handing on, by OpenAI's names. */
  handOn?(headers: OutboundResponseHeaders): Record<string, string>;
  /** Absent where the provider is not asked for its models. */
  readonly models?: ModelList | undefined;
}

export const withOptions = (wire: SdkWire, options: Record<string, unknown>): SharedV3ProviderOptions =>
  ({ [wire.optionsName]: options }) as SharedV3ProviderOptions;
