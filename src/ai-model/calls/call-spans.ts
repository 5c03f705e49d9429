import type { Provider } from '../../contract/providers.js';
import type { SnapshotModel } from '../../contract/snapshot.contract.js';
import { canParseUrl } from '../../platform/http/can-parse-url.js';
import type { Span } from '../../platform/tracing/span.js';
import { ProviderError } from '../providers/provider-error.js';
import { PROVIDER_REGISTRY } from '../providers/registry.js';
import type { FinishedCall } from '../usage/usage-record.js';
import type { CallFailure } from './call-failure.js';
import type { IncomingCall, Operation } from './incoming-call.js';

/** Names that OpenTelemetry's conventions for generative AI have; the others go by ours. */
const PROVIDER_NAMES: Readonly<Partial<Record<Provider, string>>> = {
  gemini: 'gcp.gemini',
  claude: 'anthropic',
  azure_openai: 'azure.ai.openai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
  amazon_bedrock: 'aws.bedrock',
  google_vertex: 'gcp.vertex_ai',
};

const providerName = (provider: Provider): string => PROVIDER_NAMES[provider] ?? provider;

/** A request has become a call. Not before its model is found: what no model is called may be anything. */
export const describeCall = (span: Span, { operation, alias, stream }: IncomingCall, source: string): void =>
  span.describe(
    {
      'gen_ai.operation.name': operation,
      'gen_ai.request.model': alias,
      'gen_ai.request.stream': stream,
      'hub.source': source,
    },
    `${operation} ${alias}`,
  );

/** What the call has come to; the last model that was asked is the one a trace tells of, as the access log does. */
export const describeOutcome = (span: Span, call: FinishedCall, attempts: number): void => {
  if (!span.isRecorded) return;
  const { model, usage, firstByteMs, overheadMs, prompt } = call;
  span.describe({
    'gen_ai.provider.name': providerName(model.provider),
    'gen_ai.response.model': model.model_name,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'hub.model': model.alias,
    'hub.attempts': attempts,
    'hub.prompt': prompt && `${prompt.name}@${prompt.version}`,
    'hub.usage.estimated': usage?.estimated,
    'hub.first_byte_ms': firstByteMs,
    'hub.overhead_ms': overheadMs,
  });
};

/**
 * A request to a provider. It gets nothing of the trace: `traceparent` would tell a stranger which of the calls that he is
 * sent belong together, and is no header of his interface.
 * @param attempt at this model, from 1
 */
export const startAttempt = (span: Span, model: SnapshotModel, operation: Operation, attempt: number): Span => {
  const name = `${operation} ${model.model_name}`;
  if (!span.isRecorded) return span.startRequest(name, {});
  return span.startRequest(name, {
    'gen_ai.operation.name': operation,
    'gen_ai.request.model': model.model_name,
    'gen_ai.provider.name': providerName(model.provider),
    'server.address': hostOf(model),
    'hub.model': model.alias,
    'hub.attempt': attempt,
  });
};

/** `failure` null: it answered. */
export const endAttempt = (span: Span, failure: CallFailure | null): void => {
  if (failure === null) return span.end(null);
  if (!(failure instanceof ProviderError)) return span.end(failure.code);
  span.describe({ 'http.response.status_code': failure.details.status });
  return span.end(failure.errorClass);
};

const hostOf = ({ api_base: apiBase, provider }: SnapshotModel): string | null => {
  const base = apiBase ?? PROVIDER_REGISTRY[provider].defaultApiBase;
  return base !== null && canParseUrl(base) ? new URL(base).hostname : null;
};
